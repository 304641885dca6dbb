"""Making foreign text harmless before a person's terminal or spreadsheet sees it.

Text from a server (its name, an event's data, an error message) is data.  Here
it loses its power over terminals and spreadsheets; HTML has its own escaping
(``html_page``), JSON needs none.
"""

from __future__ import annotations

import unicodedata

from volact.model.spreadsheet import guarded

_SPACE = str.maketrans({"\n": " ", "\r": " ", "\t": " "})


def plain(text: str) -> str:
    """One line of text without anything a terminal would obey.

    Control characters, direction overrides, invisible characters and lone
    surrogates become their ``\\x1b`` form: visible, so that nothing is hidden.
    """
    if text.isascii() and text.isprintable():
        return str(text)
    return "".join(_visible(char) for char in text.translate(_SPACE))


def _visible(char: str) -> str:
    if char == " " or unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}:
        return char
    code = ord(char)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def csv_cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    clean = guarded(plain(text))
    return f"'{clean}" if text.startswith(("\t", "\r")) and clean[0] != "'" else clean


def width(text: str) -> int:
    """How many columns a line takes in a terminal."""
    if text.isascii():
        return len(text)
    return sum(_columns(char) for char in text)


def _columns(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1


def pad(text: str, columns: int) -> str:
    """Text filled up with spaces to a number of terminal columns."""
    return text + " " * max(0, columns - width(text))
