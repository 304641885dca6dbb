"""Which servers go first: few, but one of each kind there is.  Pure and the same every time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")
Kind = tuple[str, ...]


def choose(
    items: Sequence[T], number: int, kind_of: Callable[[T], Kind], name_of: Callable[[T], str]
) -> tuple[list[T], list[T]]:
    """The canaries and the others; both in the order of ``items``.

    The largest kinds come first, one server of each, then a second of each, and
    so on.  Within a kind the choice looks like chance and depends on nothing but
    the names: the same fleet has the same canaries in every run.
    """
    if number <= 0:
        return [], list(items)
    kinds: dict[Kind, list[int]] = {}
    for at, item in enumerate(items):
        kinds.setdefault(kind_of(item), []).append(at)
    order = sorted(kinds, key=lambda kind: (-len(kinds[kind]), kind))
    for members in kinds.values():
        members.sort(key=lambda at: _lot(name_of(items[at])), reverse=True)
    chosen: set[int] = set()
    while len(chosen) < min(number, len(items)):
        for kind in order:
            if kinds[kind] and len(chosen) < number:
                chosen.add(kinds[kind].pop())
    return (
        [item for at, item in enumerate(items) if at in chosen],
        [item for at, item in enumerate(items) if at not in chosen],
    )


def _lot(name: str) -> bytes:
    return hashlib.blake2b(name.encode(), digest_size=8).digest()
