"""The report for a terminal: worst first, one cause one group, healthy ones as a count.

Layout only; the words come from ``words.py``, the grouping from ``group.py``.
Keeps the rows that need a person and counts the rest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from volact.core.main_cause import lead
from volact.model.finding import Finding
from volact.model.report import RunReport, ServerReport, Verdict
from volact.model.text import Text, clauses, count, listed, ready, say
from volact.report.base import Invocation
from volact.report.group import HEADING, CauseGroup, cluster_lines, groups
from volact.report.next_step import same_servers, shared_step
from volact.report.note import note
from volact.report.run_counts import RunCounts
from volact.report.step_lines import Command, lines_of, next_lines
from volact.report.terminal_safe import pad, plain, width
from volact.report.terminal_writer import TerminalWriter
from volact.report.words import (
    SEVERITIES,
    VERDICTS,
    WORST_FIRST,
    accepted_words,
    duration,
    license_words,
    meaning_of,
    os_words,
    pairs,
    readable,
    refusal_lines,
    result_line,
    servers_counted,
)
from volact.report.wrap import TOGETHER
from volact.words import tr

# Servers of a cause with their details, and names of others, unless everything is asked for.
_SHOWN = 10
_NAMED = 40
# One sentence covers all of them.
_NO_TURN = "error:not-begun"


class TextWriter:
    """The table of several servers."""

    def __init__(
        self, terminal: TerminalWriter, how: Invocation, *, everything: bool = False
    ) -> None:
        self._out = terminal
        self._how = how
        self._everything = everything
        self._counts = RunCounts()
        self._kept: list[ServerReport] = []
        self._first: ServerReport | None = None
        self._goes_on = False  # the command to go on with stands at the top

    def add(self, server: ServerReport) -> None:
        """Keep a notable server, count a healthy one."""
        self._counts.add(server)
        self._first = self._first or server
        if server.verdict != "healthy" or self._everything:
            self._kept.append(server)

    def finish(self, run: RunReport) -> None:
        """Write everything: one server gets a note, several a table."""
        self._stopped(run)
        if self._first is not None and self._counts.verdicts.total() == 1:
            self._note(self._first, run.started)
            self._remarks(run)
            return
        self._clusters(run)
        grouped = groups(self._kept)
        for verdict in WORST_FIRST:
            number = self._counts.verdicts[verdict]
            if number:
                self._head(verdict, number)
                for group in grouped:
                    if group.verdict == verdict:
                        self._group(group, run.started)
                if verdict == "healthy":
                    self._accepted()
                self._out.line()
        self._remarks(run)
        self._repaired()
        self._causes(grouped)
        self._totals(run)
        if run.command == "check" and self._counts.verdicts["attention"]:
            self._command(same_servers("plan", self._how))

    def _repaired(self) -> None:
        """What was resolved on all servers, also on those where something else still stands."""
        if self._counts.repaired:
            # Servers end in any order: ids with the same number stand by their names.
            said = _counted(Counter(dict(sorted(self._counts.repaired.items()))))
            self._out.prose(tr(say("repaired in this run: {what}", what=said)), 0, hang=2)

    def _causes(self, grouped: Sequence[CauseGroup]) -> None:
        """How many servers have each cause, where the groups fill screens."""
        counts = Counter[str]()
        for group in grouped:
            if group.verdict != "healthy" and group.cause:
                counts[group.cause.removeprefix("error:")] += len(group.servers)
        if counts.total() > _SHOWN:
            said = say("servers by cause: {counts}", counts=_counted(counts))
            self._out.prose(tr(said), 0, hang=2)

    def _command(self, command: Command) -> None:
        if command:
            self._out.line(tr(say("next: {step}", step=command)))

    def _stopped(self, run: RunReport) -> None:
        """That not every server had its turn, before anything else."""
        if run.stopped is None:
            return
        self._out.prose(plain(tr(run.stopped.message)), 0, "failed", hang=2)
        self._goes_on = bool(run.stopped.command)
        if self._goes_on:
            self._out.line(f"  {tr(say('to continue: {command}', command=run.stopped.command))}")
        self._out.line()

    def _clusters(self, run: RunReport) -> None:
        """What many servers have in common, before they are listed."""
        lines = list(cluster_lines(run.clusters))
        if lines:
            self._out.line(tr(HEADING), "bold")
            for line in lines:
                self._out.prose(line, 2, hang=2)
            self._out.line()

    def _note(self, server: ServerReport, now: str) -> None:
        lines = note(server, self._how, now, columns=self._out.columns, paint=self._out.painted)
        for line in lines:
            self._out.line(line)

    def _head(self, verdict: Verdict, number: int) -> None:
        word = tr(VERDICTS[verdict]).upper()
        servers = count(number, "{n} server", "{n} servers")
        means = meaning_of(verdict, accepted=bool(self._counts.accepted))
        said = tr(say("{servers}: {meaning}", servers=servers, meaning=means))
        self._out.prose(f"{word}  {said}", 0, verdict, hang=2)

    def _group(self, group: CauseGroup, now: str) -> None:
        self._out.line()
        if group.cause or group.verdict != "healthy":
            name = plain(group.cause.removeprefix("error:"))
            title: Text = ready(group.title)
            if len(group.servers) > 1:
                title = say("{title} ({n} servers)", title=title, n=len(group.servers))
            said = say("{id}: {summary}", id=name, summary=title) if name else title
            self._out.prose(plain(tr(said)), 2, "bold", hang=0)
        if group.cause == _NO_TURN:
            self._out.prose(plain(listed(server.name for server in group.servers)), 4, hang=0)
            if not self._goes_on:
                self._next(group)
            return
        errors = {server.error.message for server in group.servers if server.error}
        one = len(errors) == 1 < len(group.servers)
        if one:
            self._said(lines_of(errors.pop()), 4)
        columns = max(width(plain(server.name)) for server in group.servers)
        few = self._everything or len(group.servers) <= _SHOWN + 2
        shown = group.servers if few else group.servers[:_SHOWN]
        for server in shown:
            self._server(server, min(columns, 32), now, told=one if errors else group.shared)
        if rest := [plain(server.name) for server in group.servers[len(shown) :]]:
            names = listed([*rest[:_NAMED], *(["…"] if rest[_NAMED:] else [])])
            more = say("and {n} more (-v shows each): {names}", n=len(rest), names=names)
            self._out.prose(tr(more), 4, "dim", hang=2)
        self._next(group)

    def _server(self, server: ServerReport, columns: int, now: str, *, told: bool) -> None:
        about = [plain(server.address), os_words(server), license_words(server, now)]
        parts = " | ".join(part.replace(" ", TOGETHER) for part in about if part)
        self._out.prose(f"{pad(plain(server.name), columns)}  {parts}", 4, hang=2)
        self._said(self._evidence(server, told=told), 8)

    def _said(self, lines: Sequence[str], indent: int) -> None:
        """Sentences, and commands that are to be copied whole."""
        for line in lines:
            if isinstance(line, Command):
                self._out.line(f"{' ' * indent}  {line}")
            else:
                self._out.prose(line, indent, "dim", hang=2)

    def _evidence(self, server: ServerReport, *, told: bool) -> list[str]:
        """Why this server is here, a line each."""
        if server.error is not None:
            return [] if told else [*lines_of(server.error.message)]
        first = lead(server)
        lines = [] if told or first is None else [plain(tr(first.summary))]
        seen = first.evidence if first is not None else {}
        if evidence := readable(seen, everything=self._everything):
            lines.append(tr(say("evidence: {what}", what=pairs(evidence))))
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

    def _next(self, group: CauseGroup) -> None:
        for line in next_lines(shared_step(group.servers, self._how), self._out.columns, 4):
            self._out.line(line)

    def _accepted(self) -> None:
        if self._counts.accepted:
            said = _counted(self._counts.accepted)
            self._out.prose(tr(say("accepted: {what}", what=said)), 2, hang=0)

    def _remarks(self, run: RunReport) -> None:
        """The notes on the run itself."""
        for remark in run.notes[run.stopped is not None :]:
            for at, line in enumerate(lines_of(say("note: {text}", text=remark))):
                if isinstance(line, Command):
                    self._out.line(f"  {line}")
                else:
                    self._out.prose(line, 2 * bool(at), "bold", hang=2 * (not at))

    def _totals(self, run: RunReport) -> None:
        summary = self._counts.summary()
        said = servers_counted(summary)
        if run.command in {"activate", "demo"}:
            said = clauses([said, say("changed {n}", n=summary.changed)])
        self._out.prose(tr(clauses([said, duration(run.elapsed_s)])), 0, "bold", hang=2)


def _counted(counts: Counter[str]) -> Text:
    """``key-missing 3, clock-skew 1``."""
    return listed(f"{plain(name)}{TOGETHER}{n}" for name, n in counts.most_common())


def _also(finding: Finding) -> str:
    """Another finding of the same server."""
    also = say(
        "also {id} ({severity}): {summary}",
        id=finding.id,
        severity=SEVERITIES[finding.severity],
        summary=finding.summary,
    )
    why = accepted_words(finding)
    return plain(tr(also)) + (f" ({why})" if why else "")
