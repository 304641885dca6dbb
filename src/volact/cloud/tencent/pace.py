"""Keeping below the API's limits: a token bucket for each action of each region.

The limits are Tencent's (requests in a second, for an account, a region and
an action).  Other programs of the same account draw on them too, so a call
may be refused all the same; that is ``calls``' affair.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

# Requests a second.  For the status of agents newer pages of the
# documentation say 60, older ones 20.
LIMITS = {
    "RunCommand": 20,
    "DescribeInvocationTasks": 20,
    "CancelInvocation": 20,
    "DescribeAutomationAgentStatus": 20,
    "DescribeInstances": 40,
    "DescribeImages": 40,
}
# What may come at once, and what comes after it: together they never go
# beyond the limit within any one second.
_AT_ONCE = 0.25


class Bucket:
    """Lets ``limit`` calls through in any one second, and makes the others wait."""

    def __init__(
        self,
        limit: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._most = max(1.0, limit * _AT_ONCE)
        self._rate = limit - self._most
        self._clock = clock
        self._sleep = sleep
        self._tokens = self._most
        self._filled = clock()

    async def take(self) -> None:
        """Wait for one's turn; turns are given in the order of asking."""
        now = self._clock()
        self._tokens = min(self._most, self._tokens + (now - self._filled) * self._rate)
        self._filled = now
        # Below zero are the turns that are promised already.
        self._tokens -= 1
        if self._tokens < 0:
            await self._sleep(-self._tokens / self._rate)
