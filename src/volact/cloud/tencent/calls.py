"""Calls of one account in one region: in threads, paced, and repeated where safe.

What is asked is in ``tat`` and ``cvm``; what a failure means in ``failures``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, TypeVar

import msgspec

from volact.cloud.base import ApiError
from volact.cloud.rate_limiter import CallRateLimiter
from volact.cloud.tencent.failures import as_failure, failure
from volact.cloud.tencent.keys import Keys
from volact.cloud.tencent.sdk import make_client
from volact.cloud.tencent.settings import TencentSettings
from volact.errors import one_line
from volact.threads import BlockingCalls

T = TypeVar("T")

PAGE = 100
# Requests a second, for an account, a region and an action.  For the status of
# agents newer pages of the documentation say 60, older ones 20.
LIMITS = {
    "RunCommand": 20,
    "DescribeInvocationTasks": 20,
    "CancelInvocation": 20,
    "DescribeAutomationAgentStatus": 20,
    "DescribeInstances": 40,
    "DescribeImages": 40,
}
# Of one list: an API that never comes to its end is not believed.
_MOST_PAGES, _MOST_BYTES, _LIST_S = 2000, 64 * 1024 * 1024, 300.0
# Waits between the tries of one call.  A look that is repeated anyway needs
# no more; a whole fleet that was turned away once comes through.
PAUSES_S = (0.5, 1.0, 2.0, 4.0)


class Value(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """A part of an answer; fields are named as in the API, but for their case."""


class Calls:
    """Asks the API.  ``safe`` calls may be asked twice, others only when nothing was begun."""

    def __init__(
        self,
        account: TencentSettings,
        region: str,
        keys: Keys,
        threads: BlockingCalls,
        pauses_s: tuple[float, ...] = PAUSES_S,
    ) -> None:
        self.region = region
        self._account = account
        self._keys = keys
        self._threads = threads
        self._pauses_s = pauses_s
        self._limiters = {action: CallRateLimiter(limit) for action, limit in LIMITS.items()}

    @cached_property
    def tat(self) -> Any:
        """The SDK's client of TAT."""
        return make_client("tat", self._account, self.region, self._keys.credential)

    @cached_property
    def cvm(self) -> Any:
        """The SDK's client of CVM."""
        return make_client("cvm", self._account, self.region, self._keys.credential)

    async def ask(
        self, client: Any, action: str, request: Any, answer: type[T], *, safe: bool
    ) -> T:
        """One call and its answer, or ``ApiError``."""
        pauses = iter(self._pauses_s)
        while True:
            await self._limiters[action].take()
            try:
                return await self._threads.run(lambda: self._once(client, action, request, answer))
            except ApiError as error:
                await _pause(error, pauses, safe=safe)

    def _once(self, client: Any, action: str, request: Any, answer: type[T]) -> T:
        """In a thread: the call, and what it brought as a value of our own."""
        try:
            got = getattr(client, action)(request)
        except Exception as error:
            # The SDK promises its one type; every other exception is reported alike.
            raise as_failure(error, self._keys.redact) from error
        try:
            return msgspec.convert(got, answer, from_attributes=True)
        except ValueError as error:  # of another form, or of text that has no UTF-8
            raise failure("UnexpectedAnswer", one_line(f"{action}: {error}")) from error


async def _pause(error: ApiError, pauses: Iterator[float], *, safe: bool) -> None:
    """Wait before the next try; the error itself when there is to be none."""
    again = error.again
    pause = next(pauses, None)
    if pause is None or again == "never" or (again == "unsure" and not safe):
        raise error
    await asyncio.sleep(pause)


async def all_pages(
    ask: Callable[[int], Any], rows: Callable[[Any], tuple[T, ...]], total: Callable[[Any], int]
) -> tuple[T, ...]:
    """The rows of every page, asked for by their offset one after another."""
    found: list[T] = []
    size, until = 0, time.monotonic() + _LIST_S
    for _ in range(_MOST_PAGES):
        page = await ask(len(found))
        found += rows(page)
        if not rows(page) or len(found) >= total(page):
            return tuple(found)
        size += len(repr(rows(page)))  # also of text that no encoding takes
        if size > _MOST_BYTES or time.monotonic() > until:
            break
    raise failure(
        "UnexpectedAnswer",
        f"a list of more than {_MOST_PAGES} pages, or {_MOST_BYTES >> 20} MB or {_LIST_S:g} s",
    )
