"""All-or-nothing calls so that one bad instance costs only itself.

The API refuses a whole call when one of its instances cannot be asked, and
does not say in a form to rely on which one it was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from volact.cloud.tencent.failures import ApiError

T = TypeVar("T")


async def bisect(
    items: Sequence[T],
    call: Callable[[Sequence[T]], Awaitable[None]],
    fail: Callable[[T, ApiError], None],
) -> None:
    """Call for all items; while that fails because of some, for each half of them.

    An item that fails by itself is given to ``fail``.  A call that has failed
    has begun nothing, so no item is called for twice with effect.
    """
    try:
        await call(items)
    except ApiError as error:
        if len(items) > 1 and error.about_one:
            half = len(items) // 2
            await asyncio.gather(bisect(items[:half], call, fail), bisect(items[half:], call, fail))
            return
        for item in items:
            fail(item, error)
