"""Text for a terminal as the memory verbs lay it out: lines, headings, aligned tables, bars.

Layout only.  Every string that comes in has been made safe and translated.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TextIO

import msgspec

from volact.core.licence_end import days_until
from volact.model.text import count, say
from volact.report.safe import plain, width
from volact.report.words import duration
from volact.report.wrap import wrapped
from volact.words import tr

COLOURS: dict[str, str] = {
    "unreachable": "1;35",
    "failed": "1;31",
    "attention": "1;33",
    "healthy": "1;32",
    "dim": "2",
    "bold": "1",
    "": "",
}
_BAR = 40


class Cell(msgspec.Struct, frozen=True):
    """One cell of a table; numbers stand to the right."""

    text: str
    colour: str = ""
    right: bool = False


class Paper:
    """What is written on."""

    def __init__(
        self,
        out: TextIO,
        now: datetime,
        *,
        columns: int = 100,
        colour: bool = False,
        store: str = "",
    ) -> None:
        """``store`` is what a next command needs to read the same store, ``""`` if nothing."""
        self._out = out
        self.now = now
        self.columns = max(60, min(columns, 160))
        self._colour = colour
        self._store = store

    def line(self, text: str = "", colour: str = "") -> None:
        """One line as it is."""
        self._out.write(self._painted(text, colour).rstrip() + "\n")

    def prose(self, text: str, indent: int = 0, colour: str = "", hang: int = 2) -> None:
        """A sentence, broken into lines."""
        for line in wrapped(text, self.columns - indent, hang=hang):
            self.line(" " * indent + line, colour)

    def heading(self, text: str) -> None:
        """The title of a part, after a free line."""
        self.line()
        self.line(text, "bold")

    def more(self, number: int) -> None:
        """How many more there are than are shown, if there are any."""
        if number > 0:
            words = count(
                number,
                "and {n} more; --output csv lists all",
                "and {n} more; --output csv lists all",
            )
            self.line(f"  {tr(words)}", "dim")

    def following(self, command: str) -> None:
        """The exact next command, whole on its line, however long."""
        self.line(tr(say("next: {step}", step=f"{command}{self._store}")))

    def table(self, head: Sequence[str], rows: Sequence[Sequence[Cell]], indent: int = 2) -> None:
        """Aligned columns; a column is as its first row's cell stands."""
        if not rows:
            return
        top = [Cell(text, "dim", cell.right) for text, cell in zip(head, rows[0], strict=True)]
        lines = [top, *rows] if any(head) else list(rows)
        widths = [max(width(line[at].text) for line in lines) for at in range(len(rows[0]))]
        for line in lines:
            cells = (self._cell(cell, size) for cell, size in zip(line, widths, strict=True))
            self.line(" " * indent + "  ".join(cells))

    def _cell(self, cell: Cell, size: int) -> str:
        space = " " * max(0, size - width(cell.text))
        shown = self._painted(cell.text, cell.colour)
        return space + shown if cell.right else shown + space

    def _painted(self, text: str, colour: str) -> str:
        code = COLOURS[colour]
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour and code and text else text


def bar(servers: int, most: int) -> str:
    """A bar of a histogram; whatever is there is seen."""
    return "#" * (max(1, round(_BAR * servers / most)) if servers else 0)


def number(value: int, colour: str = "") -> Cell:
    """A count; none is a dash that does not draw the eye."""
    return Cell(str(value), colour, True) if value else Cell("-", "dim", True)


def moment(text: str | None) -> str:
    """A moment to the minute, UTC."""
    return plain((text or "")[:16].replace("T", " "))


def ago(text: str | None, now: datetime) -> str:
    """How long before now."""
    days = days_until(text, now)
    if days is None:
        return tr(say("never"))
    return tr(say("{span} ago", span=duration(max(0.0, -days) * 86400)))


def some(names: Sequence[str], of: int) -> str:
    """Names, and how many more there are."""
    shown = ", ".join(plain(name) for name in names)
    more = of - len(names)
    if more <= 0:
        return shown
    return f"{shown} {tr(count(more, 'and {n} more', 'and {n} more'))}"


def cut(text: str, columns: int) -> str:
    """At most so many columns of a name."""
    if width(text) <= columns:
        return text
    kept = text[: 2 * columns]  # a name may be as long as a hostile server likes
    while width(kept) > columns - 1:
        kept = kept[:-1]
    return f"{kept}…"
