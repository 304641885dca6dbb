"""What a worker writes: one thread that commits together what waits together.

Rows wait up to a second for more rows, as in the store: a commit costs as much as several
rows.  What a task waits for is committed at once, with all rows that wait.  Nothing is
committed without the worker's lease.  A database that is away is waited for: without it a
worker can do nothing else.
"""

from __future__ import annotations

import logging
import threading
import time
from asyncio import wrap_future
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from contextvars import Context, copy_context
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa

from volact.errors import StoreError, TransportError
from volact.fleet.failure_policy import FailureLimits
from volact.model.error_text import error_text
from volact.model.text import say
from volact.service.engine import progress
from volact.service.engine.lease import Lease, LeaseLostError
from volact.service.engine.progress import Outcome
from volact.store.engine import writing
from volact.store.events import ServerDone, StoreEvent
from volact.store.failures import CAUGHT, database_error, kind_of
from volact.store.statements import EventBatch, write
from volact.store.store import Store
from volact.store.values import RunStart

T = TypeVar("T")
_LOG = logging.getLogger("volact.service")
_TOGETHER = 500
_GATHER_S = 1.0  # how long rows wait for more rows
_JUDGED_S = 0.1  # the same where the stop rules judge them before more servers begin
_PAUSE_S = 0.2


class RunWriting(msgspec.Struct, frozen=True, kw_only=True):
    """What is the same for everything that is written of a run."""

    start: RunStart
    begun: str
    attempt: int
    limits: FailureLimits | None


class _Entry(msgspec.Struct, frozen=True, kw_only=True):
    answer: Future[Any] | None = None
    ask: Callable[[sa.Connection], Any] | None = None  # what follows is written if it says so
    run: RunWriting | None = None
    event: StoreEvent | None = None
    outcome: Outcome | None = None
    context: Context = msgspec.field(default_factory=copy_context)  # for the log


