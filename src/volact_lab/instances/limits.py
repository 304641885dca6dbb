"""How many requests a second are let through, for an account, region and action."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from volact_lab.instances.faults import ApiFault

_OTHERS = 20


@dataclass
class Limits:
    """Counts what came in the last second.  ``code`` is what one too many is refused with."""

    per_second: Mapping[str, int]
    code: str
    clock: Callable[[], float] = time.monotonic
    refused: int = 0
    _seen: defaultdict[tuple[str, str, str], deque[float]] = field(
        default_factory=lambda: defaultdict(deque)
    )

    def admit(self, key_id: str, region: str, action: str) -> None:
        """Count a request, or ``ApiFault`` when there were too many."""
        now = self.clock()
        seen = self._seen[key_id, region, action]
        while seen and seen[0] <= now - 1:
            seen.popleft()
        limit = self.per_second.get(action, _OTHERS)
        if len(seen) >= limit:
            self.refused += 1
            raise ApiFault(
                self.code,
                f"Your current request times exceed the limit of {limit} per second "
                f"for `{action}`. Please request later.",
            )
        seen.append(now)
