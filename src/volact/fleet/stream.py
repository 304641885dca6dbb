"""Many pieces of work, a few at a time, each with a result whatever happens.

Nothing here knows of servers.  Results are handed on as they come, and no
faster than the caller takes them, so memory is flat in the number of items.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from typing import Generic, Literal, TypeVar

import msgspec

_LOG = logging.getLogger("volact")

I_ = TypeVar("I_")
R = TypeVar("R")

Cause = Literal["interrupted", "run-time", "deadline", "defect"]


class Loss(msgspec.Struct, frozen=True):
    """Why an item has no result of its own."""

    cause: Cause
    begun: bool
    error: Exception | None = None


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much at once, and how long for one item and for all of them."""

    concurrency: int = 50
    item_s: float = 120.0
    run_s: float | None = None


class Stream(Generic[I_, R]):
    """Works through items with a bounded number of workers."""

    def __init__(
        self,
        items: Iterable[I_],
        work: Callable[[I_], Awaitable[R]],
        lose: Callable[[I_, Loss], R],
        limits: Limits,
    ) -> None:
        self._source = iter(items)
        self._work = work
        self._lose = lose
        self._limits = limits
        self._running: set[asyncio.Future[R]] = set()
        self._halted: Cause | None = None
        # None marks the end.  The bound makes workers wait for a slow caller.
        self._queue: asyncio.Queue[tuple[R] | None] = asyncio.Queue(limits.concurrency)

    def halt(self, cause: Cause) -> None:
        """Give up what runs and begin nothing more; every item still gets its result."""
        if self._halted is None:
            self._halted = cause
            for task in tuple(self._running):
                task.cancel()

    async def results(self, stop: asyncio.Event | None = None) -> AsyncGenerator[R, None]:
        """Every result as it comes; ``stop`` halts as an interrupt."""
        helpers = [asyncio.ensure_future(self._all_workers())]
        if stop is not None:
            helpers.append(asyncio.ensure_future(self._halt_on(stop)))
        timer = None
        if self._limits.run_s is not None:
            loop = asyncio.get_running_loop()
            timer = loop.call_later(self._limits.run_s, self.halt, "run-time")
        try:
            while (item := await self._queue.get()) is not None:
                yield item[0]
            await helpers[0]
        finally:
            if timer is not None:
                timer.cancel()
            for helper in helpers:
                helper.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)

    async def _halt_on(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self.halt("interrupted")

    async def _all_workers(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._limits.concurrency):
                    group.create_task(self._worker())
        except Exception:
            await self._queue.put(None)
            raise
        await self._queue.put(None)

    async def _worker(self) -> None:
        for item in self._source:
            await self._queue.put((await self._one(item),))

    async def _one(self, item: I_) -> R:
        if self._halted is not None:
            return self._lose(item, Loss(self._halted, begun=False))
        task = asyncio.ensure_future(self._work(item))
        self._running.add(task)
        try:
            async with asyncio.timeout(self._limits.item_s):
                return await task
        except TimeoutError:
            return self._lose(item, Loss("deadline", begun=True))
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if self._halted is None or (current is not None and current.cancelling()):
                raise
            return self._lose(item, Loss(self._halted, begun=True))
        except Exception as error:
            # The one place where anything is caught: a defect that one
            # server's answer brings to light must not cost the others' rows.
            _LOG.debug("a defect met on %r", item, exc_info=True)
            return self._lose(item, Loss("defect", begun=True, error=error))
        finally:
            self._running.discard(task)
