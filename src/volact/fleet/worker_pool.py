"""A pool of workers over many items: bounded concurrency, a deadline each, one result each.

Nothing here knows of servers.  Results are yielded as they come and no faster than the
caller takes them, so memory is constant in the number of items.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from operator import length_hint
from typing import Any, Generic, Literal, TypeVar

import msgspec

from volact.fleet.rate_limiter import RateLimiter

_LOG = logging.getLogger("volact")

I_ = TypeVar("I_")
R = TypeVar("R")

EndCause = Literal["interrupted", "run-time", "stopped", "deadline", "defect"]


class NoResult(msgspec.Struct, frozen=True):
    """Why the work on an item gave no result."""

    cause: EndCause
    begun: bool
    error: Exception | None = None


class _Closed(Exception):  # noqa: N818  (no error: it never leaves the pool)
    """The pool was closed before the item began."""

    def __init__(self, cause: EndCause) -> None:
        super().__init__()
        self.cause = cause


class PoolLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Concurrency, time limits of one item and of all, and the rate at which items begin.

    ``concurrency`` is the most at any time; ``start`` is where a pool begins whose
    ``set_concurrency`` is used.  ``run_s`` counts from the first request for a result.
    """

    concurrency: int = 50
    start: int | None = None
    item_s: float = 120.0
    run_s: float | None = None
    rate_limiter: RateLimiter | None = None


class WorkerPool(Generic[I_, R]):
    """Works on items with a bounded number of workers.

    Args:
        items: read one by one, as workers become free.
        work: what is done with one item.
        no_result: makes the result of an item whose work gave none.
        limits: how many at a time, how long, how fast.
    """

    def __init__(
        self,
        items: Iterable[I_],
        work: Callable[[I_], Awaitable[R]],
        no_result: Callable[[I_, NoResult], R],
        limits: PoolLimits,
    ) -> None:
        self._workers = min(limits.concurrency, length_hint(items, limits.concurrency))
        self._source = iter(items)
        self._work = work
        self._no_result = no_result
        self._limits = limits
        self._running: dict[asyncio.Future[R], asyncio.Timeout] = {}
        self._closed: EndCause | None = None
        self._cancelled: EndCause | None = None
        self._closing = asyncio.Event()
        self._start_lock = asyncio.Lock()
        # None marks the end.  The bound makes workers wait for a slow caller.
        self._queue: asyncio.Queue[tuple[R] | None] = asyncio.Queue(limits.concurrency)
        self._allowed = limits.concurrency if limits.start is None else limits.start
        self._working = 0  # workers with an item, or about to take one
        self._may_take = asyncio.Condition()

    def close(self, cause: EndCause) -> None:
        """Begin no more items and finish those under way; every item still gets its result."""
        if self._closed is None:
            self._closed = cause
            self._closing.set()

    def cancel(self, cause: EndCause) -> None:
        """Close, and cancel the work under way."""
        self.close(cause)
        if self._cancelled is None:
            self._cancelled = cause
            for task in tuple(self._running):
                task.cancel()

    @contextmanager
    def pause_deadline(self) -> Iterator[None]:
        """Stop the clock of the current item inside the block."""
        task: asyncio.Future[Any] | None = asyncio.current_task()
        deadline = self._running.get(task) if task is not None else None
        when = deadline.when() if deadline is not None else None
        if deadline is None or when is None:
            yield
            return
        loop = asyncio.get_running_loop()
        since = loop.time()
        deadline.reschedule(None)
        try:
            yield
        finally:
            deadline.reschedule(when + loop.time() - since)

    async def results(self) -> AsyncGenerator[R, None]:
        """Yield one result for each item, in the order in which they finish."""
        workers = asyncio.ensure_future(self._all_workers())
        timer = None
        if self._limits.run_s is not None:
            loop = asyncio.get_running_loop()
            timer = loop.call_later(self._limits.run_s, self.cancel, "run-time")
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
                for _ in range(self._workers):
                    group.create_task(self._worker())
        except Exception:
            await self._queue.put(None)
            raise
        await self._queue.put(None)

    @property
    def busy(self) -> int:
        """How many items are worked on."""
        return len(self._running)

    async def set_concurrency(self, number: int) -> None:
        """From now on begin an item only while fewer than ``number`` are worked on."""
        async with self._may_take:
            self._allowed = number
            self._may_take.notify_all()

    async def _worker(self) -> None:
        while True:
            async with self._place():
                for item in self._source:
                    await self._wait_for_start()
                    await self._queue.put((await self._result_of(item),))
                    if self._working > self._allowed:
                        break
                else:
                    return

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        """Wait until the concurrency allows one more worker."""
        async with self._may_take:
            await self._may_take.wait_for(lambda: self._working < self._allowed)
            self._working += 1
        try:
            yield
        finally:
            async with self._may_take:
                self._working -= 1
                self._may_take.notify()

    async def _wait_for_start(self) -> None:
        """Wait until the rate allows one more item, or until the pool is closed."""
        limiter = self._limits.rate_limiter
        if limiter is None or self._closed is not None:
            return
        loop = asyncio.get_running_loop()
        async with self._start_lock:
            if self._closed is None:
                left = limiter.next(loop.time()) - loop.time()
                try:
                    async with asyncio.timeout(max(0.0, left)):
                        await self._closing.wait()
                except TimeoutError:
                    limiter.begun(loop.time())

    async def _begin(self, item: I_) -> R:
        """The work, unless the pool was closed between scheduling and start."""
        if self._closed is not None:
            raise _Closed(self._closed)
        return await self._work(item)

    async def _result_of(self, item: I_) -> R:
        if self._closed is not None:
            return self._no_result(item, NoResult(self._closed, begun=False))
        task = asyncio.ensure_future(self._begin(item))
        try:
            async with asyncio.timeout(self._limits.item_s) as deadline:
                self._running[task] = deadline
                return await task
        except _Closed as closed:
            return self._no_result(item, NoResult(closed.cause, begun=False))
        except TimeoutError as error:
            late = deadline.expired()
            return self._no_result(item, NoResult("deadline" if late else "defect", True, error))
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if current is not None and current.cancelling():
                raise
            # Where nothing was cancelled, the work waited for something that was.
            lost = RuntimeError("cancelled from elsewhere")
            return self._no_result(item, NoResult(self._cancelled or "defect", True, lost))
        except Exception as error:
            # The one place that catches everything: a defect met on one server
            # must not cost the rows of the others.
            _LOG.debug("a defect met on %r", item, exc_info=True)
            return self._no_result(item, NoResult("defect", begun=True, error=error))
        finally:
            self._running.pop(task, None)
