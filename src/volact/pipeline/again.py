"""Trying once more: which failures pass by themselves, how often, after what pause.

Only what failed before anything was sent is tried again, and a server that
another run was changing; each try begins with a fresh look.  What one try
consists of is ``run``'s.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

import msgspec

from volact.errors import AnswerError, TransportError, VolactError

T = TypeVar("T")

# Less time than this is too little to connect and ask.
LEAST_S = 3.0
# A run that changes a server is waited for in steps no longer than this.
_BUSY_S = 5.0


class Retry(msgspec.Struct, frozen=True, kw_only=True):
    """How often, and how long is waited in between.

    ``chance`` spreads the pauses; once nothing goes on any more, nothing is tried again.
    """

    times: int = 0
    first_s: float = 0.5
    most_s: float = 8.0
    chance: Callable[[], float] = random.random
    goes_on: Callable[[], bool] = lambda: True

    def pause(self, tried: int) -> float:
        """Before try ``tried`` + 1: twice as long each time, a half more or less by chance."""
        return min(self.first_s * 2.0 ** min(tried - 1, 16), self.most_s) * (0.5 + self.chance())


class Trying(Protocol):
    """What is tried: how many scripts were sent so far, and how much time is left."""

    executions: int

    @property
    def left_s(self) -> float:
        """How much time there is."""


def is_busy(error: VolactError) -> bool:
    """Whether another run is changing the server; nothing was done there."""
    return isinstance(error, AnswerError) and error.kind == "busy"


def never_ran(error: VolactError) -> bool:
    """Whether the script that was sent certainly did nothing."""
    return is_busy(error) or (isinstance(error, TransportError) and error.passing == "refused")


def may_pass(error: VolactError, sent: int) -> bool:
    """Whether the same may work a moment later; ``sent`` counts this try's scripts."""
    if not isinstance(error, TransportError):
        return False
    return error.passing == "refused" or (error.passing == "unsent" and not sent)


async def until_it_works(visit: Trying, retry: Retry, attempt: Callable[[], Awaitable[T]]) -> T:
    """The result of the first try that works; the last error when none does."""
    tried = waited = 0
    while True:
        before = visit.executions
        try:
            return await attempt()
        except VolactError as error:
            busy = is_busy(error)
            tried, waited = tried + (not busy), waited + busy
            again = may_pass(error, visit.executions - before) and tried <= retry.times
            if not retry.goes_on() or not (again or (busy and retry.times)):
                raise
            pause = retry.pause(tried) if not busy else min(retry.pause(waited), _BUSY_S)
            if visit.left_s - pause < LEAST_S:
                raise
        await asyncio.sleep(pause)
