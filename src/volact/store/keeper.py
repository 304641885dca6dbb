"""Keeping a run while it goes on: what happens is handed to one thread that writes.

The run never waits for the database but once, before steps are sent, and then
no longer than it is known to be of use.  What waits here is bounded by the
servers at work, not by those of the run.  The database is opened by the thread,
so that a run begins at once.
"""

from __future__ import annotations

import asyncio
import threading
from queue import SimpleQueue
from typing import Any, Literal

from volact.model.intent import Intent
from volact.model.report import RunReport, ServerReport
from volact.model.text import raw, say
from volact.store.address import Address
from volact.store.clock import now
from volact.store.items import (
    END,
    Begun,
    Done,
    Dropped,
    Ended,
    Item,
    Passing,
    Seen,
    Sending,
    Withdrawn,
    release,
)
from volact.store.pack import encode
from volact.store.values import Kept, Opening

PATIENCE_S = 10.0  # how long a lock or a lost connection is waited out, once
_ROOM = 2000  # waiting items above which rows are taken no faster than they are written
HANG_S = 5.0  # beyond that: what does not even fail by then hangs
_END_S = 30.0  # what hangs does not keep a run from ending
_TORN_S = 2.0


class Keeper:
    """One run's way into the store; a ``Recorder`` of the pipeline."""

    def __init__(
        self,
        address: Address,
        opening: Opening,
        *,
        patience_s: float = PATIENCE_S,
        hang_s: float = HANG_S,
    ) -> None:
        self._queue: SimpleQueue[Item] = SimpleQueue()
        self._address = address
        self._opening = opening
        self._begun = now()  # runs stand in this order, however long the library then loads
        self._patience_s = patience_s
        self._limit_s = patience_s + hang_s
        self._kept = Kept(anything=False)
        self._over = False  # the thread takes nothing any more
        self._unanswered: asyncio.Future[None] | None = None
        self._guard = threading.Lock()
        self._thread = threading.Thread(target=self._write, name="volact-store", daemon=True)

    def start(self) -> None:
        """Begin to write; the run is in the store from now on."""
        self._queue.put(Begun())
        self._thread.start()

    def seen(self, server: str, look: Literal["first", "closing"], facts: dict[str, Any]) -> None:
        """Take the raw facts of one look."""
        self._put(Seen(server, now(), look, encode(facts)))

    async def sending(self, intent: Intent) -> None:
        """Return when the intent is written durably, or when it is known that it cannot be."""
        written = asyncio.get_running_loop().create_future()
        self._put(Sending(intent, written))
        await self._answer(written)

    def withdrawn(self, intent: Intent) -> None:
        """Take back steps that never ran."""
        self._put(Withdrawn(intent))

    def row(self, report: ServerReport) -> None:
        """Take a finished row."""
        self._put(Done(now(), report))

    async def room(self) -> None:
        """Wait while too much waits to be written."""
        if self._queue.qsize() > _ROOM:
            passed = asyncio.get_running_loop().create_future()
            self._put(Passing(passed))
            await self._answer(passed)

    def finish(self, report: RunReport) -> Kept:
        """Write the run's end; what came of keeping it."""
        self._put(Ended(report))
        self._thread.join(_TORN_S if self._hangs else self._patience_s + _END_S)
        if self._thread.is_alive():
            why = say("the store does not answer")
            return Kept(anything=False, trouble=say("not all of this run is kept: {why}", why=why))
        return self._kept

    def abandon(self) -> None:
        """The run is torn off: write what waits, and leave it unfinished."""
        self._put(Dropped())
        self._thread.join(_TORN_S)

    @property
    def _hangs(self) -> bool:
        """Whether somebody waited in vain, and nothing has been heard since."""
        return self._unanswered is not None and not self._unanswered.done()

    async def _answer(self, written: asyncio.Future[None]) -> None:
        """Wait, but for a database that hangs only once and not for ever."""
        if self._hangs:
            return
        await asyncio.wait([written], timeout=self._limit_s)
        if not written.done():
            self._unanswered = written

    def _put(self, item: Item) -> None:
        with self._guard:
            full = self._hangs and self._queue.qsize() > _ROOM and not isinstance(item, END)
            if not self._over and not full:
                self._queue.put(item)
                return
        release([item])

    def _write(self) -> None:
        """The thread."""
        try:
            from volact.store.writer import Writer  # noqa: PLC0415 - brings SQLAlchemy

            writer = Writer(self._address, self._opening, self._begun, self._patience_s)
            self._kept = writer.work(self._queue)
        except BaseException as error:  # whatever it is, nobody may wait for this thread
            trouble = say("a defect of volact: {what}", what=raw(type(error).__name__))
            self._kept = Kept(anything=False, trouble=trouble)
            raise
        finally:
            self._close()

    def _close(self) -> None:
        with self._guard:
            self._over = True
        left: list[Item] = []
        while not self._queue.empty():
            left.append(self._queue.get())
        release(left)
