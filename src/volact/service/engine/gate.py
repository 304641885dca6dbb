"""The places of a run's servers on one worker: so many at a time, those of early batches first.

How many there are follows the load (``fleet.adaptive_concurrency``).

What a dead worker left is an early batch, which so goes on before what waits here already.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from heapq import heappop, heappush
from itertools import count

BATCHES = 2  # of one worker at a time: one at work, one whose servers follow


class Gate:
    """Belongs to one event loop."""

    def __init__(self, places: int) -> None:
        self._places = self._free = places
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._number = count()

    @property
    def busy(self) -> int:
        """Places that are taken."""
        return self._places - self._free

    def resize(self, places: int) -> None:
        """Have so many places; of too many that are taken, none is given again."""
        self._free += places - self._places
        self._places = places
        while self._free > 0 and self._waiting:
            self._free -= 1
            self._give()

    @asynccontextmanager
    async def place(self, batch: int) -> AsyncIterator[None]:
        """A place, once one is free that no earlier batch waits for."""
        if self._free > 0:
            self._free -= 1
        else:
            given: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            heappush(self._waiting, (batch, next(self._number), given))
            try:
                await given
            except asyncio.CancelledError:
                if not given.cancelled():
                    self._give()  # it came in the same moment
                raise
        try:
            yield
        finally:
            self._give()

    def _give(self) -> None:
        while self._waiting and self._free >= 0:
            *_, given = heappop(self._waiting)
            if not given.done():
                given.set_result(None)
                return
        self._free += 1
