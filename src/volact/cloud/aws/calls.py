"""Calls of one account in one region.

What is asked is in ``ssm`` and ``listing``; what a failure means in ``failures``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from volact.cloud.aws.failures import as_failure
from volact.cloud.calls import RegionCalls, Value, all_pages

T = TypeVar("T")


class TokenPage(Value, frozen=True, kw_only=True):
    """A page of a list that tells where the next one is."""

    next_token: str | None = None


P = TypeVar("P", bound=TokenPage)

# Requests a second, for an account and a region.  AWS publishes none for these
# actions: the numbers are ours, and what is throttled is asked again.
LIMITS = {
    "SendCommand": 5,
    "ListCommandInvocations": 10,
    "GetCommandInvocation": 20,
    "CancelCommand": 5,
    "DescribeInstanceInformation": 5,
    "DescribeInstances": 10,
}


class Calls(RegionCalls):
    """Asks the API of one region."""

    limits = LIMITS

    async def ask(
        self, service: str, action: str, asked: Mapping[str, Any], answer: type[T], *, safe: bool
    ) -> T:
        """One call and its answer, or ``ApiError``."""
        client = self.client(service)

        def call() -> object:
            return client._make_api_call(action, dict(asked))

        return await self.asked(action, call, as_failure, answer, safe=safe)

    async def all_of(
        self,
        service: str,
        action: str,
        asked: Mapping[str, Any],
        answer: type[P],
        rows: Callable[[P], Sequence[T]],
    ) -> tuple[T, ...]:
        """The rows of every page."""

        async def page(token: str) -> P:
            more = {"NextToken": token} if token else {}
            return await self.ask(service, action, {**asked, **more}, answer, safe=True)

        return await all_pages(page, rows, lambda p, _count: p.next_token or None, "")
