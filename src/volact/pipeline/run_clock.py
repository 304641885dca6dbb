"""Whether this computer's clock went on evenly since a run began."""

from __future__ import annotations

import time

from volact.model.facts import Clock
from volact.transports.base import Raw

# Less causes no finding.
_JUMP_S = 60.0


class RunClock:
    """This computer's clock beside the one that is never set, from the start of a run."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def around(self, raw: Raw, begun: float) -> Clock | None:
        """When an execution was asked and answered.

        Args:
            raw: the execution, with both moments by this computer's clock.
            begun: ``time.monotonic()`` before it.

        Returns:
            ``None`` where the clock was set since the run began (or stood still, in a
            computer that slept): a server's clock cannot be compared with it then.
        """
        earliest = begun + self._offset - _JUMP_S
        latest = time.monotonic() + self._offset + _JUMP_S
        steady = earliest <= raw.asked <= raw.answered <= latest
        return Clock(raw.asked, raw.answered) if steady else None
