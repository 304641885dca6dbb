"""``volact plan`` for a terminal: each server's steps in order, or why there are none.

Servers come as they finish; a plan is read per server, so nothing is grouped.
Servers with nothing to do are counted, not listed.
"""

from __future__ import annotations

from typing import TextIO

from volact.model.report import RunReport, ServerReport
from volact.report.base import Invocation
from volact.report.next_step import next_step
from volact.report.safe import plain
from volact.report.words import duration, lead, os_words, step_line


class PlanTextWriter:
    """The plan a person reads before saying yes."""

    def __init__(self, out: TextIO, how: Invocation, *, colour: bool = False) -> None:
        self._out = out
        self._how = how
        self._bold = ("\x1b[1m", "\x1b[0m") if colour else ("", "")
        self._planned = self._refused = self._nothing = self._unknown = 0

    def add(self, server: ServerReport) -> None:
        """Write one server's plan at once."""
        if server.error is not None:
            self._unknown += 1
            self._head(server)
            self._line(f"  cannot be examined: {server.error.kind}: {plain(server.error.message)}")
        elif server.plan:
            self._planned += 1
            self._head(server)
            self._steps(server)
        elif server.verdict == "healthy":
            self._nothing += 1
        else:
            self._refused += 1
            self._head(server)
            self._why_nothing(server)

    def finish(self, run: RunReport) -> None:
        """Write the counts."""
        counts = (
            f"{self._planned} to change, {self._nothing} already as they should be,"
            f" {self._refused} for a person, {self._unknown} not examined"
        )
        self._line(f"{counts}; {duration(run.elapsed_s)}. Nothing was changed.")
        if self._planned:
            selector = self._how.selector or "..."
            self._line(f"next: volact activate {selector}")

    def _head(self, server: ServerReport) -> None:
        start, end = self._bold
        about = " | ".join(part for part in (plain(server.address), os_words(server)) if part)
        self._line(f"{start}{plain(server.name)}{end}  {about}")

    def _steps(self, server: ServerReport) -> None:
        for number, step in enumerate(server.plan, 1):
            because = ", ".join(plain(str(word)) for word in step.get("because", ()))
            self._line(f"  {number}. {step_line(step)}{f'   ({because})' if because else ''}")
        self._refusals(server)
        self._line()

    def _why_nothing(self, server: ServerReport) -> None:
        first = lead(server)
        if server.reason:
            self._line(f"  no steps: {plain(server.reason)}")
        elif first is not None:
            self._line(f"  no steps: {first.id}: {plain(first.summary)}")
        self._refusals(server)
        self._line(f"  next: {next_step([server], self._how)}")
        self._line()

    def _refusals(self, server: ServerReport) -> None:
        for refusal in server.refusals:
            allow = f" (allow with {refusal['allow_with']})" if refusal.get("allow_with") else ""
            self._line(f"  not done: {plain(str(refusal.get('reason', '')))}{allow}")

    def _line(self, text: str = "") -> None:
        self._out.write(text + "\n")
