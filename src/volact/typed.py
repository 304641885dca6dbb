"""Words of a command line as a person types them, in the shell of this system.

For hints and next steps: what is printed can be copied.  ``platform`` is the system whose
shell it is, ``""`` for this one.  POSIX shells take single
quotes; cmd.exe and PowerShell both take double quotes and neither knows single ones
as cmd's.  Nothing keeps both of them from expanding ``$(…)`` or ``%…%`` in double quotes, so
names, which others choose, are typed by ``limit_word``, or not at all where ``is_typable``
says so.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterable

_PLAIN = re.compile(r"[\w+=:./\\-][\w@+=:./\\-]*")  # "@" begins an array in PowerShell
# What PowerShell or cmd.exe expands in double quotes, or ends them by.
_EXPANDED = re.compile('[$`%"“”„]')
# What separates, takes away, or is a glob in --limit.
_MEANT = re.compile(r"[,*?\[]|^[!&]|(?<=:)[!&]")
_SIGN = "[!0-9A-Za-z._-]"  # none that names mostly have


def quoted(word: str, platform: str = "") -> str:
    """One word, quoted where it needs to be."""
    if not _is_windows(platform):
        return shlex.quote(word)
    if _PLAIN.fullmatch(word):
        return word
    # A quote inside is doubled, for both shells; a backslash before the last quote too.
    inner = word.replace('"', '""')
    return f'"{inner}\\"' if inner.endswith("\\") else f'"{inner}"'


def joined(words: Iterable[str], platform: str = "") -> str:
    """Several words."""
    return " ".join(quoted(word, platform) for word in words)


def is_typable(word: str, platform: str = "") -> bool:
    """Whether a word that others chose reaches a program as it is, once quoted."""
    return not (_is_windows(platform) and _EXPANDED.search(word))


def limit_word(name: str, platform: str = "") -> str:
    """The word of ``--limit`` for a server of this name, not yet quoted.

    Where the name has signs that mean something there, or to a shell, it is a glob with any
    sign in their place: no other server should be meant.
    """
    word = "al[l]" if name == "all" else _MEANT.sub(_SIGN, name)
    return word if is_typable(word, platform) else _EXPANDED.sub(_SIGN, word)


def _is_windows(platform: str) -> bool:
    return (platform or sys.platform) == "win32"
