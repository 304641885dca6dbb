"""What a question is asked of: a store, or one moment of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

import sqlalchemy as sa

T = TypeVar("T")


class Reader(Protocol):
    """``Store``, where each question has a connection of its own, or ``Snapshot``."""

    def ask(self, question: Callable[[sa.Connection], T]) -> T:
        """The answer of a function of a connection; ``StoreError`` where that fails."""

    def stream(self, question: Callable[[sa.Connection], Iterable[T]]) -> Iterator[T]:
        """The same for answers that come a row at a time."""
