"""Gathers requests that come at nearly the same time and hands them over together.

Nothing here knows of clouds.  Each request is awaited by itself: one that is
abandoned takes nothing from the others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Sequence
from typing import Any, Generic, TypeVar

V = TypeVar("V")
R = TypeVar("R")
K = TypeVar("K", bound=Hashable)


class PendingResult(Generic[V, R]):
    """A request and its result to come; an error is kept until the result is awaited."""

    def __init__(self, value: V) -> None:
        self.value = value
        self._future: asyncio.Future[R | Exception] = asyncio.get_running_loop().create_future()

    @property
    def is_set(self) -> bool:
        """Whether there is a result."""
        return self._future.done()

    def set(self, result: R | Exception) -> None:
        """Give the result; a later one is passed over."""
        if not self._future.done():
            self._future.set_result(result)

    async def result(self) -> R:
        """Wait for the result, or raise the error."""
        got = await asyncio.shield(self._future)
        if isinstance(got, Exception):
            raise got
        return got


W = TypeVar("W", bound=PendingResult[Any, Any])


class Background:
    """Tasks without an awaiter, kept from being collected while they run."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def run(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start a task."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


# A stream of items that never pauses is handed over after so many windows.
_AT_MOST = 5


class Gatherer(Generic[K, W]):
    """Groups items by key until none has come for ``window_s``, or there are ``most``."""

    def __init__(
        self,
        handle: Callable[[K, Sequence[W]], Awaitable[None]],
        *,
        window_s: float,
        most: int,
    ) -> None:
        self._handle = handle
        self._window_s = window_s
        self._most = most
        self._groups: dict[K, list[W]] = {}
        self._begun: dict[K, float] = {}
        self._timers: dict[K, asyncio.TimerHandle] = {}
        self._background = Background()

    def add(self, key: K, item: W) -> None:
        """Take an item in; its group is handled soon."""
        group = self._groups.setdefault(key, [])
        group.append(item)
        self._forget_timer(key)
        if len(group) >= self._most:
            self._close(key)
            return
        loop = asyncio.get_running_loop()
        latest = self._begun.setdefault(key, loop.time()) + self._window_s * _AT_MOST
        when = min(loop.time() + self._window_s, latest)
        self._timers[key] = loop.call_at(when, self._close, key)

    def _forget_timer(self, key: K) -> None:
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()

    def _close(self, key: K) -> None:
        self._forget_timer(key)
        self._begun.pop(key, None)
        self._background.run(self._handled(key, self._groups.pop(key)))

    async def _handled(self, key: K, group: list[W]) -> None:
        try:
            await self._handle(key, group)
        except Exception as error:
            # Every request of the group fails with it; it has no other reader.
            for item in group:
                item.set(error)
