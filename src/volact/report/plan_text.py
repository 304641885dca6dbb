"""``volact plan`` for a terminal: each server's steps in order, or why there are none.

A plan is read per server, so nothing is grouped; servers are in the order of their
names.  Those with nothing to do are counted, not listed.  ``--format commands`` has
what a person would type in cmd.exe instead: for one server the commands and nothing
else, for several a ``rem`` line before each server's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from volact.core.main_cause import lead
from volact.model.report import RunReport, ServerReport
from volact.model.text import Text, listed, say
from volact.report.base import Invocation
from volact.report.group import natural
from volact.report.next_step import next_step, same_servers
from volact.report.step_lines import next_lines
from volact.report.terminal_safe import plain
from volact.report.terminal_writer import TerminalWriter
from volact.report.words import (
    ERROR_NAMES,
    accepted_ids,
    duration,
    os_words,
    refusal_lines,
    step_line,
)
from volact.report.wrap import wrapped
from volact.words import tr

_SHOWN = 10  # servers with the same plan that have a line each; the others are named


class PlanTextWriter:
    """The plan a person reads before saying yes: servers with the same one together."""

    def __init__(self, terminal: TerminalWriter, how: Invocation) -> None:
        self._terminal, self._out = terminal, terminal.out
        self._how = how
        self._painted, self._columns = terminal.painted, terminal.columns
        self._planned = self._refused = self._nothing = self._unknown = 0
        self._accepted = False
        self._parts: dict[str, list[tuple[str, str]]] = {}  # what is to be done: name and head
        self._lines: list[str] = []

    def add(self, server: ServerReport) -> None:
        """Keep one server's plan as text."""
        if server.error is not None:
            self._unknown += 1
            self._head(server)
            lost = say(
                "cannot be examined: {kind}: {message}",
                kind=ERROR_NAMES[server.error.kind],
                message=server.error.message,
            )
            self._prose(plain(tr(lost)))
            self._line()
        elif server.plan:
            self._planned += 1
            self._head(server)
            self._steps(server)
        elif server.verdict == "healthy":
            self._nothing += 1
            self._accepted |= bool(accepted_ids(server))
        else:
            self._refused += 1
            self._head(server)
            self._why_nothing(server)
        if self._lines:
            head, *body = self._lines
            self._parts.setdefault("".join(body), []).append((server.name, head))
            self._lines = []

    def finish(self, run: RunReport) -> None:
        """Write everything, and the counts."""
        self.write_plans()
        for remark in run.notes:
            self._terminal.prose(plain(tr(say("note: {text}", text=remark))))
        self._terminal.prose(tr(self._counts(duration(run.elapsed_s))))
        if self._planned and (command := same_servers("activate", self._how)):
            self._out.write(tr(say("next: {step}", step=command)) + "\n")

    def _counts(self, took: str) -> Text:
        given = {
            "planned": self._planned,
            "right": self._nothing,
            "person": self._refused,
            "unknown": self._unknown,
            "took": took,
        }
        if self._accepted:
            return say(
                "{planned} to change, {right} activated or accepted with no other problems, "
                "{person} need attention, {unknown} not examined; {took}. Nothing was changed.",
                **given,
            )
        return say(
            "{planned} to change, {right} activated with no problems, {person} need attention, "
            "{unknown} not examined; {took}. Nothing was changed.",
            **given,
        )

    def write_plans(self) -> None:
        """Write the plans alone."""
        for heads in self._parts.values():
            heads.sort(key=lambda head: natural(head[0]))
        for body, heads in sorted(self._parts.items(), key=lambda part: natural(part[1][0][0])):
            shown = heads if len(heads) <= _SHOWN + 2 else heads[:_SHOWN]
            self._out.writelines(head for _, head in shown)
            if rest := [plain(name) for name, _ in heads[len(shown) :]]:
                more = say("and {n} more: {names}", n=len(rest), names=listed(rest))
                self._terminal.prose(tr(more), 0, hang=2)
            self._out.write(body)

    def _head(self, server: ServerReport) -> None:
        about = " | ".join(part for part in (plain(server.address), os_words(server)) if part)
        self._line(f"{self._painted(plain(server.name), 'bold')}  {about}")

    def _steps(self, server: ServerReport) -> None:
        for number, step in enumerate(server.plan, 1):
            because = ", ".join(plain(str(word)) for word in step.get("because", ()))
            self._prose(f"{number}. {step_line(step)}{f'   ({because})' if because else ''}", 3)
        self._refusals(server)
        self._line()

    def _why_nothing(self, server: ServerReport) -> None:
        first = lead(server)
        if server.reason:
            self._prose(plain(tr(say("no steps: {why}", why=server.reason))))
        elif first is not None:
            why = say("{id}: {summary}", id=first.id, summary=first.summary)
            self._prose(plain(tr(say("no steps: {why}", why=why))))
        self._refusals(server)
        for line in next_lines(next_step([server], self._how), self._columns, 2):
            self._line(line)
        self._line()

    def _refusals(self, server: ServerReport) -> None:
        for reason in refusal_lines(server):
            self._prose(tr(say("not done: {why}", why=reason)))

    def _line(self, text: str = "") -> None:
        self._lines.append(text + "\n")

    def _prose(self, text: str, hang: int = 2) -> None:
        self._lines += [f"  {line}\n" for line in wrapped(text, self._columns - 2, hang=hang)]


# No text from a server may become a line of its own here.
_LEFT_OUT = "rem a command is left out here: it holds characters that cannot be typed"


class CommandsWriter:
    """The console commands of each plan."""

    def __init__(self, out: TextIO, *, headings: bool) -> None:
        self._out = out
        self._headings = headings

    def add(self, server: ServerReport, commands: Sequence[str]) -> None:
        """Write one server's commands."""
        if self._headings or not commands:  # an empty output says nothing
            about = ", ".join(part for part in (plain(server.address), os_words(server)) if part)
            self._out.write(f"rem {plain(server.name)} ({about}){_nothing(server, commands)}\n")
        for command in commands:
            self._out.write(f"{command if plain(command) == command else _LEFT_OUT}\n")


def _nothing(server: ServerReport, commands: Sequence[str]) -> str:
    if commands:
        return ""
    if server.error is not None:
        return f": cannot be examined: {server.error.kind}"
    return ": nothing to do" if server.verdict == "healthy" else ": nothing that volact would do"
