"""Watches the tasks of a region: few calls, whatever the number of scripts.

Tasks of different invocations are asked for together, a hundred in a call;
what has ended is not asked for again.  Each invocation is looked at often at
first and ever more seldom later.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import msgspec

from volact.cloud.tencent import tat
from volact.cloud.tencent.calls import Calls
from volact.cloud.tencent.failures import ApiError
from volact.transports.tat.errand import Errand
from volact.transports.tat.gather import Background
from volact.transports.tat.outcome import finished, outcome

T = TypeVar("T")


class Rhythm(msgspec.Struct, frozen=True):
    """The waits between looks, in seconds: the first, how they grow, the longest."""

    first_s: float = 0.5
    growth: float = 1.5
    longest_s: float = 4.0


class _Watch:
    """One invocation and its errands that have no result yet."""

    def __init__(self, invocation: str, errands: Sequence[Errand], rhythm: Rhythm) -> None:
        self.invocation = invocation
        self.errands = {errand.value: errand for errand in errands}
        self._rhythm = rhythm
        self._wait_s = rhythm.first_s
        self.due = asyncio.get_running_loop().time() + rhythm.first_s

    def next_time(self) -> None:
        """Look again later than last time."""
        self._wait_s = min(self._wait_s * self._rhythm.growth, self._rhythm.longest_s)
        self.due = asyncio.get_running_loop().time() + self._wait_s

    def open(self) -> list[Errand]:
        """The errands that somebody still waits for."""
        for name, errand in tuple(self.errands.items()):
            if errand.settled or errand.given_up:
                del self.errands[name]
        return list(self.errands.values())

    @property
    def listed(self) -> bool:
        """Whether the id of every task is known."""
        return all(errand.task is not None for errand in self.errands.values())


class Poller:
    """The watches of one region; it works only while there are any."""

    def __init__(
        self, calls: Calls, rhythm: Rhythm, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._calls = calls
        self._rhythm = rhythm
        self._clock = clock
        self._watches: dict[str, _Watch] = {}
        self._news = asyncio.Event()
        self._background = Background()
        self._working = False

    def watch(self, invocation: str, errands: Sequence[Errand]) -> None:
        """Bring the results of an invocation's tasks."""
        self._watches[invocation] = _Watch(invocation, errands, self._rhythm)
        self._news.set()
        if not self._working:
            self._working = True
            self._background.run(self._work())

    async def _work(self) -> None:
        try:
            while self._open():
                await self._until_due()
                now = asyncio.get_running_loop().time()
                await self._look([watch for watch in self._open() if watch.due <= now])
        except Exception as error:
            # Those who wait must hear of it: nobody else would.
            for watch in self._watches.values():
                for errand in watch.errands.values():
                    errand.settle(error)
        finally:
            self._working = False

    def _open(self) -> list[_Watch]:
        for name, watch in tuple(self._watches.items()):
            if not watch.open():
                del self._watches[name]
        return list(self._watches.values())

    async def _until_due(self) -> None:
        """Sleep until a watch is due, or until there is a new one."""
        self._news.clear()
        due = min(watch.due for watch in self._watches.values())
        left = due - asyncio.get_running_loop().time()
        if left <= 0:
            return
        try:
            async with asyncio.timeout(left):
                await self._news.wait()
        except TimeoutError:
            return

    async def _look(self, watches: Sequence[_Watch]) -> None:
        for watch in watches:
            watch.next_time()
        new = [watch for watch in watches if not watch.listed]
        known = [e for watch in watches if watch.listed for e in watch.errands.values()]
        looks = [self._list(some) for some in chunks(new, tat.MAX_FILTER_VALUES)]
        looks += [self._ask(some) for some in chunks(known, tat.MAX_IDS)]
        await asyncio.gather(*looks)

    async def _list(self, watches: Sequence[_Watch]) -> None:
        try:
            self._take(await tat.tasks_of(self._calls, [watch.invocation for watch in watches]))
        except ApiError as error:
            _failed(error, [errand for watch in watches for errand in watch.errands.values()])

    async def _ask(self, errands: Sequence[Errand]) -> None:
        ids = [errand.task.invocation_task_id for errand in errands if errand.task is not None]
        try:
            self._take(await tat.tasks(self._calls, ids))
        except ApiError as error:
            _failed(error, errands)

    def _take(self, tasks: Iterable[tat.Task]) -> None:
        answered = self._clock()
        for task in tasks:
            watch = self._watches.get(task.invocation_id)
            errand = watch.errands.get(task.instance_id) if watch else None
            if errand is None:
                continue
            errand.task, errand.trouble = task, None
            if finished(task):
                errand.settle(outcome(task, errand.asked, answered))


def _failed(error: ApiError, errands: Iterable[Errand]) -> None:
    """A look that failed: the script goes on, so what passes is waited out."""
    for errand in errands:
        errand.trouble = error
        if error.again == "never":
            errand.settle(error)


def chunks(items: Sequence[T], size: int) -> list[Sequence[T]]:
    """The items in pieces of at most ``size``."""
    return [items[start : start + size] for start in range(0, len(items), size)]
