"""Host patterns such as ``web[01:50].example.com:2222`` into names and a port.  Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product

from volact.errors import InputError
from volact.inventory.target import is_six
from volact.model.text import say

_RANGE = re.compile(r"\[(?P<begin>\w*):(?P<end>\w+)(?::(?P<step>\d+))?\]", re.ASCII)
_PORT = re.compile(r"(?P<name>\[[^\]]+\]|(?:[^:\[\]]|\[[^\]]*\])+):(?P<port>\d+)")
_MOST = 100_000
_DIGITS = 18  # of a number in a range


def expand(pattern: str) -> tuple[list[str], str]:
    """The hosts that a pattern stands for, and the port behind it or ``""``."""
    if is_six(pattern):
        return [pattern], ""
    match = _PORT.fullmatch(pattern)
    name, port = (match["name"], match["port"]) if match else (pattern, "")
    inner = name[1:-1] if name.startswith("[") and name.endswith("]") else ""
    return ([inner] if is_six(inner) else _names(name)), port


def _names(name: str) -> list[str]:
    """Every name of a pattern; several ranges are multiplied."""
    parts = _RANGE.split(name)[:: _RANGE.groups + 1]
    ranges = [_range(match) for match in _RANGE.finditer(name)]
    total = 1
    for words in ranges:
        total *= len(words)
    if total > _MOST:
        raise InputError(
            say(
                "{name} stands for {total} hosts, more than {most}",
                name=name,
                total=total,
                most=_MOST,
            )
        )
    return ["".join(_woven(parts, words)) for words in product(*ranges)]


def _woven(parts: list[str], words: tuple[str, ...]) -> Iterator[str]:
    for part, word in zip(parts, (*words, ""), strict=True):
        yield part
        yield word


def _range(match: re.Match[str]) -> list[str]:
    begin, end = match["begin"] or "0", match["end"]
    if max(map(len, (begin, end, match["step"] or ""))) > _DIGITS:
        raise InputError(say("a range has a number of more than {digits} digits", digits=_DIGITS))
    step = int(match["step"] or 1)
    if step < 1:
        raise InputError(say("{match}: a step is at least 1", match=match[0]))
    if begin.isdigit() and end.isdigit():
        if begin.startswith("0") and len(begin) > 1 and len(begin) != len(end):
            raise InputError(
                say("{match}: both ends need the same number of digits", match=match[0])
            )
        numbers = range(int(begin), int(end) + 1, step)
        if len(numbers) > _MOST:
            raise InputError(
                say(
                    "{match} stands for {n} hosts, more than {most}",
                    match=match[0],
                    n=len(numbers),
                    most=_MOST,
                )
            )
        words = [str(number).zfill(len(begin)) for number in numbers]
    elif len(begin) == len(end) == 1 and begin.isalpha() and end.isalpha():
        words = [chr(code) for code in range(ord(begin), ord(end) + 1, step)]
    else:
        raise InputError(say("{match}: a range is of numbers or of single letters", match=match[0]))
    if not words:
        raise InputError(say("{match}: a range begins with its smaller end", match=match[0]))
    return words
