"""The counts of a run while it streams: the summary and the exit code.

Counts only, never rows: a run over ten thousand servers takes no more memory than a
run over ten.  An undo has an exit code of its own: a server that is as it was before a
run may well need attention, which is what was asked for.  The counts of two checks can be
shown side by side.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TextIO

import msgspec

from volact.core.main_cause import lead
from volact.model.report import RunReport, ServerReport, Summary, counts_of
from volact.model.text import say
from volact.model.undo import UndoRow
from volact.report.base import Writer
from volact.report.terminal_safe import pad, plain, width
from volact.report.words import COUNTED, ERROR_NAMES, VERDICTS, accepted_ids
from volact.words import tr

ALL_WELL = 0
ATTENTION = 3
UNEXAMINED = 4


class RunCounts:
    """The counts of a run."""

    def __init__(self, servers: Iterable[ServerReport] = ()) -> None:
        self.verdicts: Counter[str] = Counter()
        self.repaired: Counter[str] = Counter()
        self.causes: Counter[str] = Counter()
        self.accepted: Counter[str] = Counter()
        self.changed = 0
        for server in servers:
            self.add(server)

    def add(self, server: ServerReport) -> None:
        """Count one server."""
        self.verdicts[server.verdict] += 1
        self.changed += server.changed
        self.repaired.update(dict.fromkeys(server.resolved, 1))
        self.causes.update(list(causes(server)))
        self.accepted.update(accepted_ids(server))

    def summary(self) -> Summary:
        """The counts as the document has them."""
        return Summary(**counts_of(self.verdicts), changed=self.changed)

    def exit_code(self) -> int:
        """What the run says to a script."""
        return exit_code(self.summary())


def causes(server: ServerReport) -> dict[str, str]:
    """Everything that stands against a server, each with its severity."""
    found = {
        finding.id: str(finding.severity)
        for finding in server.findings
        if finding.severity in ("error", "warning")
    }
    if (first := lead(server)) is not None:
        found.setdefault(first.id, "warning")
    if server.error is not None and server.verdict != "not-started":
        found[ERROR_NAMES[server.error.kind]] = "error"
    return found


def exit_code(summary: Summary) -> int:
    """The exit code of the run: unexamined outranks attention."""
    if summary.unreachable or summary.not_started:
        return UNEXAMINED
    return ATTENTION if summary.attention or summary.failed else ALL_WELL


UNDO_WELL = ("undone", "nothing")


def undo_of(server: ServerReport) -> UndoRow | None:
    """The outcome of the undo; ``None`` where the server was not examined."""
    if server.error is not None or isinstance(server.undo, msgspec.UnsetType):
        return None
    return server.undo


class UndoCounts(RunCounts):
    """The counts of an undo."""

    def __init__(self) -> None:
        self.words: Counter[str] = Counter()
        super().__init__()

    def add(self, server: ServerReport) -> None:
        """Count one server."""
        super().add(server)
        row = undo_of(server)
        self.words[row.word if row else "unreachable"] += 1

    def exit_code(self) -> int:
        """0: all that could be undone is; 3: something could not; 4: a server was not reached."""
        if self.words["unreachable"]:
            return UNEXAMINED
        return ATTENTION if self.words.total() > sum(self.words[w] for w in UNDO_WELL) else ALL_WELL


_CAUSES = 16


class ComparingWriter:
    """Another writer's report, headed by the counts before and now."""

    def __init__(self, out: TextIO, before: RunCounts, inner: Writer) -> None:
        self._out = out
        self._before = before
        self._after = RunCounts()
        self._inner = inner

    def add(self, server: ServerReport) -> None:
        """Count one server and hand it on."""
        self._after.add(server)
        self._inner.add(server)

    def finish(self, run: RunReport) -> None:
        """Write the table, then the other writer's report."""
        self._out.write(before_after(self._before, self._after) + "\n")
        self._inner.finish(run)


def before_after(before: RunCounts, after: RunCounts) -> str:
    """A small table: how many servers had each verdict and each cause."""
    verdicts = [
        (tr(VERDICTS[verdict]), before.verdicts[verdict], after.verdicts[verdict])
        for verdict in COUNTED
        if before.verdicts[verdict] or after.verdicts[verdict]
    ]
    causes = [
        (plain(tr(name)), before.causes[name], after.causes[name])
        for name, _ in (before.causes | after.causes).most_common(_CAUSES)
    ]
    heads = [tr(say("verdict")), tr(say("cause"))]
    names = [*heads, *(name for name, _, _ in [*verdicts, *causes])]
    columns = max(width(name) for name in names) + 2
    times = (tr(say("before")), tr(say("now")))
    lines = [_line(heads[0], *times, columns)]
    lines += [_line(name, was, now, columns) for name, was, now in verdicts]
    if causes:
        lines += ["", _line(heads[1], *times, columns)]
        lines += [_line(name, was, now, columns) for name, was, now in causes]
    return "".join(f"{line}\n" for line in lines)


def _line(name: str, was: object, now: object, columns: int) -> str:
    numbers = (f"{' ' * (8 - width(str(number)))}{number}" for number in (was, now))
    return pad(name, columns) + "".join(numbers)
