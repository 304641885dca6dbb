"""A bounded number of threads for calls that block.

Daemon threads: when somebody wants volact to end at once, a request that
nobody waits for any more must not hold it up.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")

_Job = tuple[Callable[[], Any], asyncio.AbstractEventLoop, "asyncio.Future[Any]"]
# A thread with nothing to do for so long ends; the next call starts another.
_IDLE_S = 5.0


class Threads:
    """Runs plain functions, at most ``most`` at a time."""

    def __init__(self, most: int = 16) -> None:
        self._most = most
        self._jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._alive = 0
        self._busy = 0

    async def run(self, function: Callable[[], T]) -> T:
        """The function's result or exception; a caller that leaves does not stop it."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        with self._lock:
            self._busy += 1
            more = self._alive < min(self._busy, self._most)
            self._alive += more
        self._jobs.put((function, loop, future))
        if more:
            threading.Thread(target=self._work, name="volact-cloud", daemon=True).start()
        return await future

    def _work(self) -> None:
        while (job := self._next()) is not None:
            function, loop, future = job
            try:
                outcome: tuple[Any, BaseException | None] = (function(), None)
            except Exception as error:  # handed to whoever waits
                outcome = (None, error)
            with self._lock:
                self._busy -= 1
            _hand_over(loop, future, *outcome)

    def _next(self) -> _Job | None:
        try:
            return self._jobs.get(timeout=_IDLE_S)
        except queue.Empty:
            with self._lock:
                if not self._jobs.empty():
                    return self._jobs.get()
                self._alive -= 1
                return None


def _hand_over(
    loop: asyncio.AbstractEventLoop,
    future: asyncio.Future[Any],
    value: Any,
    error: BaseException | None,
) -> None:
    try:
        loop.call_soon_threadsafe(_settle, future, value, error)
    except RuntimeError:  # the loop is closed: nobody waits
        return


def _settle(future: asyncio.Future[Any], value: Any, error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(value)
    else:
        future.set_exception(error)
