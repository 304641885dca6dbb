"""Calls of one account in one region.

What is asked is in ``ssm`` and ``listing``; what a failure means in ``failures``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from volact.cloud.aws.failures import as_failure
from volact.cloud.aws.sdk import Keys
from volact.cloud.calls import PAUSES_S, PacedCalls, read_answer
from volact.threads import BlockingCalls

T = TypeVar("T")

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


class Calls(PacedCalls):
    """Asks the API of one region."""

    def __init__(
        self, region: str, keys: Keys, threads: BlockingCalls, pauses_s: Sequence[float] = PAUSES_S
    ) -> None:
        super().__init__(LIMITS, threads, pauses_s)
        self.region = region
        self._keys = keys
        self._clients: dict[str, Any] = {}

    async def ask(
        self, service: str, action: str, asked: Mapping[str, Any], answer: type[T], *, safe: bool
    ) -> T:
        """One call and its answer, or ``ApiError``."""
        if service not in self._clients:
            self._clients[service] = self._keys.client(service, self.region)
        client = self._clients[service]
        return await self.paced(
            action, lambda: self._once(client, action, asked, answer), safe=safe
        )

    def _once(self, client: Any, action: str, asked: Mapping[str, Any], answer: type[T]) -> T:
        """In a thread: the call, and what it brought as a value of our own."""
        try:
            got = client._make_api_call(action, dict(asked))
        except Exception as error:
            raise as_failure(error, self._keys.redact) from error
        return read_answer(action, got, answer)
