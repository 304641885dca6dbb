"""Which servers are canaries: a few, spread over the groups of the fleet.  Pure, deterministic."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")
# What servers of one group have in common, such as provider, transport and tags.
CanaryGroup = tuple[str, ...]


def choose_canaries(
    items: Sequence[T],
    number: int,
    group_of: Callable[[T], CanaryGroup],
    name_of: Callable[[T], str],
) -> tuple[list[T], list[T]]:
    """Split items into canaries and others; both keep the order of ``items``.

    The groups take turns, the largest first: one canary of each, then a second of each.
    Within a group a hash of the name decides, so a fleet has the same canaries in every run.
    """
    if number <= 0:
        return [], list(items)
    groups: dict[CanaryGroup, list[int]] = {}
    for at, item in enumerate(items):
        groups.setdefault(group_of(item), []).append(at)
    order = sorted(groups, key=lambda group: (-len(groups[group]), group))
    for members in groups.values():
        members.sort(key=lambda at: _rank(name_of(items[at])), reverse=True)
    chosen: set[int] = set()
    while len(chosen) < min(number, len(items)):
        for group in order:
            if groups[group] and len(chosen) < number:
                chosen.add(groups[group].pop())
    return (
        [item for at, item in enumerate(items) if at in chosen],
        [item for at, item in enumerate(items) if at not in chosen],
    )


def _rank(name: str) -> bytes:
    return hashlib.blake2b(name.encode(), digest_size=8).digest()
