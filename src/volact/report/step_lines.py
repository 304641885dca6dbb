"""Sentences with commands in them as lines: prose, and commands to be copied whole.

What is a command is told by its type, never by how a line begins.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from volact.model.text import Commands, Text, count, say
from volact.report.terminal_safe import plain
from volact.report.wrap import wrapped
from volact.words import tr

_MARK = re.compile("\0([0-9]+)\0")
_JOINTS = " ,.;:，。；：、"  # what joins a sentence to the command before it


class Command(str):
    """A line that is typed as it stands, in the shell that it is quoted for."""

    __slots__ = ()


Lines = tuple[str, ...]  # prose, and each command


def lines_of(text: str) -> Lines:
    """A sentence in the reader's language, its commands on lines of their own."""
    found: list[Commands] = []
    pieces = _MARK.split(tr(_marked(text, found)))
    lines: list[str] = []
    for at, piece in enumerate(pieces):
        if at % 2:
            lines += [Command(plain(line)) for line in found[int(piece)].lines]
        elif prose := plain(piece.lstrip(_JOINTS) if at else piece).strip():
            lines.append(prose)
    return tuple(lines)


def _marked(value: str, found: list[Commands]) -> str:
    """The same with a mark for each command."""
    if isinstance(value, Commands):
        found.append(value)
        return f"\0{len(found) - 1}\0"
    if not isinstance(value, Text) or not value.template:
        return value
    args = {
        key: _marked(item, found) if isinstance(item, str) else item
        for key, item in value.args.items()
    }
    if value.many:
        return count(value.args["n"], value.template, value.many, **args)
    return say(value.template, **args)


def next_lines(lines: Lines, columns: int, indent: int) -> Iterator[str]:
    """The lines for a terminal, after the word next; a command is on one line, however long."""
    margin = " " * indent
    for at, line in enumerate(lines):
        said = line if at else tr(say("next: {step}", step=line))
        if isinstance(line, Command):
            yield f"{margin}{'  ' if at else ''}{said}"
        else:
            for part in wrapped(said, columns - indent - 2, hang=0 if at else 2):
                yield f"{margin}{'  ' if at else ''}{part}"


def in_one_line(lines: Sequence[str]) -> str:
    """The lines for where there is room for one."""
    said = [f"{line};" if isinstance(line, Command) else line for line in lines]
    return " ".join(said).removesuffix(";")
