"""The text of an inventory file, in the encodings that programs of Windows save.

A byte order mark says which Unicode it is.  What the text means is the formats' affair.
"""

from __future__ import annotations

from pathlib import Path

from volact.errors import InputError, unreadable
from volact.model.text import say

_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def encoding_of(path: Path) -> str:
    """UTF-8, or what the byte order mark says."""
    with path.open("rb") as file:
        head = file.read(4)
    return next((name for mark, name in _MARKS if head.startswith(mark)), "utf-8")


def text_of(path: Path, shown: str) -> str:
    """What a file holds; ``InputError`` where it cannot be read."""
    try:
        return path.read_text(encoding_of(path))
    except OSError as error:
        raise unreadable(error, shown) from error
    except UnicodeError as error:
        raise InputError(say("is not UTF-8 text"), say("save it as UTF-8"), where=shown) from error
