"""The thread's work: commit the events that wait together, and retry what may pass.

Steps that wait are committed at once, with all events that wait with them: two thousand
servers are a few commits.  Rows alone wait a moment for more rows.
"""

from __future__ import annotations

import time
from queue import Empty, SimpleQueue

import sqlalchemy as sa
from msgspec.structs import replace
from sqlalchemy import exc as sa_exc

from volact.errors import StoreError
from volact.model.error_text import error_text
from volact.model.text import Text, say
from volact.store.address import StoreAddress
from volact.store.clock import now
from volact.store.events import END, Barrier, RunBegun, RunEnded, StepsPlanned, StoreEvent, resolve
from volact.store.failures import CAUGHT, database_error, kind_of
from volact.store.statements import EventBatch, write
from volact.store.store import Store, open_address
from volact.store.values import RunStart, WriteOutcome

_BATCH = 500  # events in one commit
_BUSY_S = 0.5  # one attempt; the patience is many of them
_PAUSE_S = 0.2  # between attempts
_RETRY_S = 5.0  # after a failure that outlasts the patience: the pause before another attempt
_OF_ONE_EVENT = (sa_exc.DataError, sa_exc.IntegrityError)


class CommitLoop:
    """Writes one run's events until the run has ended."""

    def __init__(self, address: StoreAddress, run: RunStart, begun: str, patience_s: float) -> None:
        self._address = address
        self._run = run
        self._patience_s = patience_s
        self._begun = begun
        self._store: Store | None = None
        self._connection: sa.Connection | None = None
        self._run_is_there = False  # a database that was replaced has no run any more
        self._stored = False
        self._error: StoreError | None = None
        self._retry_at = 0.0

    def run(self, queue: SimpleQueue[StoreEvent], gather_s: float) -> WriteOutcome:
        """Write until the run has ended; never raises for a fault of the database."""
        try:
            ended = False
            while not ended:
                events = _gather(queue, gather_s)
                ended = isinstance(events[-1], END)
                try:
                    self._write(events, last=ended)
                finally:
                    resolve(events)
        finally:
            self._close()
        return WriteOutcome(stored=self._stored, problem=self._problem())

    def _write(self, events: list[StoreEvent], *, last: bool) -> None:
        """Commit these, or keep the reason why not."""
        if time.monotonic() < self._retry_at and not last:
            return
        try:
            self._commit_patiently(events)
        except CAUGHT as error:
            one = isinstance(error, _OF_ONE_EVENT)
            if one and len(events) > 1:
                for event in events:
                    self._write([event], last=last)
                return
            self._remember(database_error(error, self._address), lasting=not one)

    def _commit_patiently(self, events: list[StoreEvent]) -> None:
        until = time.monotonic() + (0.0 if self._error else self._patience_s)
        while True:
            try:
                self._commit(events)
            except CAUGHT as error:
                self._close()
                was_there, self._run_is_there = self._run_is_there, False
                if was_there and isinstance(error, sa_exc.IntegrityError):
                    continue  # another process has deleted the run: it is made anew
                transient = kind_of(database_error(error, self._address)) in {"locked", "gone"}
                if not transient or time.monotonic() > until:
                    raise
                time.sleep(_PAUSE_S)
            else:
                return

    def _commit(self, events: list[StoreEvent]) -> None:
        connection = self._open()
        batch = EventBatch(self._run, self._begun, [self._with_note(event) for event in events])
        with connection.begin():
            write(connection, batch, first=not self._run_is_there, now=now())
        self._run_is_there = self._stored = True

    def _open(self) -> sa.Connection:
        if self._connection is None:
            self._store = open_address(self._address, busy_s=_BUSY_S)
            assert self._store is not None
            self._connection = self._store.engine.connect().execution_options(writing=True)
        return self._connection

    def _with_note(self, event: StoreEvent) -> StoreEvent:
        """The end of an incompletely written run records that."""
        if not isinstance(event, RunEnded) or self._error is None:
            return event
        notes = (*event.report.notes, self._problem())
        return RunEnded(replace(event.report, notes=notes))

    def _remember(self, error: StoreError, *, lasting: bool) -> None:
        self._error = self._error or error
        if lasting:
            for_good = kind_of(error) == "lasting"
            self._retry_at = float("inf") if for_good else time.monotonic() + _RETRY_S

    def _problem(self) -> Text:
        if self._error is None:
            return Text("")
        why = error_text(self._error)
        if self._stored:
            return say("this run is not stored completely: {why}", why=why)
        return say("this run is not stored: {why}", why=why)

    def _close(self) -> None:
        """Close the connection; the next attempt opens another."""
        connection, store = self._connection, self._store
        self._connection = self._store = None
        try:
            if connection is not None:
                connection.close()
            if store is not None:
                store.close()
        except CAUGHT:
            return  # it is broken, which is why it is closed


def _gather(queue: SimpleQueue[StoreEvent], gather_s: float) -> list[StoreEvent]:
    """The events that wait; rows alone wait a moment for more."""
    events = [queue.get()]
    until = time.monotonic() + gather_s
    urgent = False
    while not isinstance(events[-1], END) and len(events) < _BATCH:
        urgent = urgent or isinstance(events[-1], RunBegun | StepsPlanned | Barrier)
        left = 0.0 if urgent else until - time.monotonic()
        try:
            events.append(queue.get(block=left > 0, timeout=max(left, 0.0)))
        except Empty:
            break
    return events
