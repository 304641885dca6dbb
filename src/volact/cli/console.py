"""Standard output and error: colours, width, and the encoding of redirected output.

Data goes to standard output, everything else to standard error.
"""

from __future__ import annotations

import io
import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TextIO

from volact.errors import InputError
from volact.model.text import say
from volact.report.json_document import encode
from volact.report.terminal_safe import plain
from volact.report.terminal_writer import Cell, TerminalWriter
from volact.words import tr


def use_stdout(format_: str) -> TextIO:
    """Standard output for a format: data is UTF-8 on every system."""
    out = sys.stdout
    if isinstance(out, io.TextIOWrapper):
        if format_ == "text":
            out.reconfigure(errors="backslashreplace")
        else:
            out.reconfigure(encoding="utf-8", errors="backslashreplace", newline="")
    return out


def write_answer(output: str, value: object, text: Callable[[], str]) -> None:
    """A value as one line of JSON, or else as text, on standard output."""
    out = use_stdout(output)
    out.write(f"{encode(value)}\n" if output == "json" else text())


def write_line(line: str) -> None:
    """One line on standard error, translated, at once."""
    sys.stderr.write(f"{tr(line)}\n")
    sys.stderr.flush()


def wants_colour(stream: TextIO, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether to use colours: on a terminal that supports them, unless NO_COLOR is set."""
    if environ.get("NO_COLOR") or environ.get("TERM") == "dumb":
        return False
    return stream.isatty() and (os.name != "nt" or "WT_SESSION" in environ or "TERM" in environ)


def require_terminal(hint: str) -> None:
    """``InputError`` where nothing can be asked."""
    if not sys.stdin.isatty():
        raise InputError(say("cannot ask for confirmation: standard input is not a terminal"), hint)


def columns_of(stream: TextIO) -> int:
    """The width of a line."""
    return shutil.get_terminal_size((100, 24)).columns if stream.isatty() else 100


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows as aligned columns under a head, translated; every cell is escaped."""
    out = io.StringIO()
    cells = [[Cell(plain(cell)) for cell in row] for row in rows]
    writer = TerminalWriter(out, columns=columns_of(sys.stdout))
    writer.table([tr(word) for word in head], cells, indent=0, fold=sys.stdout.isatty())
    return out.getvalue()
