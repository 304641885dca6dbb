"""All-or-nothing calls so that one bad item costs only itself.

An API that refuses a whole call because of one instance seldom says in a form
to rely on which one it was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from volact.cloud.base import ApiError

T = TypeVar("T")


async def split_failing(
    items: Sequence[T],
    call: Callable[[Sequence[T]], Awaitable[None]],
    fail: Callable[[T, ApiError], None],
) -> None:
    """Call for all items; while that fails because of some, for each half of them.

    A call that has failed has begun nothing, so no item is called for twice
    with effect.

    Args:
        items: what the call is for.
        call: the call; raises ``ApiError`` for all of its items.
        fail: takes an item that fails by itself, and why.
    """
    try:
        await call(items)
    except ApiError as error:
        if len(items) > 1 and error.about_one:
            half = len(items) // 2
            await asyncio.gather(
                split_failing(items[:half], call, fail), split_failing(items[half:], call, fail)
            )
            return
        for item in items:
            fail(item, error)


def chunks(items: Sequence[T], size: int) -> list[Sequence[T]]:
    """The items in pieces of at most ``size``."""
    return [items[start : start + size] for start in range(0, len(items), size)]
