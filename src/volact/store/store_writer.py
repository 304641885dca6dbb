"""Writing a run to the store while it goes on: events go to one thread that writes them.

The run waits for the database only before steps are sent, and then no longer than
``patience_s`` and ``hang_s`` together.  What waits here is bounded by the servers at work,
not by those of the run; while the database hangs, rows and facts beyond that are left out and
counted, and steps are kept.  The thread opens the database, so that a run begins at once.
"""

from __future__ import annotations

import asyncio
import threading
from queue import SimpleQueue
from typing import Any, Literal

from msgspec.structs import replace

from volact.model.report import RunReport, ServerReport
from volact.model.step import Intent
from volact.model.text import Text, count, raw, say
from volact.store.address import StoreAddress
from volact.store.clock import now
from volact.store.encoding import encode
from volact.store.events import (
    Barrier,
    FactsSeen,
    RunAborted,
    RunBegun,
    RunEnded,
    ServerDone,
    StepsPlanned,
    StepsWithdrawn,
    StoreEvent,
    resolve,
)
from volact.store.values import RunStart, WriteOutcome

GATHER_S = 1.0  # how long rows wait for more: a commit costs as much as several rows
PATIENCE_S = 10.0  # how long a lock or a lost connection is retried, once
_QUEUE_LIMIT = 2000  # events above which rows are taken no faster than they are written
HANG_S = 5.0  # beyond patience: a write that has not even failed by then hangs
_END_S = 30.0  # a write that hangs does not keep a run from ending
_ABORT_S = 2.0


class StoreWriter:
    """Writes one run; a ``RunRecorder`` of the pipeline.

    ``start`` once, then events in any order, then ``finish`` or ``abandon`` once::

        writer = StoreWriter(address, RunStart(id=id, command="check", ...))
        writer.start()
        writer.row(report)
        outcome = writer.finish(run_report)

    No method raises for a fault of the database; ``finish`` reports what was not written.
    ``seen``, ``withdrawn`` and ``row`` never wait.
    """

    def __init__(
        self,
        address: StoreAddress,
        run: RunStart,
        *,
        patience_s: float = PATIENCE_S,
        hang_s: float = HANG_S,
        gather_s: float = GATHER_S,
    ) -> None:
        self._queue: SimpleQueue[StoreEvent] = SimpleQueue()
        self._address = address
        self._run = run
        self._begun = now()  # the order of runs, however long the library then loads
        self._patience_s = patience_s
        self._gather_s = gather_s
        self._limit_s = patience_s + hang_s
        self._outcome = WriteOutcome(stored=False)
        self._stopped = False  # the thread takes no event any more
        self._left_out: set[str] = set()  # servers with rows or facts that are not written
        self._unanswered: asyncio.Future[None] | None = None
        self._guard = threading.Lock()
        self._thread = threading.Thread(target=self._write, name="volact-store", daemon=True)

    def start(self) -> None:
        """Start the thread; the run is in the store from now on."""
        self._queue.put(RunBegun())
        self._thread.start()

    def seen(self, server: str, probe: Literal["first", "closing"], facts: dict[str, Any]) -> None:
        """Write the raw facts of one probe."""
        self._put(FactsSeen(server, now(), probe, encode(facts)))

    async def sending(self, intent: Intent) -> None:
        """Return when the intent is on the disk, or when it is known that it cannot be."""
        written = asyncio.get_running_loop().create_future()
        self._put(StepsPlanned(intent, written))
        await self._wait_for(written)

    def withdrawn(self, intent: Intent) -> None:
        """Delete an intent of which no step ran."""
        self._put(StepsWithdrawn(intent))

    def row(self, report: ServerReport) -> None:
        """Write a finished row."""
        self._put(ServerDone(now(), report))

    async def room(self) -> None:
        """Wait while the queue is too long, but not for a database that hangs."""
        if self._queue.qsize() > _QUEUE_LIMIT and not self._hangs:
            passed = asyncio.get_running_loop().create_future()
            self._put(Barrier(passed))
            await self._wait_for(passed)

    def finish(self, report: RunReport) -> WriteOutcome:
        """Write the end of the run, and return what was written and what was not."""
        problem = self._problem()
        notes = (*report.notes, problem) if problem else report.notes
        self._put(RunEnded(replace(report, notes=notes)))
        self._thread.join(_ABORT_S if self._hangs else self._patience_s + _END_S)
        if self._thread.is_alive():
            return WriteOutcome(stored=False, problem=_incomplete(say("the store does not answer")))
        return replace(self._outcome, problem=self._outcome.problem or problem)

    def abandon(self) -> None:
        """End without a report: write what waits, and leave the run unfinished."""
        self._put(RunAborted())
        self._thread.join(_ABORT_S)

    @property
    def _hangs(self) -> bool:
        """Whether a wait timed out, and its event is still not dealt with."""
        return self._unanswered is not None and not self._unanswered.done()

    async def _wait_for(self, written: asyncio.Future[None]) -> None:
        """Wait with a limit, and not at all while the database hangs."""
        if self._hangs:
            return
        await asyncio.wait([written], timeout=self._limit_s)
        if not written.done():
            self._unanswered = written

    def _put(self, event: StoreEvent) -> None:
        with self._guard:
            full = self._hangs and self._queue.qsize() > _QUEUE_LIMIT
            if full and isinstance(event, FactsSeen | ServerDone):
                self._left_out.add(_server_of(event))
                return
            if not self._stopped:
                self._queue.put(event)
                return
        resolve([event])

    def _problem(self) -> Text:
        """What was left out, ``""`` if nothing was."""
        if not self._left_out:
            return Text("")
        return _incomplete(
            count(
                len(self._left_out),
                "the store did not answer for a time, and the results of {n} server are missing",
                "the store did not answer for a time, and the results of {n} servers are missing",
            )
        )

    def _write(self) -> None:
        """The thread."""
        try:
            from volact.store.commit_loop import CommitLoop  # noqa: PLC0415 - brings SQLAlchemy

            loop = CommitLoop(self._address, self._run, self._begun, self._patience_s)
            self._outcome = loop.run(self._queue, self._gather_s)
        except BaseException as error:  # after any error: no task may wait for this thread
            problem = say("a bug in volact: {what}", what=raw(type(error).__name__))
            self._outcome = WriteOutcome(stored=False, problem=problem)
            raise
        finally:
            self._stop()

    def _stop(self) -> None:
        with self._guard:
            self._stopped = True
        left: list[StoreEvent] = []
        while not self._queue.empty():
            left.append(self._queue.get())
        resolve(left)


def _server_of(event: FactsSeen | ServerDone) -> str:
    return event.server if isinstance(event, FactsSeen) else event.report.name


def _incomplete(why: Text) -> Text:
    return say("this run is not stored completely: {why}", why=why)
