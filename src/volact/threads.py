"""A bounded number of threads for calls that block, awaited from an event loop.

For libraries that know no asyncio.  Daemon threads: a call that never returns
does not keep volact from ending.  The store's thread is not one of these: it
takes all that has come together as one transaction.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from volact.errors import TransportError
from volact.model.text import say

T = TypeVar("T")

_Job = Callable[[], None]


class BlockingCalls:
    """Runs plain functions, at most ``most`` at a time, in the order of asking.

    Args:
        most: how many at a time.  With 1 no two calls ever overlap.
        name: of the threads.
        idle_s: a thread with nothing to do for so long ends, and the next call
            starts another; ``None`` keeps it until ``end``.
    """

    def __init__(
        self, most: int = 16, *, name: str = "volact-calls", idle_s: float | None = 5.0
    ) -> None:
        self._most = most
        self._name = name
        self._idle_s = idle_s
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._alive = 0
        self._open = 0  # calls that have not returned

    async def run(self, function: Callable[[], T]) -> T:
        """The function's result or exception; ``TransportError`` where no thread can be had.

        Cancelled, it stops waiting; the call itself goes on.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._submit(lambda: _call(function, loop, future))
        return await future

    def end(self, last: Callable[[], None] | None = None) -> None:
        """No more calls: the threads end after those that wait and after ``last``."""
        if last is not None:
            with suppress(TransportError):  # no thread, so nothing to end in order
                self._submit(last)
        with self._lock:
            alive = self._alive
        for _ in range(alive):
            self._jobs.put(None)

    def _submit(self, job: _Job) -> None:
        with self._lock:
            self._open += 1
            more = self._alive < min(self._open, self._most)
            self._alive += more
        self._jobs.put(job)
        if more:
            try:
                threading.Thread(target=self._work, name=self._name, daemon=True).start()
            except RuntimeError as error:  # the system allows no more
                self._give_back(error)

    def _give_back(self, error: RuntimeError) -> None:
        """No thread came: another does the call, or none can."""
        with self._lock:
            self._alive -= 1
            if self._alive or self._jobs.empty():
                return
            self._jobs.get_nowait()
            self._open -= 1
        raise TransportError(
            "connect",
            say("this machine starts no more threads"),
            say("lower --concurrency, or raise the limit of processes of its container"),
            passing="unsent",
        ) from error

    def _work(self) -> None:
        while (job := self._next()) is not None:
            job()
            with self._lock:
                self._open -= 1
            del job  # while it waits, a thread holds on to nothing

    def _next(self) -> _Job | None:
        """The next call; ``None`` when the thread is to end."""
        try:
            job = self._jobs.get(timeout=self._idle_s)
        except queue.Empty:
            return self._last_chance()
        if job is None:
            with self._lock:
                self._alive -= 1
        return job

    def _last_chance(self) -> _Job | None:
        """Under the lock, a call that came just now: no other thread may be there for it."""
        with self._lock:
            try:
                return self._jobs.get_nowait()
            except queue.Empty:
                self._alive -= 1
                return None


def _call(
    function: Callable[[], Any], loop: asyncio.AbstractEventLoop, future: asyncio.Future[Any]
) -> None:
    """In the thread: the call, and its outcome handed to the loop."""
    try:
        outcome: tuple[Any, Exception | None] = (function(), None)
    except Exception as error:  # raised again where the call is awaited
        outcome = (None, error)
    try:
        loop.call_soon_threadsafe(_settle, future, *outcome)
    except RuntimeError:  # the loop is closed: the outcome has no reader
        return


def _settle(future: asyncio.Future[Any], value: Any, error: Exception | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(value)
    else:
        future.set_exception(error)
