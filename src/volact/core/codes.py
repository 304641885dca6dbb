"""HRESULTs as text."""

from __future__ import annotations

from collections.abc import Mapping

from volact.model.profile import ErrorInfo
from volact.model.text import Text, clause, raw, ready, say


def hex_code(code: int) -> str:
    """``0xC004F074``, for a signed or an unsigned number."""
    return f"0x{code & 0xFFFFFFFF:08X}"


def named(code: int, errors: Mapping[int, ErrorInfo]) -> Text:
    """The code with its meaning, as part of a sentence."""
    info = errors.get(code & 0xFFFFFFFF)
    if info is None or not info.meaning or info.family == "name-only":
        return raw(hex_code(code))
    meaning = info.meaning.rstrip(".")
    return say(
        "{code}, {meaning}", code=hex_code(code), meaning=ready(meaning, shown=clause(meaning))
    )
