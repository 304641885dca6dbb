"""Two checks of the same servers side by side: verdicts and causes, before and after."""

from __future__ import annotations

from collections import Counter
from typing import TextIO

from volact.model.report import RunReport, ServerReport
from volact.model.text import say
from volact.report.base import Writer
from volact.report.run_counts import RunCounts
from volact.report.terminal_safe import pad, plain, width
from volact.report.words import COUNTED, VERDICTS
from volact.words import tr

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
        for name, _ in _ranked(before.causes, after.causes)
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


def _ranked(before: Counter[str], after: Counter[str]) -> list[tuple[str, int]]:
    both = Counter({name: max(before[name], after[name]) for name in {**before, **after}})
    return both.most_common(_CAUSES)


def _line(name: str, was: object, now: object, columns: int) -> str:
    numbers = (f"{' ' * (8 - width(str(number)))}{number}" for number in (was, now))
    return pad(name, columns) + "".join(numbers)
