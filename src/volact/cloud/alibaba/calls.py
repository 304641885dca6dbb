"""Calls of one account in one region.

What is asked is in ``assistant`` and ``listing``; what a failure means in ``failures``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, TypeVar

from volact.cloud.alibaba.failures import as_failure
from volact.cloud.alibaba.sdk import Keys
from volact.cloud.calls import PAUSES_S, PacedCalls, read_answer
from volact.threads import BlockingCalls

T = TypeVar("T")

# Requests a second, for an account and a region.  The cloud publishes them for each
# account in its console only: the numbers are ours, and what is throttled is asked again.
LIMITS = {
    "run_command": 5,
    "send_file": 5,
    "describe_invocation_results": 10,
    "stop_invocation": 5,
    "describe_cloud_assistant_status": 10,
    "describe_instances": 10,
    "describe_images": 10,
}


class Calls(PacedCalls):
    """Asks the API of one region."""

    def __init__(
        self, region: str, keys: Keys, threads: BlockingCalls, pauses_s: Sequence[float] = PAUSES_S
    ) -> None:
        super().__init__(LIMITS, threads, pauses_s)
        self.region = region
        self._keys = keys

    @cached_property
    def client(self) -> Any:
        """The SDK's client of ECS."""
        return self._keys.client(self.region)

    async def ask(self, action: str, request: Any, answer: type[T], *, safe: bool) -> T:
        """One call and its answer, or ``ApiError``."""
        client = self.client
        request.region_id = self.region
        return await self.paced(
            action, lambda: self._once(client, action, request, answer), safe=safe
        )

    def _once(self, client: Any, action: str, request: Any, answer: type[T]) -> T:
        """In a thread: the call, and what it brought as a value of our own."""
        try:
            got = getattr(client, action)(request).body.to_map()
        except Exception as error:
            acts = action == "run_command"
            raise as_failure(error, self._keys.redact, acts=acts) from error
        return read_answer(action, got, answer)
