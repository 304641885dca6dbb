"""One answer for all who ask the same while nothing is committed, or at the same time.

An answer is kept until runs or servers change: a caller gets one that was begun after the caller
asked, or that would be the same.  Or many ask for one each of the same kind, which are then
looked up together, and kept until anything is committed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Mapping, Set
from concurrent.futures import Executor, ThreadPoolExecutor
from contextvars import copy_context
from datetime import datetime
from typing import Any, TypeVar

from volact.store.store import Store
from volact.store.version import Version

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)
_VERSION = object()
_MOST = 64  # answers that are kept
_MOST_KEYS = 10_000
_KEPT_S = 10  # an answer holds days that are left; what was looked up, when a sign-in ends
_UNKNOWN = Version(None, None)
# SQLite works in this process: more threads of it than that wait for each other.
_THREADS, _MANY_THREADS = 2, 8


class _Turn:
    """One asking of a question: callers join it until it begins."""

    def __init__(
        self, before: asyncio.Task[Any] | None, work: Callable[[Set[Any]], Any], threads: Executor
    ) -> None:
        self.begun = False
        self.keys: set[Any] = set()
        self.task: asyncio.Task[Any] = asyncio.create_task(self._run(before, work, threads))

    async def _run(
        self, before: asyncio.Task[Any] | None, work: Callable[[Set[Any]], Any], threads: Executor
    ) -> Any:
        # Those who ask at the same time are in one turn of the event loop.
        await (asyncio.sleep(0) if before is None else asyncio.wait((before,)))
        self.begun = True
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(threads, copy_context().run, work, self.keys)


class SharedAnswers:
    """The questions under way in a process, and the answers of the newest version.

    Without a store nothing is kept.  What depends on the time is kept within ten seconds of
    ``now``, what was looked up within one.
    """

    def __init__(
        self, store: Store | None = None, now: Callable[[], datetime] | None = None
    ) -> None:
        self._store, self._now = store, now
        self._turns: dict[Hashable, _Turn] = {}
        in_file = store is not None and store.address.file is not None
        self._threads = ThreadPoolExecutor(_THREADS if in_file else _MANY_THREADS)
        self._version = _UNKNOWN
        self._kept: dict[Hashable, Any] = {}
        self._found: dict[tuple[Hashable, Hashable], Any] = {}

    async def ask(self, question: Hashable, work: Callable[[], T]) -> T:
        """The answer of ``work``, which runs in a thread.

        ``question`` names all that the answer depends on beside runs, servers and the time.  A
        caller who goes away ends nothing that others wait for.
        """
        version = (await self._require_version()).servers
        if question in self._kept:
            return self._kept[question]  # type: ignore[no-any-return]
        key = question if version is None else (question, version)
        answer: T = await asyncio.shield(self._turn(key, lambda _: work(), version).task)
        if version is not None and version == self._version.servers:
            self._kept[question] = answer
            if len(self._kept) > _MOST:
                del self._kept[next(iter(self._kept))]
        return answer

    async def kept(self, question: Hashable) -> Any | None:
        """The answer to ``ask`` that is kept; ``None``: none is."""
        if question in self._kept:
            await self._require_version()
        return self._kept.get(question)

    async def look_up(
        self, kind: Hashable, key: K, work: Callable[[Set[K]], Mapping[K, T]]
    ) -> T | None:
        """What ``work`` finds of a key; it is given the keys of all who ask for this kind."""
        version = (await self._require_version()).database
        if (kind, key) in self._found:
            return self._found[kind, key]  # type: ignore[no-any-return]
        turn = self._turn(kind, work)
        turn.keys.add(key)
        found: Mapping[K, T] = await asyncio.shield(turn.task)
        answer = found.get(key)
        known = version is not None and version == self._version.database
        if known and answer is not None and len(self._found) < _MOST_KEYS:
            self._found[kind, key] = answer
        return answer

    async def _require_version(self) -> Version:
        """The version with the time; what is kept of another is forgotten."""
        if self._store is None or self._now is None:
            return _UNKNOWN
        if self._store.address.file is not None:
            version = self._store.version()
        else:
            store = self._store
            version = await asyncio.shield(self._turn(_VERSION, lambda _: store.version()).task)
        new, second = _UNKNOWN, int(self._now().timestamp())
        if version is not None:
            new = Version((version.database, second), (version.servers, second // _KEPT_S))
        if version is None or new.servers != self._version.servers:
            self._kept.clear()
        if version is None or new.database != self._version.database:
            self._found.clear()
        self._version = new
        return new

    def _turn(
        self, question: Hashable, work: Callable[[Set[Any]], Any], version: Hashable = None
    ) -> _Turn:
        """The turn to join: one that has not begun, or of the version that a caller knows."""
        turn = self._turns.get(question)
        if turn is None or (turn.begun and version is None):
            before = turn.task if turn else None
            turn = self._turns[question] = _Turn(before, work, self._threads)
            turn.task.add_done_callback(lambda _: self._forget(question))
        return turn

    def _forget(self, question: Hashable) -> None:
        """Forget the newest turn of a question, unless another came after what ended."""
        turn = self._turns.get(question)
        if turn is not None and turn.task.done():
            del self._turns[question]
