"""How many requests a second are let through, for an account, region and action."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from volact_lab.tencent.faults import ApiFault

PER_SECOND = {
    "RunCommand": 20,
    "DescribeInvocationTasks": 20,
    "CancelInvocation": 20,
    "DescribeAutomationAgentStatus": 60,
    "DescribeInstances": 40,
    "DescribeImages": 40,
}
_OTHERS = 20


@dataclass
class Limits:
    """Counts what came in the last second."""

    clock: Callable[[], float] = time.monotonic
    refused: int = 0
    _seen: defaultdict[tuple[str, str, str], deque[float]] = field(
        default_factory=lambda: defaultdict(deque)
    )

    def admit(self, secret_id: str, region: str, action: str) -> None:
        """Count a request, or ``ApiFault`` when there were too many."""
        now = self.clock()
        seen = self._seen[secret_id, region, action]
        while seen and seen[0] <= now - 1:
            seen.popleft()
        limit = PER_SECOND.get(action, _OTHERS)
        if len(seen) >= limit:
            self.refused += 1
            raise ApiFault(
                "RequestLimitExceeded",
                f"Your current request times exceed the limit of {limit} per second "
                f"for `{action}`. Please request later.",
            )
        seen.append(now)
