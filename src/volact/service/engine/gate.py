"""The places of a run's servers on one worker: so many at a time, those of early batches first.

What a dead worker left is an early batch, which so goes on before what waits here already.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from heapq import heappop, heappush
from itertools import count


class Gate:
    """Belongs to one event loop."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._number = count()

    @asynccontextmanager
    async def place(self, batch: int) -> AsyncIterator[None]:
        """A place, once one is free that no earlier batch waits for."""
        if self._free:
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
        while self._waiting:
            *_, given = heappop(self._waiting)
            if not given.done():
                given.set_result(None)
                return
        self._free += 1
