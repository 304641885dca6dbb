"""Readers of single JSON values, strict about their type.

Each takes the place in the answer (for the message) and the value.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

from volact.errors import AnswerError
from volact.model.text import say

# What is typed on a server as part of a command must not be able to end it.
_TOKEN = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,63}")
_PATH = re.compile(r"[^\x00-\x1f\x7f-\x9f\"<>|*?\u2028\u2029]{1,1024}")

# All that a server's own numbers can be; a larger one is no fact.
_INTEGERS = range(-(2**31), 2**32)
_MOMENTS = range(-8_640_000_000_000_000, 8_640_000_000_000_001)

T = TypeVar("T")
Read = Callable[[str, Any], T]


def text(where: str, value: Any) -> str:
    """A JSON string."""
    if not isinstance(value, str):
        raise wrong_type(where, "a text", value)
    return value


def token(where: str, value: Any) -> str:
    """An identifier as it stands in a command: a GUID's letters, digits and hyphens."""
    return _shaped(where, value, _TOKEN, "an identifier")


def path(where: str, value: Any) -> str:
    """A file's name as it stands between quotes in a command."""
    return _shaped(where, value, _PATH, "a file name")


def _shaped(where: str, value: Any, shape: re.Pattern[str], wanted: str) -> str:
    if not shape.fullmatch(text(where, value)):
        raise wrong_type(where, wanted, value)
    return str(value)


def integer(where: str, value: Any) -> int:
    """A whole JSON number of 32 bits, with or without a sign; true and false are none."""
    return _whole(where, value, _INTEGERS, "a whole number of 32 bits")


def moment(where: str, value: Any) -> int:
    """A moment in milliseconds, as far as a script's dates go."""
    return _whole(where, value, _MOMENTS, "a moment in milliseconds")


def _whole(where: str, value: Any, among: range, wanted: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value not in among:
        raise wrong_type(where, wanted, value)
    return value


def boolean(where: str, value: Any) -> bool:
    """True or false; a number is neither."""
    if not isinstance(value, bool):
        raise wrong_type(where, "true or false", value)
    return value


def scalar(where: str, value: Any) -> str | int | bool:
    """A text, a whole number, or true or false."""
    if isinstance(value, str | bool):
        return value
    return integer(where, value)


def texts(where: str, value: Any) -> tuple[str, ...]:
    """An array of texts."""
    if not isinstance(value, list):
        raise wrong_type(where, "an array of texts", value)
    return tuple(text(where, item) for item in value)


def wrong_type(where: str, wanted: str, value: Any) -> AnswerError:
    """The error for a value that is not what the protocol says."""
    got = "null" if value is None else type(value).__name__
    return AnswerError(
        "protocol",
        say(
            "the server's answer has {got} where {where} must be {wanted}",
            got=got,
            where=where,
            wanted=wanted,
        ),
        say("the agent does not match this volact, or the answer was changed in transit"),
    )
