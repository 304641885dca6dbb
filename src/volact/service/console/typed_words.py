"""Words in one field of a form: names, tags and globs, quoted where they hold a separator."""

from __future__ import annotations

import re
from collections.abc import Iterable

from volact.errors import InputError
from volact.model.text import say

_QUOTED = r""""[^"]*"|'[^']*'"""
_WORD = re.compile(rf"""(?:{_QUOTED}|[^\s,"'])+""")
_PART = re.compile(rf"{_QUOTED}")
_SPECIAL = re.compile(r"""[\s,"']|^$""")


def words_of(text: str) -> tuple[str, ...]:
    """The words that were typed, between blanks or commas; ``InputError`` for an open quote."""
    if set("\"'") & set(_PART.sub("", text)):
        raise InputError(say("{text}: a quotation mark is not closed", text=text[:200]))
    return tuple(_PART.sub(lambda quoted: quoted[0][1:-1], word) for word in _WORD.findall(text))


def typed(words: Iterable[str]) -> str:
    """The text out of which ``words_of`` reads the same words."""
    return " ".join(_quoted(word) if _SPECIAL.search(word) else word for word in words)


def _quoted(word: str) -> str:
    """In quotes; each double quote of the word is in single ones."""
    return '"' + word.replace('"', '"\'"\'"') + '"'
