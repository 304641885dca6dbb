"""Calls of one account in one region.

What is asked is in ``assistant`` and ``listing``; what a failure means in ``failures``.
"""

from __future__ import annotations

from functools import partial
from typing import Any, TypeVar

from volact.cloud.alibaba.failures import as_failure
from volact.cloud.calls import RegionCalls

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


class Calls(RegionCalls):
    """Asks the API of one region."""

    limits = LIMITS

    async def ask(self, action: str, request: Any, answer: type[T], *, safe: bool) -> T:
        """One call and its answer, or ``ApiError``."""
        client = self.client("ecs")
        request.region_id = self.region

        def call() -> object:
            return getattr(client, action)(request).body.to_map()

        failure = partial(as_failure, acts=action == "run_command")
        return await self.asked(action, call, failure, answer, safe=safe)
