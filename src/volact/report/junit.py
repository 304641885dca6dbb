"""``--report junit=FILE``: a test case per server, for the CI that started the run.

Text from a server is made one harmless line by ``terminal_safe.plain`` first, which
leaves nothing that XML 1.0 forbids; the escaping is the standard library's.
Like all data, it is English in every language.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TextIO
from xml.etree import ElementTree as ET

from volact.core.main_cause import cause
from volact.model.report import RunReport, ServerReport
from volact.report.base import Invocation
from volact.report.next_step import next_step
from volact.report.run_counts import UNDO_WELL, undo_of
from volact.report.spool import Spool
from volact.report.step_lines import in_one_line
from volact.report.terminal_safe import plain
from volact.report.undo_text import UNDO_WORDS, undo_lines
from volact.report.words import (
    accepted_ids,
    cause_title,
    os_words,
    pairs,
    readable,
    refusal_lines,
    result_line,
)
from volact.words import speaking, tr

Kind = str  # failure, error, skipped, or "" for a test that passed


class JUnitWriter:
    """One ``testsuite``; its counts stand above the servers, so those wait on disk."""

    def __init__(self, out: TextIO, how: Invocation) -> None:
        self._out = out
        self._how = how
        self._cases = Spool()
        self._kinds: Counter[Kind] = Counter()

    def add(self, server: ServerReport) -> None:
        """Keep one server's test case."""
        kind = _kind(server)
        self._kinds[kind] += 1
        with speaking("en"):
            self._cases.add(_xml(_case(server, kind, self._how)))

    def finish(self, run: RunReport) -> None:
        """Write the suite."""
        counts = {
            "tests": str(self._kinds.total()),
            "failures": str(self._kinds["failure"]),
            "errors": str(self._kinds["error"]),
            "skipped": str(self._kinds["skipped"]),
            "time": f"{run.elapsed_s:.3f}",
        }
        suite = ET.Element(
            "testsuite",
            {
                "name": f"volact {plain(run.command)}",
                **counts,
                "timestamp": run.started.rstrip("Z"),
            },
        )
        _properties(suite, [("volact", run.volact), ("run", run.run), ("command", run.command)])
        notes = ET.Element("system-out")
        notes.text = "\n".join(plain(note) for note in run.notes)
        head = _xml(suite).removesuffix("</testsuite>")
        self._out.write('<?xml version="1.0" encoding="utf-8"?>\n')
        self._out.write(f"{_opening('testsuites', counts)}\n{head}\n")
        self._cases.copy_to(self._out)
        if run.notes:
            self._out.write(_xml(notes) + "\n")
        self._out.write("</testsuite>\n</testsuites>\n")
        self._cases.close()


def _kind(server: ServerReport) -> Kind:
    if server.error is not None:
        return "skipped" if server.error.kind == "not-begun" else "error"
    if (undo := undo_of(server)) is not None:
        return "" if undo.word in UNDO_WELL else "failure"
    return "" if server.verdict == "healthy" else "failure"


def _case(server: ServerReport, kind: Kind, how: Invocation) -> ET.Element:
    group = plain(server.provider or "unknown")
    case = ET.Element(
        "testcase",
        {
            "classname": f"volact.{group}",
            "name": plain(server.name),
            "time": f"{server.elapsed_s:.3f}",
        },
    )
    _properties(case, _facts(server))
    if kind:
        said = {"message": plain(_message(server))}
        if kind != "skipped":
            undo = undo_of(server)
            said["type"] = undo.word if undo else plain(cause(server) or server.verdict)
        ET.SubElement(case, kind, said).text = "\n".join(_lines(server, how))
    return case


def _facts(server: ServerReport) -> list[tuple[str, object]]:
    licence = server.license
    return [
        ("address", server.address),
        ("verdict", server.verdict),
        ("os", os_words(server)),
        ("status", licence.status),
        ("kms_host", licence.kms_host),
        ("expires", licence.expires),
        ("clock_skew_s", server.clock_skew_s),
        ("resolved", " ".join(server.resolved)),
        ("accepted", " ".join(accepted_ids(server))),
    ]


def _message(server: ServerReport) -> str:
    if (undo := undo_of(server)) is not None:
        return tr(UNDO_WORDS[undo.word])
    return server.error.message if server.error is not None else cause_title(server)


def _lines(server: ServerReport, how: Invocation) -> list[str]:
    """What a person reads of a test that did not pass."""
    lines = [server.error.message] if server.error else []
    undo = undo_of(server)
    lines += undo_lines(undo) if undo else []
    for finding in server.findings:
        lines.append(f"[{finding.id}] {finding.severity}: {finding.summary}")
        evidence = readable(finding.evidence)
        lines += [f"    {pairs(evidence)}"] if evidence else []
    lines += [f"not done: {reason}" for reason in refusal_lines(server)]
    lines += [result_line(result) for result in server.results]
    step = in_one_line(next_step([server], how))
    return [plain(line) for line in [*lines, *([f"next: {step}"] if step else [])]]


def _properties(parent: ET.Element, named: Iterable[tuple[str, object]]) -> None:
    """Properties for what is known; what is not known has none."""
    known = [(name, value) for name, value in named if value not in (None, "")]
    if known:
        holder = ET.SubElement(parent, "properties")
        for name, value in known:
            ET.SubElement(holder, "property", {"name": name, "value": plain(str(value))})


def _xml(element: ET.Element) -> str:
    """On one line of the file but for the lines of its texts."""
    return ET.tostring(element, encoding="unicode", short_empty_elements=False)


def _opening(tag: str, attributes: dict[str, str]) -> str:
    return _xml(ET.Element(tag, attributes)).removesuffix(f"</{tag}>")
