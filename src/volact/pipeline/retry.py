"""Retries: which errors are transient, how many attempts, how long between them.

Retried are errors before anything was sent, and servers that another run is changing.
Each attempt examines the server again.  What an attempt does is ``run``'s.

Kept instead of a library: the rule needs what was sent, the time left and a stop of the run.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

import msgspec

from volact.errors import AnswerError, TransportError, VolactError

T = TypeVar("T")

# What no retry mends.  A wrong password is not tried again: the account could be locked.
_LASTING = frozenset({"auth", "host-key", "host-key-changed"})
# A connection and a probe need at least this much time.
LEAST_S = 3.0
# The longest pause before a server that another run is changing is asked again.
_BUSY_S = 5.0


class Retry(msgspec.Struct, frozen=True, kw_only=True):
    """How many retries, and the pauses between them.

    ``rng`` gives numbers from 0 up to 1 and spreads the pauses.  ``may_continue`` is asked
    before each retry.
    """

    times: int = 0
    first_s: float = 0.5
    most_s: float = 8.0
    rng: Callable[[], float] = random.random
    may_continue: Callable[[], bool] = lambda: True

    def pause(self, tried: int) -> float:
        """Seconds before attempt ``tried`` + 1: doubled each time, then varied by half."""
        return min(self.first_s * 2.0 ** min(tried - 1, 16), self.most_s) * (0.5 + self.rng())


class RetryBudget(Protocol):
    """What bounds the retries: the scripts sent so far, and the time left."""

    executions: int

    @property
    def left_s(self) -> float:
        """Seconds until the deadline."""


def is_busy(error: VolactError) -> bool:
    """Whether another run is changing the server; nothing was changed by this one."""
    return isinstance(error, AnswerError) and error.kind == "busy"


def never_executed(error: VolactError) -> bool:
    """Whether the script that was sent certainly did not run."""
    return is_busy(error) or (isinstance(error, TransportError) and error.passing == "refused")


def is_transient(error: VolactError, sent: int) -> bool:
    """Whether a retry may work; ``sent`` counts the scripts of this attempt."""
    if not isinstance(error, TransportError) or error.kind in _LASTING:
        return False
    return error.passing == "refused" or (error.passing == "unsent" and not sent)


async def with_retries(visit: RetryBudget, retry: Retry, attempt: Callable[[], Awaitable[T]]) -> T:
    """The result of the first attempt that works.

    Args:
        visit: what is left of the server's time, and how many scripts were sent.
        retry: how often, and after which pauses.
        attempt: is awaited anew each time.

    Raises:
        VolactError: of the last attempt, if none works.
    """
    tried = waited = 0
    while True:
        before = visit.executions
        try:
            return await attempt()
        except VolactError as error:
            busy = is_busy(error)
            tried, waited = tried + (not busy), waited + busy
            again = is_transient(error, visit.executions - before) and tried <= retry.times
            if not retry.may_continue() or not (again or (busy and retry.times)):
                raise
            pause = retry.pause(tried) if not busy else min(retry.pause(waited), _BUSY_S)
            if visit.left_s - pause < LEAST_S:
                raise
        await asyncio.sleep(pause)
