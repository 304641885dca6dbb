"""The line numbers of tables and keys in a TOML file.

The TOML reader gives values without their places, and a file is corrected by
its line numbers.  This reads the text alone, knows tables, arrays of tables
and keys at the beginning of a line, and is used for messages only: the values
come from the reader.
"""

from __future__ import annotations

import re

_HEADER = re.compile(r"\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?")
_KEY = re.compile(r"""\s*("[^"]*"|'[^']*'|[A-Za-z0-9_-]+)\s*[.=]""")
_FENCE = re.compile(r'"""|' + r"'''")


class TomlLines:
    """Line numbers (from 1) of the tables and keys of one file."""

    def __init__(self, text: str) -> None:
        self._headers: dict[tuple[str, int], int] = {}
        self._keys: dict[tuple[str, int, str], int] = {}
        counts: dict[str, int] = {}
        table = ("", 0)
        fence = ""
        for number, line in enumerate(text.splitlines(), 1):
            if not fence:
                header = _HEADER.fullmatch(line)
                if header:
                    name = _bare(header[2])
                    table = (name, counts.get(name, 0))
                    counts[name] = table[1] + 1
                    self._headers.setdefault(table, number)
                elif key := _KEY.match(line):
                    self._keys.setdefault((*table, _bare(key[1])), number)
            fence = _fence_after(line, fence)

    def of(self, table: str, index: int = 0, key: str | None = None) -> int:
        """The line of a key, else of its table, else the first."""
        if key is not None and (table, index, key) in self._keys:
            return self._keys[(table, index, key)]
        if key is not None and not table:  # a key of the root is a table, or the first of several
            within = (n for (name, _), n in self._headers.items() if name.split(".")[0] == key)
            return next(within, 1)
        # A table written inline, ``server = [{...}]``, is a key of the root.
        return self._headers.get((table, index)) or self._keys.get(("", 0, table), 1)


def _bare(name: str) -> str:
    return re.sub(r"""\s*\.\s*""", ".", name.strip().replace('"', "").replace("'", ""))


def _fence_after(line: str, fence: str) -> str:
    """The delimiter of the multi-line string that is open after this line."""
    for mark in _FENCE.findall(line):
        if not fence:
            fence = mark
        elif mark == fence:
            fence = ""
    return fence
