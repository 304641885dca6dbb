"""Calls of one account in one region.

What is asked is in ``tat`` and ``cvm``; what a failure means in ``failures``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from volact.cloud.calls import RegionCalls, Value, all_pages
from volact.cloud.tencent.failures import as_failure

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


class CountedPage(Value, frozen=True, kw_only=True):
    """A page of a list that tells how many rows the whole has."""

    total_count: int  # also of an empty list: an answer without it is none


P = TypeVar("P", bound=CountedPage)


class Calls(RegionCalls):
    """Asks the API of one region."""

    limits = LIMITS

    async def ask(
        self, service: str, action: str, asked: Mapping[str, Any], answer: type[T], *, safe: bool
    ) -> T:
        """One call and its answer, or ``ApiError``."""
        client = self.client(service)

        def call() -> object:
            return client.call_json(action, dict(asked))["Response"]

        # The SDK promises its one type of exception; every other is reported alike.
        return await self.asked(action, call, as_failure, answer, safe=safe)

    async def all_of(
        self,
        service: str,
        action: str,
        asked: Mapping[str, Any],
        answer: type[P],
        rows: Callable[[P], tuple[T, ...]],
    ) -> tuple[T, ...]:
        """The rows of every page, asked for by their offset one after another."""

        async def page(offset: int) -> P:
            where = {"Offset": offset, "Limit": PAGE}
            return await self.ask(service, action, {**asked, **where}, answer, safe=True)

        def following(page: P, count: int) -> int | None:
            return count if rows(page) and count < page.total_count else None

        return await all_pages(page, rows, following, 0)


def filters_of(filters: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    """Filters as every list takes them."""
    return [{"Name": name, "Values": list(values)} for name, values in filters.items()]
