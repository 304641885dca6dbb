"""Words of a command line as a person types them, in the shell of this system.

For hints and next steps: what is printed can be copied.  POSIX shells take single
quotes; cmd.exe and PowerShell both take double quotes and neither knows single ones
as cmd's.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterable

_PLAIN = re.compile(r"[\w@+=:./\\-]+")


def quoted(word: str, platform: str = sys.platform) -> str:
    """One word, quoted where it needs to be."""
    if platform != "win32":
        return shlex.quote(word)
    if _PLAIN.fullmatch(word):
        return word
    # A quote inside is doubled, for both shells; a backslash before the last quote too.
    inner = word.replace('"', '""')
    return f'"{inner}\\"' if inner.endswith("\\") else f'"{inner}"'


def joined(words: Iterable[str], platform: str = sys.platform) -> str:
    """Several words."""
    return " ".join(quoted(word, platform) for word in words)
