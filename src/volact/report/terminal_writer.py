"""Text for a terminal: lines in colours, wrapped prose, headings and aligned tables.

Layout only.  Every string that comes in is safe for a terminal and translated.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import zip_longest
from typing import TextIO

import msgspec

from volact.report.terminal_safe import width
from volact.report.wrap import wrapped

COLOURS: dict[str, str] = {
    "not-started": "2",
    "unreachable": "1;35",
    "failed": "1;31",
    "attention": "1;33",
    "healthy": "1;32",
    "dim": "2",
    "bold": "1",
    "": "",
}


_READABLE = 20  # columns of text that are read as lines, not word by word


class Cell(msgspec.Struct, frozen=True):
    """One cell of a table; ``right`` aligns it, as numbers are."""

    text: str
    colour: str = ""
    right: bool = False


class TerminalWriter:
    """Writes text of at most ``columns`` (60 to 160) to a stream, in colours if asked to.

    ``TerminalWriter(out, columns=80).prose("A long sentence ...", indent=2)``
    """

    def __init__(self, out: TextIO, *, columns: int = 100, colour: bool = False) -> None:
        self.out = out
        self.columns = max(60, min(columns, 160))
        self._colour = colour

    def line(self, text: str = "", colour: str = "") -> None:
        """One line as it is."""
        self.out.write(self.painted(text, colour).rstrip() + "\n")

    def prose(self, text: str, indent: int = 0, colour: str = "", hang: int = 2) -> None:
        """A sentence, broken into lines."""
        for line in wrapped(text, self.columns - indent, hang=hang):
            self.line(" " * indent + line, colour)

    def heading(self, text: str) -> None:
        """The title of a part, after a free line."""
        self.line()
        self.line(text, "bold")

    def table(
        self,
        head: Sequence[str],
        rows: Sequence[Sequence[Cell]],
        indent: int = 2,
        *,
        fold: bool = True,
    ) -> None:
        """Aligned columns, each aligned as its cell of the first row; empty heads: no head.

        ``fold``: where a line has no room for them, cells of several words take several lines;
        a last column of sentences that would be narrow stands below its rows.
        """
        first = rows[0] if rows else [Cell("") for _ in head]
        top = [Cell(text, "dim", cell.right) for text, cell in zip(head, first, strict=True)]
        lines = [top, *rows] if any(head) else list(rows)
        if not lines:
            return
        room = self.columns - indent if fold else sys.maxsize
        sizes = _sizes(lines, room)
        below = _reads_badly([line[-1] for line in lines], sizes, room)
        if below:
            sizes = _sizes([line[:-1] for line in lines], room)
        for line in lines:
            parts = [_parts(cell, size) for cell, size in zip(line, sizes, strict=not below)]
            for row in zip_longest(*parts, fillvalue=Cell("")):
                cells = (self._cell(cell, size) for cell, size in zip(row, sizes, strict=True))
                self.line(" " * indent + "  ".join(cells))
            if below and line is not top:
                self.prose(line[-1].text, indent + 4, line[-1].colour)

    def fits(self, head: Sequence[str], rows: Sequence[Sequence[Cell]]) -> bool:
        """Whether a table without indent has room in a line."""
        columns = zip(head, *([cell.text for cell in row] for row in rows), strict=True)
        return sum(max(map(width, column)) + 2 for column in columns) - 2 <= self.columns

    def painted(self, text: str, colour: str) -> str:
        """The text in a colour, where there are colours."""
        code = COLOURS[colour]
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour and code and text else text

    def _cell(self, cell: Cell, size: int) -> str:
        space = " " * max(0, size - width(cell.text))
        shown = self.painted(cell.text, cell.colour)
        return space + shown if cell.right else shown + space


def _sizes(lines: Sequence[Sequence[Cell]], room: int) -> list[int]:
    """The widths of columns, down to their longest words where there is no room for more."""
    columns = [[cell.text for cell in column] for column in zip(*lines, strict=True)]
    sizes = [max(map(width, column)) for column in columns]
    least = [max(map(width, " ".join(column).split()), default=0) for column in columns]
    gaps = 2 * (len(sizes) - 1)
    over = sum(sizes) + gaps - room
    if sum(least) + gaps > room:  # folding would not help
        return sizes
    while over > 0:
        at = max(range(len(sizes)), key=lambda at: sizes[at] - least[at])
        sizes[at], over = sizes[at] - 1, over - 1
    return sizes


def _reads_badly(column: Sequence[Cell], sizes: Sequence[int], room: int) -> bool:
    """Whether a column of sentences has too little room beside the others."""
    wanted = max(width(cell.text) for cell in column)
    narrow = sizes[-1] < min(wanted, _READABLE) or sum(sizes) + 2 * (len(sizes) - 1) > room
    return len(sizes) > 1 and narrow and wanted > _READABLE and not column[-1].right


def _parts(cell: Cell, size: int) -> list[Cell]:
    if width(cell.text) <= size:
        return [cell]
    return [Cell(text, cell.colour, cell.right) for text in wrapped(cell.text, size)]
