"""Readers of single JSON values, strict about their type.

Each takes the place in the answer (for the message) and the value.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from volact.errors import AnswerError

T = TypeVar("T")
Read = Callable[[str, Any], T]


def text(where: str, value: Any) -> str:
    """A JSON string."""
    if not isinstance(value, str):
        raise wrong_type(where, "a text", value)
    return value


def integer(where: str, value: Any) -> int:
    """A whole JSON number; true and false are none."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong_type(where, "a whole number", value)
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
        f"the server's answer has {got} where {where} must be {wanted}",
        "the agent and this volact do not fit together, or the answer was changed on the way",
    )
