"""``--report prometheus=FILE``: the textfile that node_exporter reads.

A value that is not known has no series: never 0.  All series of a metric stand
together, as the format wants it, so each metric's wait on disk.  Label values
are made harmless and escaped here; the file appears whole (``cli.sinks``).
"""

from __future__ import annotations

from collections import Counter
from typing import TextIO

from volact.core.licence_end import moment_of
from volact.model.report import RunReport, ServerReport, count_of
from volact.report.base import Invocation
from volact.report.spool import Spool
from volact.report.terminal_safe import plain
from volact.report.words import COUNTED, days_left

_SEVERITIES = ("error", "warning", "info", "accepted")

SERVER_METRICS = {
    "volact_server_examined": "Whether the server could be examined.",
    "volact_server_verdict": "The server's verdict: 1 for the one that it has, 0 for the others.",
    "volact_server_licensed": "Whether Windows is licensed.",
    "volact_server_days_left": "Days until the activation expires, at the start of the run.",
    "volact_server_expiry_timestamp_seconds": "When the activation expires.",
    "volact_server_clock_skew_seconds": "How far the server's clock is ahead; behind if negative.",
    "volact_server_findings": "Findings of the server by severity.",
}


class PrometheusWriter:
    """Gauges of each server and of the run."""

    def __init__(self, out: TextIO, how: Invocation) -> None:
        self._out = out
        self._how = how
        self._series = {name: Spool() for name in SERVER_METRICS}
        self._findings: Counter[tuple[str, str]] = Counter()
        self._seen: set[int] = set()

    def add(self, server: ServerReport) -> None:
        """Keep one server's series; a file with the same series twice would be refused."""
        labels = _labels(server=server.name, address=server.address, provider=server.provider or "")
        if hash(labels) in self._seen:
            return
        self._seen.add(hash(labels))
        for verdict in COUNTED:
            more = f"{labels},{_labels(verdict=verdict)}"
            self._sample("volact_server_verdict", more, int(verdict == server.verdict))
        examined = server.error is None
        self._sample("volact_server_examined", labels, int(examined))
        if not examined:
            return
        status = server.license.status
        if status is not None:
            self._sample("volact_server_licensed", labels, int(status == "licensed"))
        left = days_left(server.license.expires, self._how.started)
        if left is not None:
            self._sample("volact_server_days_left", labels, round(left, 3))
        expires = _unix(server.license.expires)
        if expires is not None:
            self._sample("volact_server_expiry_timestamp_seconds", labels, expires)
        if server.clock_skew_s is not None:
            self._sample("volact_server_clock_skew_seconds", labels, server.clock_skew_s)
        self._count(server, labels)

    def _count(self, server: ServerReport, labels: str) -> None:
        counts = Counter(str(finding.severity) for finding in server.findings)
        for severity in _SEVERITIES:
            more = f"{labels},{_labels(severity=severity)}"
            self._sample("volact_server_findings", more, counts[severity])
        self._findings.update({(f.id, str(f.severity)) for f in server.findings})

    def _sample(self, name: str, labels: str, value: float) -> None:
        self._series[name].add(f"{name}{{{labels}}} {value}")

    def finish(self, run: RunReport) -> None:
        """Write every metric with its HELP and TYPE."""
        for name, meaning in SERVER_METRICS.items():
            self._head(name, meaning)
            self._series[name].copy_to(self._out)
            self._series[name].close()
        self._head("volact_findings", "Servers that have a finding.")
        for (id, severity), number in sorted(self._findings.items()):
            self._line("volact_findings", _labels(id=id, severity=severity), number)
        self._run(run)

    def _run(self, run: RunReport) -> None:
        self._head("volact_run_info", "The run that this file is of.")
        self._line("volact_run_info", _labels(command=run.command, version=run.volact), 1)
        self._head("volact_run_servers", "Servers of the run by verdict.")
        for verdict in COUNTED:
            number = count_of(run.summary, verdict)
            self._line("volact_run_servers", _labels(verdict=verdict), number)
        self._head("volact_run_changed_servers", "Servers on which a step changed something.")
        self._line("volact_run_changed_servers", "", run.summary.changed)
        self._head("volact_run_notes", "Notes on the run itself, which its other reports hold.")
        self._line("volact_run_notes", "", len(run.notes))
        self._head("volact_run_stopped", "Whether the run stopped before its end.")
        self._line("volact_run_stopped", "", int(run.stopped is not None))
        self._head("volact_run_duration_seconds", "How long the run took.")
        self._line("volact_run_duration_seconds", "", run.elapsed_s)
        began = _unix(run.started)
        if began is not None:
            self._head("volact_run_timestamp_seconds", "When the run was started.")
            self._line("volact_run_timestamp_seconds", "", began)

    def _head(self, name: str, meaning: str) -> None:
        self._out.write(f"# HELP {name} {meaning}\n# TYPE {name} gauge\n")

    def _line(self, name: str, labels: str, value: float) -> None:
        self._out.write(f"{name}{{{labels}}} {value}\n" if labels else f"{name} {value}\n")


def _labels(**labels: str) -> str:
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())


def _escaped(text: str) -> str:
    """A label's value: one line, with what would end it escaped."""
    return plain(text).replace("\\", r"\\").replace('"', r"\"")


def _unix(text: str | None) -> float | None:
    at = moment_of(text)
    return at.timestamp() if at else None
