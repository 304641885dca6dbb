"""The report for a terminal: worst first, one cause one group, healthy ones as a count.

Layout only; the words come from ``words.py``, the grouping from ``group.py``.
Keeps the rows that need a person and counts the rest.
"""

from __future__ import annotations

from typing import TextIO

from volact.core.main_cause import lead
from volact.model.finding import Finding
from volact.model.report import RunReport, ServerReport, Word
from volact.model.text import count, listed, say
from volact.report.base import Invocation
from volact.report.cluster_lines import HEADING, cluster_lines
from volact.report.group import Group, groups
from volact.report.next_step import shared_step
from volact.report.note import note
from volact.report.safe import pad, plain, width
from volact.report.tally import Tally
from volact.report.words import (
    MEANS,
    SEVERITIES,
    VERDICTS,
    WORST_FIRST,
    duration,
    license_words,
    os_words,
    pairs,
    refusal_lines,
    result_line,
)
from volact.report.wrap import wrapped
from volact.words import tr

_COLOURS: dict[str, str] = {
    "unreachable": "1;35",
    "failed": "1;31",
    "attention": "1;33",
    "healthy": "1;32",
    "dim": "2",
    "bold": "1",
}
# One sentence says it of all of them.
_NO_TURN = "error:not-begun"


class TextWriter:
    """The table a tired administrator reads at night."""

    def __init__(
        self,
        out: TextIO,
        how: Invocation,
        *,
        columns: int = 100,
        colour: bool = False,
        everything: bool = False,
    ) -> None:
        self._out = out
        self._how = how
        self._columns = max(60, min(columns, 160))
        self._colour = colour
        self._everything = everything
        self._tally = Tally()
        self._kept: list[ServerReport] = []
        self._first: ServerReport | None = None
        self._goes_on = False  # the command to go on with stands at the top

    def add(self, server: ServerReport) -> None:
        """Keep a notable server, count a healthy one."""
        self._tally.add(server)
        self._first = self._first or server
        if server.verdict != "healthy" or self._everything:
            self._kept.append(server)

    def finish(self, run: RunReport) -> None:
        """Write everything: one server gets a note, several a table."""
        self._stopped(run)
        if self._first is not None and self._tally.verdicts.total() == 1:
            self._note(self._first, run.started)
            self._remarks(run)
            return
        self._clusters(run)
        grouped = groups(self._kept)
        for verdict in WORST_FIRST:
            number = self._tally.verdicts[verdict]
            if number:
                self._head(verdict, number)
                for group in grouped:
                    if group.verdict == verdict:
                        self._group(group, run.started)
                if verdict == "healthy":
                    self._healthy()
                self._line()
        self._remarks(run)
        self._totals(run)

    def _stopped(self, run: RunReport) -> None:
        """That not every server had its turn, before anything else."""
        if run.stopped is None:
            return
        self._wrapped(plain(tr(run.stopped.message)), 0, "failed", hang=2)
        self._goes_on = bool(run.stopped.command)
        if self._goes_on:
            self._line(f"  {tr(say('go on with: {command}', command=run.stopped.command))}")
        self._line()

    def _clusters(self, run: RunReport) -> None:
        """What many servers have in common, before they are listed."""
        lines = list(cluster_lines(run.clusters))
        if lines:
            self._line(tr(HEADING), "bold")
            for line in lines:
                self._wrapped(line, 2, hang=2)
            self._line()

    def _note(self, server: ServerReport, now: str) -> None:
        lines = note(server, self._how, now, columns=self._columns, paint=self._painted)
        self._out.writelines(f"{line}\n" for line in lines)

    def _painted(self, text: str, colour: str) -> str:
        return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m" if self._colour and colour else text

    def _line(self, text: str = "", colour: str = "") -> None:
        self._out.write(self._painted(text, colour) + "\n")

    def _wrapped(self, text: str, indent: int, colour: str = "", hang: int = 0) -> None:
        for line in wrapped(text, self._columns - indent, hang=hang):
            self._line(" " * indent + line, colour)

    def _head(self, verdict: Word, number: int) -> None:
        word = tr(VERDICTS[verdict]).upper()
        servers = tr(count(number, "{n} server", "{n} servers"))
        self._wrapped(f"{word}  {servers}: {tr(MEANS[verdict])}", 0, verdict, hang=2)

    def _group(self, group: Group, now: str) -> None:
        self._line()
        if group.cause:
            name = plain(group.cause.removeprefix("error:"))
            title = f": {plain(tr(group.title))}" if group.title else ""
            servers = tr(count(len(group.servers), "{n} server", "{n} servers"))
            many = f" ({servers})" if len(group.servers) > 1 else ""
            self._wrapped(f"{name}{title}{many}", 2, "bold")
        if group.cause == _NO_TURN:
            self._wrapped(plain(listed(server.name for server in group.servers)), 4)
            if not self._goes_on:
                self._next(group)
            return
        columns = max(width(plain(server.name)) for server in group.servers)
        for server in group.servers:
            self._server(server, min(columns, 32), now, told=bool(group.title))
        self._next(group)

    def _server(self, server: ServerReport, columns: int, now: str, *, told: bool) -> None:
        about = [plain(server.address), os_words(server), license_words(server, now)]
        name = pad(plain(server.name), columns)
        self._wrapped(f"{name}  {' | '.join(part for part in about if part)}", 4, hang=2)
        for line in self._evidence(server, told=told):
            self._wrapped(line, 8, "dim", hang=2)

    def _evidence(self, server: ServerReport, *, told: bool) -> list[str]:
        """Why this server is here, a line each."""
        if server.error is not None:
            return [plain(tr(server.error.message))]
        first = lead(server)
        lines = [] if told or first is None else [plain(tr(first.summary))]
        if first is not None and first.evidence:
            lines.append(tr(say("seen: {what}", what=pairs(first.evidence))))
        lines += [
            _also(finding)
            for finding in server.findings
            if finding is not first and (finding.severity == "error" or self._everything)
        ]
        lines += [tr(say("not done: {why}", why=reason)) for reason in refusal_lines(server)]
        if server.resolved:
            lines.append(plain(tr(say("repaired: {what}", what=listed(server.resolved)))))
        results = [result for result in server.results if self._everything or not result.get("ok")]
        return lines + [result_line(result) for result in results]

    def _next(self, group: Group) -> None:
        """The command stays on one line, however long: it is there to be copied."""
        step = shared_step(group.servers, self._how)
        if step:
            self._line(f"    {tr(say('next: {step}', step=step))}")

    def _healthy(self) -> None:
        if self._tally.repaired:
            said = listed(f"{word} {n}" for word, n in self._tally.repaired.most_common())
            self._wrapped(plain(tr(say("repaired in this run: {what}", what=said))), 2)

    def _remarks(self, run: RunReport) -> None:
        """What is to be said of the run itself."""
        for remark in run.notes[run.stopped is not None :]:
            self._wrapped(plain(tr(say("note: {text}", text=remark))), 0, "bold", hang=2)

    def _totals(self, run: RunReport) -> None:
        summary = self._tally.summary()
        counts = [
            say("{n} {verdict}", n=number, verdict=VERDICTS[verdict])
            for verdict in reversed(WORST_FIRST)
            if (number := self._tally.verdicts[verdict])
        ]
        said = count(
            summary.servers,
            "{n} server: {counts}",
            "{n} servers: {counts}",
            counts=listed(counts) if counts else say("nothing to do"),
        )
        parts = [tr(said), duration(run.elapsed_s)]
        if run.command in {"activate", "demo"}:
            parts.insert(1, tr(say("changed {n}", n=summary.changed)))
        self._wrapped("; ".join(parts), 0, "bold", hang=2)


def _also(finding: Finding) -> str:
    """Another finding of the same server."""
    also = say(
        "also {id} ({severity}): {summary}",
        id=finding.id,
        severity=SEVERITIES[finding.severity],
        summary=finding.summary,
    )
    return plain(tr(also))
