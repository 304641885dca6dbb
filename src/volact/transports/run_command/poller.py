"""Polls the tasks of one scope: few calls for any number of scripts.

Tasks of different invocations are asked for together, as many as the cloud
takes in a call; what has ended is not asked for again.  Each invocation is
polled often at first and ever more seldom later.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial

from volact.cloud.base import ApiError, PollInterval, RunCommand, TaskState
from volact.cloud.batches import chunks
from volact.transports.run_command.gather import Background
from volact.transports.run_command.invocation import CommandInvocation, raw_of


class _Watch:
    """The instances of one invocation that have no result yet."""

    def __init__(
        self, invocation: str, invocations: Sequence[CommandInvocation], interval: PollInterval
    ) -> None:
        self.invocation = invocation
        self.by_instance = {item.value: item for item in invocations}
        self.asking = False  # a question about it is not answered yet
        self._interval = interval
        self._wait_s = interval.first_s
        self.due = asyncio.get_running_loop().time() + interval.first_s

    def next_time(self) -> None:
        """Make the next poll due, later than the last."""
        self._wait_s = min(self._wait_s * self._interval.growth, self._interval.longest_s)
        self.due = asyncio.get_running_loop().time() + self._wait_s

    def open(self) -> list[CommandInvocation]:
        """What is still awaited."""
        for name, item in tuple(self.by_instance.items()):
            if item.is_set or item.given_up:
                del self.by_instance[name]
        return list(self.by_instance.values())

    @property
    def has_ids(self) -> bool:
        """Whether the id of every task is known."""
        return all(item.task is not None for item in self.by_instance.values())


class Poller:
    """The watches of one scope; it works only while there are any.

    Args:
        command: where the tasks are.
        interval: the pauses between polls.
        clock: Unix time.
    """

    def __init__(
        self, command: RunCommand, interval: PollInterval, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._command = command
        self._interval = interval
        self._clock = clock
        self._watches: dict[str, _Watch] = {}
        self._news = asyncio.Event()
        self._background = Background()
        self._working = False

    def watch(self, invocation: str, invocations: Sequence[CommandInvocation]) -> None:
        """Bring the results of the tasks that the cloud has under one id."""
        self._watches[invocation] = _Watch(invocation, invocations, self._interval)
        self._news.set()
        if not self._working:
            self._working = True
            self._background.run(self._work())

    async def _work(self) -> None:
        try:
            while self._open():
                await self._until_due()
                now = asyncio.get_running_loop().time()
                due = [watch for watch in self._open() if watch.due <= now and not watch.asking]
                self._poll(due)
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
        due = [watch.due for watch in self._watches.values() if not watch.asking]
        try:
            async with asyncio.timeout_at(min(due, default=None)):
                await self._news.wait()
        except TimeoutError:
            return

    def _poll(self, watches: Sequence[_Watch]) -> None:
        """Ask; a question that takes long holds up no other."""
        limits = self._command.limits
        by_id = [watch for watch in watches if watch.has_ids and limits.tasks_per_poll]
        others = [watch for watch in watches if watch not in by_id]
        for some in chunks(others, limits.invocations_per_poll):
            self._begin(some, partial(self._list, some))
        if by_id:
            self._begin(by_id, partial(self._ask_all, by_id))

    def _begin(self, watches: Sequence[_Watch], ask: Callable[[], Awaitable[None]]) -> None:
        for watch in watches:
            watch.next_time()
            watch.asking = True
        self._background.run(self._asked(watches, ask))

    async def _asked(self, watches: Sequence[_Watch], ask: Callable[[], Awaitable[None]]) -> None:
        try:
            await ask()
        except Exception as error:
            # Everything that was asked for fails with it; it has no other reader.
            for item in _items(watches):
                item.set(error)
        for watch in watches:
            watch.asking = False
        self._news.set()

    async def _list(self, watches: Sequence[_Watch]) -> None:
        awaited = {watch.invocation: tuple(watch.by_instance) for watch in watches}
        try:
            self._take(await self._command.tasks_of(awaited))
        except ApiError as error:
            _failed(error, _items(watches))

    async def _ask_all(self, watches: Sequence[_Watch]) -> None:
        asked = chunks(_items(watches), self._command.limits.tasks_per_poll)
        await asyncio.gather(*map(self._ask, asked))

    async def _ask(self, invocations: Sequence[CommandInvocation]) -> None:
        ids = [item.task.id for item in invocations if item.task is not None]
        try:
            self._take(await self._command.tasks(ids))
        except ApiError as error:
            _failed(error, invocations)

    def _take(self, tasks: Iterable[TaskState]) -> None:
        answered = self._clock()
        for task in tasks:
            watch = self._watches.get(task.invocation)
            item = watch.by_instance.get(task.instance) if watch else None
            if item is None:
                continue
            item.task, item.trouble = task, None
            if task.result is not None:
                item.set(raw_of(task.result, self._command.limits, item.asked, answered))


def _items(watches: Iterable[_Watch]) -> list[CommandInvocation]:
    return [item for watch in watches for item in watch.by_instance.values()]


def _failed(error: ApiError, invocations: Iterable[CommandInvocation]) -> None:
    """A poll that failed: the script goes on, so a passing error is waited out."""
    for invocation in invocations:
        invocation.trouble = error
        if error.again == "never":
            invocation.set(error)
