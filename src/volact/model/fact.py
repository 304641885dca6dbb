"""A fact is known, absent or unreadable; "could not ask" is never "no".

Only the three shapes and the few questions that every caller asks of them.
What facts exist is in ``facts.py``; how they are read from an answer is in
``volact.core.facts``.
"""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class Known(msgspec.Struct, Generic[T], frozen=True, tag="known"):
    """The server answered with a value."""

    value: T


class Absent(msgspec.Struct, frozen=True, tag="absent"):
    """The server answered that there is no such value (null, no row, no key)."""


class Unreadable(msgspec.Struct, frozen=True, tag="unreadable"):
    """The question failed, or was never put.

    ``hresult`` is the unsigned 32-bit code of the failure, ``None`` when the
    question was not put or the answer did not mention it.
    """

    hresult: int | None = None


Fact = Known[T] | Absent | Unreadable

ABSENT = Absent()
NOT_ASKED = Unreadable(None)


def value_of(fact: Known[T] | Absent | Unreadable) -> T | None:
    """The value of a known fact, else ``None``.

    For reading only where absent and unreadable lead to the same decision,
    which is: no decision.
    """
    return fact.value if isinstance(fact, Known) else None


def is_known(fact: Known[T] | Absent | Unreadable) -> bool:
    """Whether the fact has a value."""
    return isinstance(fact, Known)


def is_unreadable(fact: Known[T] | Absent | Unreadable) -> bool:
    """Whether the question failed or was never put."""
    return isinstance(fact, Unreadable)
