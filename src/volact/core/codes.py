"""HRESULTs as text."""

from __future__ import annotations

from collections.abc import Mapping

from volact.model.profile import ErrorInfo
from volact.model.text import Text, raw, ready, say

_NAMES = frozenset({"Windows", "Microsoft's", "Kerberos"})


def hex_code(code: int) -> str:
    """``0xC004F074``, for a signed or an unsigned number."""
    return f"0x{code & 0xFFFFFFFF:08X}"


def named(code: int, errors: Mapping[int, ErrorInfo]) -> Text:
    """The code with its meaning, as part of a sentence."""
    info = errors.get(code & 0xFFFFFFFF)
    if info is None or not info.meaning or info.family == "name-only":
        return raw(hex_code(code))
    return say("{code}, {meaning}", code=hex_code(code), meaning=_clause(info.meaning))


def _clause(sentence: str) -> Text:
    """A sentence of the knowledge as a part of another one."""
    bare = sentence.rstrip(".")
    first = bare.split(" ", 1)[0]
    # "WMI", "Windows" and "Microsoft's" keep their letters; "The" and "A" do not.
    plain = (len(first) == 1 or first[1:].islower()) and first not in _NAMES
    return ready(bare, shown=bare[0].lower() + bare[1:] if plain else bare)
