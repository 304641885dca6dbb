"""One script for one instance, from being wanted to its result."""

from __future__ import annotations

import asyncio
import math

from volact.cloud.tencent.failures import ApiError
from volact.cloud.tencent.tat import MAX_TIMEOUT_S, Task
from volact.transports.base import Raw
from volact.transports.tat.gather import Wanted
from volact.transports.tat.outcome import finished


class Errand(Wanted[str, Raw]):
    """``value`` is the instance's id.

    ``sent`` is set once it is known whether the cloud has taken the script
    on; then ``invocation`` says under which id, ``""`` when it has not.
    """

    def __init__(self, instance: str, *, name: str, time_s: float) -> None:
        super().__init__(instance)
        self.name = name
        self.invocation = ""
        self.asked = 0.0
        self.task: Task | None = None
        self.trouble: ApiError | None = None  # of the last look at it
        self.given_up = False
        self.sent = asyncio.Event()
        self._until = asyncio.get_running_loop().time() + time_s

    def refuse(self, error: ApiError) -> None:
        """The cloud has not taken the script on."""
        self.settle(error)
        self.sent.set()

    @property
    def over(self) -> bool:
        """Whether nothing of it can be running in the cloud."""
        if self.task is not None:
            return finished(self.task)
        return self.sent.is_set() and not self.invocation

    @property
    def left_s(self) -> int:
        """How long the cloud may let it run: what is left of its time, in its terms."""
        left = self._until - asyncio.get_running_loop().time()
        return min(MAX_TIMEOUT_S, max(1, math.ceil(left)))
