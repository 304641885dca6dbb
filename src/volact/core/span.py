"""Spans of time as people type them: ``30d``, ``12h``, ``2w``, ``1d12h``.  Pure."""

from __future__ import annotations

import re
from datetime import timedelta

from volact.errors import InputError
from volact.model.text import Text, say

_UNITS = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "min": 60, "s": 1}
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(min|[wdhms])")
_WHOLE = re.compile(rf"(?:{_PART.pattern}\s*)+")
_LONGEST_S = 100 * 366 * 86400  # a century: beyond it dates run out


def parse_span(text: str, option: str) -> timedelta:
    """The span; for anything else an ``InputError`` with one line that names the option."""
    word = text.strip().lower()
    if not _WHOLE.fullmatch(word):
        raise _wrong(say("{option} {text}: not a duration", option=option, text=text))
    seconds = sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(word))
    if seconds < 1:
        raise _wrong(say("{option} {text}: the duration is zero", option=option, text=text))
    if seconds > _LONGEST_S:
        raise _wrong(say("{option} {text}: longer than 100 years", option=option, text=text))
    return timedelta(seconds=seconds)


def _wrong(message: Text) -> InputError:
    return InputError(message, say("write 30d, 12h, 2w or 90m"))
