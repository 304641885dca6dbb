"""A bound on the activations at each KMS host at a time: first come, first served.

Which host an activation goes to is ``volact.pipeline.job``'s.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager

from volact.errors import TransportError
from volact.model.text import Text
from volact.pipeline import ActivationSlot


class ActivationSlots:
    """One queue of servers for each KMS host.

    ``pause_deadline`` is entered while a server waits: waiting costs none of its time.
    After ``close`` no waiting server gets a slot.  ``shared`` gives the slots instead where
    the bound is shared with other processes; how a wait for it ends is its own affair.
    """

    def __init__(
        self,
        limit: int | None,
        pause_deadline: Callable[[], AbstractContextManager[None]],
        shared: ActivationSlot | None = None,
    ) -> None:
        self._limit = limit
        self._shared = shared
        self._pause_deadline = pause_deadline
        self._queues: dict[str, _HostQueue] = {}
        self._closed: Text | None = None

    @asynccontextmanager
    async def at(self, host: str) -> AsyncIterator[None]:
        """Hold a slot at a host; ``TransportError`` if the slots were closed."""
        if self._shared is not None:
            async with AsyncExitStack() as held:
                with self._pause_deadline():
                    await held.enter_async_context(self._shared(host))
                yield
            return
        if self._limit is None:
            yield
            return
        queue = self._queues.setdefault(host, _HostQueue(self._limit))
        if queue.full:
            with self._pause_deadline():
                await queue.wait(self._closed)
        else:
            queue.held += 1
        try:
            yield
        finally:
            queue.release()

    def close(self, why: Text) -> None:
        """Give no more slots; those held stay held."""
        self._closed = why
        for queue in self._queues.values():
            queue.close(why)


class _HostQueue:
    """The slots held at one host, and the servers that wait for one, in order."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.held = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def full(self) -> bool:
        """Whether one more has to wait."""
        return self.held >= self._limit or bool(self._waiting)

    async def wait(self, closed: Text | None) -> None:
        """Wait until a slot is passed on."""
        if closed is not None:
            raise _no_slot(closed)
        slot: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(slot)
        try:
            await slot
        except asyncio.CancelledError:
            if slot.done() and not slot.cancelled() and slot.exception() is None:
                self.release()  # it came at the same moment: pass it on
            raise

    def release(self) -> None:
        """Pass the slot to the next that still waits."""
        while self._waiting:
            slot = self._waiting.popleft()
            if not slot.done():
                slot.set_result(None)
                return
        self.held -= 1

    def close(self, why: Text) -> None:
        """End the wait of all."""
        while self._waiting:
            slot = self._waiting.popleft()
            if not slot.done():
                slot.set_exception(_no_slot(why))


def _no_slot(why: Text) -> TransportError:
    return TransportError("not-begun", why)
