"""TAT as a transport: one instance, and what it shares with others of its region."""

from __future__ import annotations

import asyncio

from volact.errors import TransportError
from volact.transports.base import Raw, SharedScript
from volact.transports.tat.errand import Errand
from volact.transports.tat.gather import Background
from volact.transports.tat.outcome import still
from volact.transports.tat.region import Region, too_long

# How long cancelling may take beyond a deadline.
_GRACE_S = 5.0


class TatTransport(SharedScript):
    """The way to one instance.  There is no connection: nothing is to be closed."""

    def __init__(self, region: Region, instance: str, salt: str) -> None:
        self.salt = salt
        self._region = region
        self._instance = instance
        self._background = Background()

    async def run(self, script: bytes, *, name: str, deadline_s: float) -> Raw:
        """Have the script run once, together with equal ones for other instances."""
        refusal = too_long(script)
        if refusal is not None:
            raise refusal
        errand = Errand(self._instance, name=name, time_s=deadline_s)
        self._region.send(errand, script)
        try:
            async with asyncio.timeout(deadline_s):
                return await errand.result()
        except TimeoutError as error:
            raise _late(errand, deadline_s) from error
        finally:
            if not errand.over:
                await self._end(errand)

    async def close(self) -> None:
        """Nothing is open."""

    async def _end(self, errand: Errand) -> None:
        """Cancel what is left; it goes on by itself when it takes too long."""
        ending = self._background.run(self._region.give_up(errand))
        await asyncio.wait({ending}, timeout=_GRACE_S)
        if ending.done() and not ending.cancelled():
            # Not being able to cancel changes nothing about the result.
            ending.exception()


def _late(errand: Errand, deadline_s: float) -> TransportError:
    trouble = f"; the last look at it failed: {errand.trouble.message}" if errand.trouble else ""
    return TransportError(
        "timeout",
        f"the server did not finish within {deadline_s:.3g} s "
        f"(the task is {still(errand.task)}){trouble}",
        "raise --deadline, or look at what its processes wait for",
    )