class Ledger:
    """Writes for one worker; its methods may be called in any thread."""

    def __init__(self, store: Store, lease: Lease, on_lost: Callable[[], None]) -> None:
        self._store = store
        self._lease = lease
        self._on_lost = on_lost
        self._queue: SimpleQueue[_Entry | None] = SimpleQueue()
        self._judged, self._asked = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._work, name="volact-ledger", daemon=True)
        self._thread.start()

    def put(self, question: Callable[[sa.Connection], T]) -> Future[T]:
        """The answer of a function that may write, once it is committed."""
        return self._put(ask=question)

    async def ask(self, question: Callable[[sa.Connection], T]) -> T:
        """The same, waited for; ``StoreError`` where it cannot be committed."""
        return await self._committed(self.put(question))

    def note(self, run: RunWriting, event: StoreEvent) -> None:
        """Write an event of a run; never waits."""
        self._add(_Entry(run=run, event=event))

    async def write_if(
        self, question: Callable[[sa.Connection], bool], run: RunWriting, event: StoreEvent
    ) -> bool:
        """Write an event if the function says so, in the same transaction; fails as ``ask``."""
        return bool(await self._committed(self._put(ask=question, run=run, event=event)))

    def finished(self, run: RunWriting, event: StoreEvent, outcome: Outcome) -> Future[bool]:
        """Write a server's row and outcome; whether the run may go on by its stop rules."""
        return self._put(run=run, event=event, outcome=outcome)

    async def flush(self) -> None:
        """Return when everything before is dealt with."""
        await self.ask(lambda _: None)

    def close(self) -> None:
        """Write what waits, then end."""
        self._add(None)
        self._thread.join()

    async def _committed(self, answer: Future[T]) -> T:
        try:
            return await wrap_future(answer)
        except CAUGHT as error:
            raise database_error(error, self._store.address) from error

    def _put(self, **parts: Any) -> Future[Any]:
        answer: Future[Any] = Future()
        self._add(_Entry(answer=answer, **parts))
        return answer

    def _add(self, entry: _Entry | None) -> None:
        """Hand it to the thread, which is woken only for what does not wait for more."""
        self._queue.put(entry)
        judged = entry is None or (entry.outcome and entry.run and entry.run.limits)
        asked = entry is None or entry.ask
        if judged or asked:
            self._judged.set()
        if asked:
            self._asked.set()

    def _work(self) -> None:
        ended = False
        while not ended:
            entries, ended = self._gather()
            try:
                self._commit_some(entries)
            except LeaseLostError:
                self._on_lost()
                return

    def _gather(self) -> tuple[list[_Entry], bool]:
        """What waits, and whether it is the last; rows alone wait for more."""
        entry = self._queue.get()
        if self._judged.wait(_GATHER_S):
            self._asked.wait(_JUDGED_S)
        # Before the queue is read: what is put meanwhile is read now, or asks again.
        self._judged.clear()
        self._asked.clear()
        entries: list[_Entry] = []
        with suppress(Empty):
            while entry is not None:
                entries.append(entry)
                if len(entries) == _TOGETHER:
                    self._judged.set()  # what is left does not wait
                    self._asked.set()
                    break
                entry = self._queue.get_nowait()
        return entries, entry is None

    def _commit_some(self, entries: Sequence[_Entry]) -> None:
        """Commit these together, or each alone where one of them cannot be written."""
        if not entries:
            return
        try:
            answers = patiently(self._store, lambda connection: self._write(connection, entries))
        except LeaseLostError:
            raise
        except Exception as error:  # of any kind: tasks wait for this thread
            if len(entries) > 1:
                for entry in entries:
                    self._commit_some([entry])
                return
            entries[0].context.run(_LOG.warning, "not written: %s", error)
            _resolve(entries[0], error=error)
            return
        for entry, answer in zip(entries, answers, strict=True):
            _resolve(entry, answer=answer)

    def _write(self, connection: sa.Connection, entries: Sequence[_Entry]) -> list[Any]:
        self._lease.require(connection)
        answers = [True if one.ask is None else one.ask(connection) for one in entries]
        allowed = [one for one, answer in zip(entries, answers, strict=True) if answer]
        goes_on = {
            run.start.id: self._write_run(
                connection, run, [one for one in allowed if one.run is run]
            )
            for run in {id(one.run): one.run for one in allowed if one.run is not None}.values()
        }
        return [
            goes_on[one.run.start.id] if one.run is not None and one.outcome is not None else answer
            for one, answer in zip(entries, answers, strict=True)
        ]

    def _write_run(self, connection: sa.Connection, run: RunWriting, entries: list[_Entry]) -> bool:
        """Write the events and outcomes of one run; whether it may go on."""
        # Readers ask for rows since a time: that of the commit, however long a row has waited.
        at = self._lease.now()
        events = [
            ServerDone(at, one.event.report) if isinstance(one.event, ServerDone) else one.event
            for one in entries
            if one.event is not None
        ]
        write(connection, EventBatch(run.start, run.begun, events), first=True, now=at)
        outcomes = [one.outcome for one in entries if one.outcome is not None]
        if not outcomes:
            return True
        return progress.record(connection, run.start.id, run.attempt, outcomes, run.limits)


def patiently(store: Store, work: Callable[[sa.Connection], T]) -> T:
    """The committed answer of a function, however long the database is away."""
    while True:
        try:
            with writing(store.engine).begin() as connection:
                return work(connection)
        except CAUGHT as error:
            if kind_of(database_error(error, store.address)) not in {"locked", "gone"}:
                raise
            time.sleep(_PAUSE_S)


def not_changed(error: StoreError) -> TransportError:
    """The error of a server that got no steps because the database failed."""
    return TransportError("not-begun", say("not changed: {why}", why=error_text(error)))


def _resolve(entry: _Entry, answer: Any = None, error: Exception | None = None) -> None:
    if entry.answer is None or not entry.answer.set_running_or_notify_cancel():
        return  # nothing waits for it, or its task is gone
    if error is not None:
        entry.answer.set_exception(error)
    else:
        entry.answer.set_result(answer)
