"""Calls of one account in one region.

What is asked is in ``tat`` and ``cvm``; what a failure means in ``failures``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import cached_property
from typing import Any, TypeVar

from volact.cloud import calls as generic
from volact.cloud.calls import PAUSES_S, PacedCalls, read_answer
from volact.cloud.tencent.declaration import TencentSettings
from volact.cloud.tencent.failures import as_failure
from volact.cloud.tencent.keys import Keys
from volact.cloud.tencent.sdk import make_client
from volact.threads import BlockingCalls

T = TypeVar("T")
P = TypeVar("P")

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


class Calls(PacedCalls):
    """Asks the API of one region."""

    def __init__(
        self,
        account: TencentSettings,
        region: str,
        keys: Keys,
        threads: BlockingCalls,
        pauses_s: Sequence[float] = PAUSES_S,
    ) -> None:
        super().__init__(LIMITS, threads, pauses_s)
        self.region = region
        self._account = account
        self._keys = keys

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
        return await self.paced(
            action, lambda: self._once(client, action, request, answer), safe=safe
        )

    def _once(self, client: Any, action: str, request: Any, answer: type[T]) -> T:
        """In a thread: the call, and what it brought as a value of our own."""
        try:
            got = getattr(client, action)(request)
        except Exception as error:
            # The SDK promises its one type; every other exception is reported alike.
            raise as_failure(error, self._keys.redact) from error
        return read_answer(action, got, answer)


async def all_pages(
    ask: Callable[[int], Awaitable[P]],
    rows: Callable[[P], tuple[T, ...]],
    total: Callable[[P], int],
) -> tuple[T, ...]:
    """The rows of every page, asked for by their offset one after another."""

    def following(page: P, count: int) -> int | None:
        return count if rows(page) and count < total(page) else None

    return await generic.all_pages(ask, rows, following, 0)
