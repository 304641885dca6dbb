"""The arithmetic of ``set /a``: whole numbers, ``+ - * / %`` and parentheses."""

from __future__ import annotations

import re
from collections.abc import Callable

from volact_lab.errors import LabError

_TOKEN = re.compile(r"\s*(0x[0-9a-fA-F]+|\d+|[A-Za-z_]\w*|[-+*/%()])")


def evaluate(text: str, lookup: Callable[[str], str]) -> int:
    """The value of an expression; names are variables."""
    tokens = _TOKEN.findall(text)
    if "".join(tokens) != re.sub(r"\s", "", text) or not tokens:
        raise LabError(f"this arithmetic is not modelled: {text}")
    value, rest = _sum(tokens, lookup)
    if rest:
        raise LabError(f"this arithmetic is not modelled: {text}")
    return value


Result = tuple[int, list[str]]


def _sum(tokens: list[str], lookup: Callable[[str], str]) -> Result:
    value, rest = _product(tokens, lookup)
    while rest and rest[0] in "+-":
        sign = rest[0]
        right, rest = _product(rest[1:], lookup)
        value = value + right if sign == "+" else value - right
    return value, rest


def _product(tokens: list[str], lookup: Callable[[str], str]) -> Result:
    value, rest = _atom(tokens, lookup)
    while rest and rest[0] in "*/%":
        sign = rest[0]
        right, rest = _atom(rest[1:], lookup)
        if sign == "*":
            value *= right
        elif right == 0:
            raise LabError("division by zero in set /a")
        else:
            quotient = abs(value) // abs(right) * (1 if (value < 0) == (right < 0) else -1)
            value = quotient if sign == "/" else value - quotient * right
    return value, rest


def _atom(tokens: list[str], lookup: Callable[[str], str]) -> Result:
    if not tokens:
        raise LabError("an expression of set /a ends too early")
    first, rest = tokens[0], tokens[1:]
    if first in "+-":
        value, rest = _atom(rest, lookup)
        return (-value if first == "-" else value), rest
    if first == "(":
        value, rest = _sum(rest, lookup)
        if rest[:1] != [")"]:
            raise LabError("a parenthesis of set /a is not closed")
        return value, rest[1:]
    if first[0].isdigit():
        return int(first, 0), rest
    return int(lookup(first) or "0", 0), rest
