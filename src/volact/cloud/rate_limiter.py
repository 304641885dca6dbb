"""Keeping below an API's limit of requests a second: a token bucket.

Other programs of the same account draw on the same limit, so a call may be
refused all the same; the caller repeats it where that is safe.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

# The part of the limit that may come at once.  Together with what comes after
# it, it never goes beyond the limit within any one second.
_BURST = 0.25


class CallRateLimiter:
    """Lets ``limit`` calls through in any one second, and makes the others wait."""

    def __init__(
        self,
        limit: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._burst = max(1.0, limit * _BURST)
        self._rate = max(limit - self._burst, limit / 2)  # a limit of one has a burst of one
        self._clock = clock
        self._sleep = sleep
        self._tokens = self._burst
        self._filled = clock()

    async def take(self) -> None:
        """Wait until one more call may be made; callers get turns in the order of asking."""
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._filled) * self._rate)
        self._filled = now
        # Below zero are the turns that are promised already.
        self._tokens -= 1
        if self._tokens < 0:
            await self._sleep(-self._tokens / self._rate)
