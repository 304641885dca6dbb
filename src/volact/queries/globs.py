"""Globs of names in the spelling of each database: ``*``, ``?``, ``[abc]`` and ``[!abc]``.

They match as ``fnmatch.fnmatchcase`` does: the whole name, heeding the case.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_PARTS = re.compile(r"\*|\?|\[(?P<no>!?)(?P<set>\]?[^\]]*)\]|.", re.DOTALL)


def is_glob(word: str) -> bool:
    """Whether a word is more than a name."""
    return any(sign in word for sign in "*?[")


def as_sqlite(glob: str) -> str:
    """The glob as SQLite's GLOB has it."""
    return "".join(_sqlite(glob))


def as_postgresql(glob: str) -> str:
    """The glob as a regular expression of PostgreSQL."""
    return "^(?:" + "".join(_regex(glob)) + ")$"


def _sqlite(glob: str) -> Iterator[str]:
    for part in _PARTS.finditer(glob):
        if part["set"]:
            yield f"[{'^' if part['no'] else ''}{part['set']}]"
        else:
            yield "[[]" if part[0] == "[" else part[0]


def _regex(glob: str) -> Iterator[str]:
    for part in _PARTS.finditer(glob):
        if part["set"]:
            inside = re.sub(r"([\\\[\]^])", r"\\\1", part["set"])
            yield f"[{'^' if part['no'] else ''}{inside}]"
        else:
            yield {"*": ".*", "?": "."}.get(part[0]) or re.escape(part[0])
