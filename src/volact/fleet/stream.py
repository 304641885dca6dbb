"""Many pieces of work, a few at a time, each with a result whatever happens.

Nothing here knows of servers.  Results are handed on as they come, and no
faster than the caller takes them, so memory is flat in the number of items.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, Literal, TypeVar

import msgspec

from volact.fleet.pace import Pace

_LOG = logging.getLogger("volact")

I_ = TypeVar("I_")
R = TypeVar("R")

Cause = Literal["interrupted", "run-time", "stopped", "deadline", "defect"]


class Loss(msgspec.Struct, frozen=True):
    """Why an item has no result of its own."""

    cause: Cause
    begun: bool
    error: Exception | None = None


class _TooLate(Exception):  # noqa: N818  (no error: nobody but the stream sees it)
    """Nothing is begun any more."""

    def __init__(self, cause: Cause) -> None:
        super().__init__()
        self.cause = cause


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much at once, and how long for one item and for all of them.

    ``run_s`` counts from when results are first asked for.
    """

    concurrency: int = 50
    item_s: float = 120.0
    run_s: float | None = None
    pace: Pace | None = None


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
        self._running: dict[asyncio.Future[R], asyncio.Timeout] = {}
        self._closed: Cause | None = None
        self._halted: Cause | None = None
        self._closing = asyncio.Event()
        self._door = asyncio.Lock()
        # None marks the end.  The bound makes workers wait for a slow caller.
        self._queue: asyncio.Queue[tuple[R] | None] = asyncio.Queue(limits.concurrency)

    def close(self, cause: Cause) -> None:
        """Begin nothing more and finish what runs; every item still gets its result."""
        if self._closed is None:
            self._closed = cause
            self._closing.set()

    def halt(self, cause: Cause) -> None:
        """Give up what runs, too."""
        self.close(cause)
        if self._halted is None:
            self._halted = cause
            for task in tuple(self._running):
                task.cancel()

    @contextmanager
    def unhurried(self) -> Iterator[None]:
        """Meanwhile the time of the item that the caller works on stands still."""
        task: asyncio.Future[Any] | None = asyncio.current_task()
        net = self._running.get(task) if task is not None else None
        when = net.when() if net is not None else None
        if net is None or when is None:
            yield
            return
        loop = asyncio.get_running_loop()
        since = loop.time()
        net.reschedule(None)
        try:
            yield
        finally:
            net.reschedule(when + loop.time() - since)

    async def results(self) -> AsyncGenerator[R, None]:
        """Every result as it comes."""
        workers = asyncio.ensure_future(self._all_workers())
        timer = None
        if self._limits.run_s is not None:
            loop = asyncio.get_running_loop()
            timer = loop.call_later(self._limits.run_s, self.halt, "run-time")
        try:
            while (item := await self._queue.get()) is not None:
                yield item[0]
            await workers
        finally:
            if timer is not None:
                timer.cancel()
            workers.cancel()
            await asyncio.gather(workers, return_exceptions=True)

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
            await self._admission()
            await self._queue.put((await self._one(item),))

    async def _admission(self) -> None:
        """Wait for the moment at which one more may begin, or for the end of beginning."""
        pace = self._limits.pace
        if pace is None or self._closed is not None:
            return
        loop = asyncio.get_running_loop()
        async with self._door:
            if self._closed is None:
                left = pace.next(loop.time()) - loop.time()
                try:
                    async with asyncio.timeout(max(0.0, left)):
                        await self._closing.wait()
                except TimeoutError:
                    pace.begun(loop.time())

    async def _begin(self, item: I_) -> R:
        """The work, unless the end came between its being planned and its turn in the loop."""
        if self._closed is not None:
            raise _TooLate(self._closed)
        return await self._work(item)

    async def _one(self, item: I_) -> R:
        if self._closed is not None:
            return self._lose(item, Loss(self._closed, begun=False))
        task = asyncio.ensure_future(self._begin(item))
        try:
            async with asyncio.timeout(self._limits.item_s) as net:
                self._running[task] = net
                return await task
        except _TooLate as late:
            return self._lose(item, Loss(late.cause, begun=False))
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
            self._running.pop(task, None)
