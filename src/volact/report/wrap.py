"""Breaking prose into lines of a terminal, in scripts with and without spaces.  Pure."""

from __future__ import annotations

import re
import textwrap

from volact.report.terminal_safe import width

# Ideographs, kana and full-width signs: a line may break beside each of them...
_WIDE = r"[\u2e80-\u303f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uff60]"
_WORDS = re.compile(r"( *)([^ ]+)")
_PIECES = re.compile(rf"{_WIDE}|(?:(?!{_WIDE}).)+")
# ...but no line begins with a closing sign or ends with an opening one.
_CLOSING = set("，。、；：？！）》】」』”’％")
_OPENING = set("（《【「『“‘")
# A space at which no line breaks, such as one between a number and its unit.
TOGETHER = "\u00a0"
_UNIT = re.compile(r"(?<=\d) (?=(?:d|h|min|s|ms|hari|jam|menit|detik|天|小时|分|秒)\b)")


def wrapped(text: str, columns: int, *, hang: int = 0) -> list[str]:
    """Lines of at most so many columns; what cannot be broken stays whole."""
    text = _UNIT.sub(TOGETHER, text)
    if text.replace(TOGETHER, "").isascii():
        lines = textwrap.wrap(
            text,
            columns,
            subsequent_indent=" " * hang,
            break_long_words=False,
            break_on_hyphens=False,
        )
    else:
        lines = _by_units(text, columns, hang)
    return [line.replace(TOGETHER, " ") for line in lines]


def _by_units(text: str, columns: int, hang: int) -> list[str]:
    """The same for text with ideographs."""
    lines, line, taken = [], "", 0
    for unit, space in _units(text):
        size = width(unit)
        if not line.strip():
            line, taken = line + unit, taken + size
        elif taken + len(space) + size > columns:
            lines.append(line)
            line, taken = " " * hang + unit, hang + size
        else:
            line, taken = line + space + unit, taken + len(space) + size
    return [each for each in [*lines, line] if each.strip()]


def _units(text: str) -> list[tuple[str, str]]:
    """What is never broken, each with the spaces before it."""
    units: list[tuple[str, str]] = []
    for space, word in _WORDS.findall(text):
        for at, piece in enumerate(_PIECES.findall(word)):
            glued = units and at and (piece[0] in _CLOSING or units[-1][0][-1] in _OPENING)
            if glued:
                before, apart = units[-1]
                units[-1] = (before + piece, apart)
            else:
                units.append((piece, "" if at else space))
    return units
