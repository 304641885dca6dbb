"""The progress of runs as it happens: one poller a run in a process, however many watch.

The database is polled, so any process can answer for a run that others work on.  A reader
that is too slow misses what is no longer kept, and is told so; nothing waits for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa

from volact.client.answers import RunProgress
from volact.client.wire import RunInfo, RunState
from volact.errors import StoreError
from volact.queries.servers import ROW, run_server_of
from volact.queries.values import RunServer
from volact.service.run_list import RunListQuery
from volact.service.run_waves import waves_of
from volact.store.clock import CLOCKS_DIFFER, moment
from volact.store.store import Store, StoreSnapshot
from volact.store.tables import ROWS

_LOG = logging.getLogger(__name__)
POLL_S = 0.5
SILENCE_S = 15.0
_KEPT = 64
# Rows of several workers are committed out of order: this far back is read again.
_OVERLAP = timedelta(seconds=10)
OVER: frozenset[RunState] = frozenset({"done", "stopped", "cancelled", "failed", "refused"})


class RunFeed:
    """One run, polled as long as it is read and not over."""

    def __init__(self, store: Store, run: str, poll_s: float = POLL_S) -> None:
        self._store, self._run, self._poll_s = store, run, poll_s
        self._kept: deque[RunProgress] = deque(maxlen=_KEPT)
        self._number = 0
        self._changed = asyncio.Event()
        self._info: RunInfo | None = None
        self._seen: dict[str, str] = {}  # server -> when its row was finished
        self._newest = ""
        self._task: asyncio.Task[None] | None = None
        self.readers = 0

    async def read(self) -> AsyncGenerator[RunProgress | None, None]:
        """What happens from now on; ``None`` where nothing did for a while; ends with the run.

        The first is the run as it is, without rows: those that are stored by then are not told.
        """
        self.readers += 1
        at = self._number
        try:
            if self._task is None:
                self._task = asyncio.create_task(self._poll())
            if self._kept:
                yield msgspec.structs.replace(self._kept[-1], rows=())
            while True:
                if at < self._number:
                    kept, at = self._after(at), self._number
                    for progress in kept:
                        yield progress
                elif self._over:
                    return
                elif not await self._next():
                    yield None
        finally:
            self.readers -= 1
            if not self.readers:
                await self._stop()

    async def _next(self) -> bool:
        """Wait for something new; whether it came."""
        with suppress(TimeoutError):
            async with asyncio.timeout(SILENCE_S):
                return await self._changed.wait()
        return False

    def _after(self, at: int) -> list[RunProgress]:
        behind = self._number - at
        kept = [*self._kept][-behind:]
        if behind > len(kept):
            kept[0] = msgspec.structs.replace(kept[0], missed=True)
        return kept

    @property
    def _over(self) -> bool:
        return self._info is not None and self._info.state in OVER

    async def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _poll(self) -> None:
        while not self._over:
            try:
                found = await asyncio.to_thread(self._look)
            except StoreError as error:  # the readers wait; the next query may succeed
                _LOG.warning("run %s: %s", self._run, error.line())
                found = None
            if found is not None:
                self._tell(found)
            if not self._over:
                await asyncio.sleep(self._poll_s)

    def _tell(self, progress: RunProgress) -> None:
        self._kept.append(progress)
        self._number += 1
        self._changed.set()
        self._changed = asyncio.Event()

    def _look(self) -> RunProgress | None:
        """What is new, if anything is."""
        with self._store.snapshot() as snapshot:
            info = RunListQuery().find(snapshot, self._run)
            first = self._info is None
            rows = rows_since(snapshot, self._run, self._newest or None)
            new = [row for row in rows if self._seen.get(row.name) != row.at]
            if info is None or (info == self._info and not new):
                return None
            waves = waves_of(snapshot, info)
        self._info = info
        self._seen.update({row.name: row.at for row in new})
        self._newest = max((row.at for row in new), default=self._newest)
        return RunProgress(run=info, rows=() if first else tuple(new), waves=waves)


def rows_since(snapshot: StoreSnapshot, run: str, at: str | None) -> list[RunServer]:
    """The rows that were finished since a moment or a little before, the oldest first."""
    query = sa.select(*ROW).where(ROWS.c.run == run).order_by(ROWS.c.at, ROWS.c.server)
    if at is not None:
        query = query.where(ROWS.c.at > overlap_start(at))

    def read(connection: sa.Connection) -> list[RunServer]:
        return [*map(run_server_of, connection.execute(query))]

    return snapshot.ask(read)


def overlap_start(at: str) -> str:
    """From when rows are read again that were finished since ``at``."""
    return moment(datetime.fromisoformat(at) - _OVERLAP)


class RunFeeds:
    """The feeds of a process, by run."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._feeds: dict[str, RunFeed] = {}

    async def read(self, run: str) -> AsyncGenerator[RunProgress | None, None]:
        """See ``RunFeed.read``."""
        feed = self._feeds.get(run)
        if feed is None or not feed.readers:  # one that is being stopped loses what it has read
            feed = self._feeds[run] = RunFeed(self._store, run)
        try:
            async with aclosing(feed.read()) as found:
                async for progress in found:
                    yield progress
        finally:
            if not feed.readers and self._feeds.get(run) is feed:
                del self._feeds[run]


def newest_row(snapshot: StoreSnapshot, run: RunInfo) -> str:
    """When the newest row was finished; of a run without rows, before any worker may say so."""
    query = sa.select(sa.func.max(ROWS.c.at)).where(ROWS.c.run == run.id)
    found = snapshot.ask(lambda connection: connection.execute(query).scalar())
    return found or moment(run.requested - CLOCKS_DIFFER)


def frame(progress: RunProgress | None, name: str = "progress", id: str = "") -> bytes:
    """An event as ``text/event-stream``; a comment where nothing happened."""
    if progress is None:
        return b": nothing new\n\n"
    id = id or max((row.at for row in progress.rows), default="")
    head = f"event: {name}\n" + (f"id: {id}\n" if id else "")
    return head.encode() + b"data: " + msgspec.json.encode(progress) + b"\n\n"
