"""WQL: SELECT columns FROM class WHERE condition, read into values.

Only data queries.  Whether class and columns exist is decided in ``service``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from volact_lab import codes
from volact_lab.errors import LabError, WinFault

Cell = str | int | bool | None | tuple[str, ...]
Row = Mapping[str, Cell]  # by lower-case property name

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")|(?P<number>-?\d+)"
    r"|(?P<name>[A-Za-z_][\w.]*)|(?P<sign><>|!=|<=|>=|[=<>(),*]))"
)
# Which orders of the two sides (-1, 0, 1) make a comparison true.
_OPERATORS = {
    "=": (0,),
    "<>": (-1, 1),
    "!=": (-1, 1),
    "<": (-1,),
    "<=": (-1, 0),
    ">": (1,),
    ">=": (0, 1),
}
_LITERALS: dict[str, Cell] = {"null": None, "true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Comparison:
    """``column operator literal``."""

    column: str
    sign: str
    literal: Cell


@dataclass(frozen=True, slots=True)
class Both:
    """``a AND b`` or ``a OR b``."""

    word: str
    left: Condition
    right: Condition


Condition = Comparison | Both


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query; ``columns`` is empty for ``*``.  Names as typed."""

    columns: tuple[str, ...]
    class_name: str
    where: Condition | None

    def names(self) -> tuple[str, ...]:
        """Every property that the query mentions."""
        return (*self.columns, *(_columns(self.where) if self.where else ()))


def _columns(condition: Condition) -> tuple[str, ...]:
    if isinstance(condition, Comparison):
        return (condition.column,)
    return (*_columns(condition.left), *_columns(condition.right))


@lru_cache(maxsize=256)
def parse(text: str) -> Query:
    """Read a query; WinFault 0x80041017 when it is not one."""
    if text.lower().split(" ", 1)[0] in {"associators", "references"}:
        raise LabError(f"this kind of WMI query is not modelled: {text}")
    return _Parser(_tokens(text), text).query()


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    at = 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise WinFault(codes.WBEM_INVALID_QUERY, text)
        tokens.append((match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return tokens


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]], text: str) -> None:
        self._tokens = tokens
        self._text = text
        self._at = 0

    def _fault(self) -> WinFault:
        return WinFault(codes.WBEM_INVALID_QUERY, self._text)

    def _next(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise self._fault()
        self._at += 1
        return self._tokens[self._at - 1]

    def _word_is(self, *words: str) -> bool:
        ahead = self._tokens[self._at : self._at + 1]
        return bool(ahead) and ahead[0][0] != "text" and ahead[0][1].lower() in words

    def _expect(self, word: str) -> None:
        if not self._word_is(word):
            raise self._fault()
        self._at += 1

    def _name(self) -> str:
        kind, text = self._next()
        if kind != "name":
            raise self._fault()
        return text

    def query(self) -> Query:
        self._expect("select")
        columns: list[str] = []
        if self._word_is("*"):
            self._at += 1
        else:
            columns.append(self._name())
            while self._word_is(","):
                self._at += 1
                columns.append(self._name())
        self._expect("from")
        name = self._name()
        where = None
        if self._word_is("where"):
            self._at += 1
            where = self._any()
        if self._at != len(self._tokens):
            raise self._fault()
        return Query(tuple(columns), name, where)

    def _any(self) -> Condition:
        left = self._all()
        while self._word_is("or"):
            self._at += 1
            left = Both("or", left, self._all())
        return left

    def _all(self) -> Condition:
        left = self._one()
        while self._word_is("and"):
            self._at += 1
            left = Both("and", left, self._one())
        return left

    def _one(self) -> Condition:
        if self._word_is("("):
            self._at += 1
            inside = self._any()
            self._expect(")")
            return inside
        if self._word_is("not"):
            raise LabError(f"NOT in WMI queries is not modelled: {self._text}")
        column, (kind, sign) = self._name(), self._next()
        if kind == "name" and sign.lower() in {"like", "isa", "is"}:
            raise LabError(f"{sign} in WMI queries is not modelled: {self._text}")
        if sign not in _OPERATORS:
            raise self._fault()
        return Comparison(column, sign, self._literal())

    def _literal(self) -> Cell:
        kind, text = self._next()
        if kind == "text":
            return re.sub(r"\\(.)", r"\1", text[1:-1])
        if kind == "number":
            return int(text)
        if kind == "name" and text.lower() in _LITERALS:
            return _LITERALS[text.lower()]
        raise self._fault()


def matches(condition: Condition | None, row: Row) -> bool:
    """Whether a row fulfils a condition.  Strings compare without case."""
    if condition is None:
        return True
    if isinstance(condition, Both):
        left = matches(condition.left, row)
        if condition.word == "and":
            return left and matches(condition.right, row)
        return left or matches(condition.right, row)
    value, wanted = row[condition.column.lower()], condition.literal
    if wanted is None or value is None:
        same = value is None and wanted is None
        return same if condition.sign == "=" else not same and wanted is None
    if isinstance(value, str) and isinstance(wanted, str):
        a, b = value.lower(), wanted.lower()
        return (a > b) - (a < b) in _OPERATORS[condition.sign]
    if isinstance(value, int) and isinstance(wanted, int):
        return (value > wanted) - (value < wanted) in _OPERATORS[condition.sign]
    raise WinFault(codes.WBEM_INVALID_QUERY, f"{condition.column}: types differ")
