"""One thread that does one thing after another, for a library that blocks.

A thread belongs to one connection, so that its calls never overlap.  It is a
daemon: a call that a dead server never answers does not keep volact from
ending.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")
_Job = tuple[Callable[[], Any], "asyncio.Future[Any] | None"]


class Worker:
    """A thread for the calls of one connection."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        threading.Thread(target=self._work, name=f"winrm {name}", daemon=True).start()

    async def do(self, call: Callable[[], T]) -> T:
        """The result of a call.

        Cancelled, it stops waiting; the call itself goes on, and what is asked
        for next waits for it.
        """
        future: asyncio.Future[T] = self._loop.create_future()
        self._jobs.put((call, future))
        return await future

    def end(self, last: Callable[[], None] | None = None) -> None:
        """No more calls: the thread ends after the last, for which nobody waits."""
        if last is not None:
            self._jobs.put((last, None))
        self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            self._one(*job)
            del job  # while it waits, a thread holds on to nothing

    def _one(self, call: Callable[[], Any], future: asyncio.Future[Any] | None) -> None:
        if future is None:
            call()
            return
        try:
            outcome: tuple[Any, Exception | None] = (call(), None)
        except Exception as error:  # handed over to whoever waits
            outcome = (None, error)
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(_settle, future, *outcome)


def _settle(future: asyncio.Future[Any], value: Any, error: Exception | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(value)
    else:
        future.set_exception(error)
