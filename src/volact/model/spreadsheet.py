"""Text in a CSV file that no spreadsheet takes for a formula, and the same text again.

A semicolon begins a cell as well: where it separates cells, quotation marks inside do not count.
"""

from __future__ import annotations

import re

# What begins a formula, full-width forms too: spreadsheets of some languages take those.
_FORMULA = r"""(?=[\s'"]*+[=+@＝＋－＠-]|'*+[\t\r])"""
_BEGIN = re.compile(rf"(^|;\s*+){_FORMULA}")
_GUARDED = re.compile(rf"(^|;\s*+)'{_FORMULA}")
_WHOLE_GUARDED = re.compile(f"'{_FORMULA}")


def guarded(text: str, *, whole: bool = False) -> str:
    """The text with ``'`` before each part that a spreadsheet would compute.

    ``whole``: one part, in which a semicolon separates nothing.
    """
    if whole:
        return f"'{text}" if re.match(_FORMULA, text) else text
    return _BEGIN.sub(r"\1'", text)


def unguarded(text: str, *, whole: bool = False) -> str:
    """The text as it was before ``guarded``."""
    if whole:
        return text[1:] if _WHOLE_GUARDED.match(text) else text
    return _GUARDED.sub(r"\1", text)
