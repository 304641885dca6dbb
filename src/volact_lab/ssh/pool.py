"""Threads in which scripts run, so that the event loop stays free.

Daemon threads of a bounded number; one that does not come back in time is
abandoned and replaced, because a computation inside the script engine cannot be
interrupted.  Threads stay for the next pool: each has script engines that know the agent.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")
_Job = tuple[Callable[[], Any], asyncio.AbstractEventLoop, "asyncio.Future[Any]"]


class Pool:
    """Runs plain functions in threads."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self.lost = 0
        self._busy = 0
        self._guard = threading.Lock()

    @property
    def busy(self) -> bool:
        """Whether a function runs or waits for a thread."""
        return self._busy > 0

    def start(self) -> None:
        """Start the threads."""
        for _ in range(self._workers):
            self._spawn()

    def stop(self) -> None:
        """Let every thread end that can."""
        for _ in range(self._workers):
            self._jobs.put(None)

    def _spawn(self) -> None:
        try:
            works = _resting.pop()
        except IndexError:
            works = queue.SimpleQueue()
            threading.Thread(target=_live, args=(works,), name="lab-agent", daemon=True).start()
        works.put(self._work)

    async def run(self, function: Callable[[], T], limit_s: float) -> T:
        """The function's result; TimeoutError when its thread does not come back."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._count(1)
        self._jobs.put((function, loop, future))
        try:
            return await asyncio.wait_for(asyncio.shield(future), limit_s)
        except TimeoutError:
            self.lost += 1
            self._spawn()
            raise

    def _count(self, change: int) -> None:
        with self._guard:
            self._busy += change

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            function, loop, future = job
            try:
                outcome: tuple[Any, BaseException | None] = (function(), None)
            except Exception as error:  # handed over to the waiting task
                outcome = (None, error)
            self._count(-1)
            with suppress(RuntimeError):  # the loop is closed: the outcome has no reader
                loop.call_soon_threadsafe(_settle, future, *outcome)


_Works = queue.SimpleQueue[Callable[[], None]]
_resting: list[_Works] = []  # of the threads that have no pool


def _live(works: _Works) -> None:
    """A thread: it works for one pool after another."""
    while True:
        works.get()()
        _resting.append(works)


def _settle(future: asyncio.Future[Any], value: Any, error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(value)
    else:
        future.set_exception(error)
