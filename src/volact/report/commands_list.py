"""``volact plan --format commands``: what a person would type in cmd.exe, in order.

For one server these are the commands and nothing else, ready to be pasted;
for several each part begins with a ``rem`` line that names its server.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from volact.model.report import ServerReport
from volact.report.safe import plain
from volact.report.words import os_words

# Whatever a server says of itself must not become a line of its own here.
_LEFT_OUT = "rem a command is left out here: it holds characters that cannot be typed"


class CommandsWriter:
    """The console commands of each plan."""

    def __init__(self, out: TextIO, *, headings: bool) -> None:
        self._out = out
        self._headings = headings

    def add(self, server: ServerReport, commands: Sequence[str]) -> None:
        """Write one server's commands."""
        if self._headings:
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
