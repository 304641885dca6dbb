"""A server's clock: real time plus what it is off by, and its time zone."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(slots=True)
class Clock:
    """``offset`` is in seconds; ``bias`` in minutes east of UTC."""

    offset: float = 0.0
    bias: int = 0
    held: float | None = None  # the offset that a hypervisor gives back to a clock that was set

    def now(self) -> float:
        """What the server believes the time is: Unix seconds."""
        return time.time() + self.offset

    def step(self, seconds: float) -> None:
        """Set the clock forward (or back, when negative)."""
        self.offset += seconds

    def follow_hypervisor(self) -> None:
        """Let the virtual machine's own time synchronisation have its turn."""
        if self.held is not None:
            self.offset = self.held
