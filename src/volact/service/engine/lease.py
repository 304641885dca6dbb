"""Which workers live, judged without any clock: a worker's counter grows, and others see it.

A worker adds one to its counter every ``BEAT_S``.  Another that saw the same value in
``READINGS`` successful readings, one after every beat of its own, takes the lease away: the row is
deleted and never comes back, because ids are unique.  So no clocks are compared, a reading
that fails counts for nothing, and an observer that was stopped itself accuses none.

Before PostgreSQL, the counter is written in a session that holds a lock, which the database
frees when the process ends.  A session that was seen and has ended makes fewer readings enough.

A worker that was stopped and is woken finds its lease gone and ends: what it writes is
committed only while the row is there, and steps are sent only after such a commit.

The times that a worker writes are the database's, which each beat tells: a machine's own clock
may be wrong.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import socket
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from zlib import crc32

import sqlalchemy as sa
from sqlalchemy import event

from volact.service.database.pooler import transaction_pooler
from volact.service.database.tables import SLOTS, WORKERS
from volact.store.clock import moment
from volact.store.engine import is_sqlite, writing

# Raised when the steps of workflows change: workers execute only those of their own engine.
ENGINE = 2
BEAT_S = 1.0
READINGS = 5
READINGS_ENDED = 2  # where its session has ended, too
# Steps wait for the next beat when the last is older: before others take the lease away, for
# which they need the time of ``READINGS_ENDED`` beats at least.
FRESH_S = 1.5
LEASE_LOST = 70  # exit code of a worker that finds its lease gone
IDLE_MS = 5000
_PAUSE_S = 0.05
_SESSIONS = 0x766F6C61  # the class of the locks
REAPER_LOCK = 0x766F6C616365  # of one reaper at a time


class LeaseLostError(Exception):
    """Others have taken this worker for dead: it may do nothing any more."""


class Lease:
    """This worker's right to work."""

    def __init__(self, labels: Sequence[str], engine: int = ENGINE) -> None:
        host = socket.gethostname()
        self.engine = engine
        self.worker = f"{host[:40]}-{os.getpid()}-{secrets.token_hex(3)}"
        self.labels = tuple(labels)
        self._host = host
        self._renewed = 0.0
        self._clock = time.time() - time.monotonic()  # the database's, by the one that is never set

    def register(self, connection: sa.Connection) -> None:
        """Begin, but not while a reaper acts on which workers there are."""
        if not is_sqlite(connection):
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(REAPER_LOCK)))
        at = self.now()
        connection.execute(
            sa.insert(WORKERS).values(
                id=self.worker,
                host=self._host,
                labels=json.dumps(self.labels),
                started=at,
                seen=at,
                engine=self.engine,
            )
        )

    def renew(self, connection: sa.Connection) -> None:
        """Add one to the counter; ``LeaseLostError`` where there is none any more."""
        at = time.monotonic()
        beat = (
            sa.update(WORKERS)
            .where(WORKERS.c.id == self.worker)
            .values(beat=WORKERS.c.beat + 1, seen=self.now())
            .returning(_time_of(connection))
        )
        told = connection.execute(beat).scalar_one_or_none()
        if told is None:
            raise LeaseLostError
        self._renewed, self._clock = at, float(told) - time.monotonic()

    def time(self) -> float:
        """The time by the database."""
        return self._clock + time.monotonic()

    def now(self) -> str:
        """The same as text."""
        return moment(datetime.fromtimestamp(self.time(), UTC))

    def require(self, connection: sa.Connection) -> None:
        """Hold the lease until this transaction ends; ``LeaseLostError`` if it is gone."""
        query = sa.select(WORKERS.c.id).where(WORKERS.c.id == self.worker)
        if (
            connection.execute(query.with_for_update(read=True, key_share=True)).one_or_none()
            is None
        ):
            raise LeaseLostError

    async def fresh(self) -> None:
        """Return when others certainly wait for the next beat: at once, unless one was late."""
        while time.monotonic() - self._renewed >= FRESH_S:  # noqa: ASYNC110  (a thread renews it)
            await asyncio.sleep(_PAUSE_S)


def _time_of(connection: sa.Connection) -> sa.ColumnElement[Any]:
    if is_sqlite(connection):
        return sa.literal(time.time())  # the same machine
    return sa.extract("epoch", sa.func.clock_timestamp())


class LeaseObserver:
    """Judges other workers by what it sees of their counters."""

    def __init__(self, readings: int = READINGS) -> None:
        self._readings = readings
        self._seen: dict[str, tuple[int, int]] = {}  # counter, readings of the same value
        self._held: set[str] = set()  # workers whose session was seen

    def dead(self, beats: Mapping[str, int], held: Collection[str] = ()) -> list[tuple[str, int]]:
        """Workers whose counter stands still for too long, with its value.

        ``held`` are the workers whose session lives.
        """
        self._held = self._held.union(held) & beats.keys()
        ended = self._held.difference(held)
        self._seen = {
            worker: (beat, seen + 1 if before == beat else 0)
            for worker, beat in beats.items()
            for before, seen in (self._seen.get(worker, (-1, 0)),)
        }
        return [
            (worker, beat)
            for worker, (beat, n) in self._seen.items()
            if n >= (READINGS_ENDED if worker in ended else self._readings)
        ]


def bound_sessions(engine: sa.Engine, worker: str) -> None:
    """A process that was stopped in a transaction does not keep its locks for longer.

    Before PostgreSQL: between two statements a time-out ends it; within one, ``take_away``.
    """

    @event.listens_for(engine, "connect")
    def _opened(connection: Any, _: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SET idle_in_transaction_session_timeout TO {IDLE_MS}")
            cursor.execute("SELECT set_config('application_name', %s, false)", (worker,))
        connection.commit()

    engine.dispose()  # those that are open already


def open_session(engine: sa.Engine, worker: str) -> sa.Connection:
    """A connection that ends with this process, and tells others so."""
    connection = writing(engine).connect()
    connection.detach()  # it is never another's
    if not is_sqlite(connection):
        connection.execute(sa.select(sa.func.pg_advisory_lock(_SESSIONS, _number(worker))))
        connection.commit()
        own = sa.text(f"{_HELD.text} AND pid = pg_backend_pid()")
        if _number(worker) not in connection.execute(own, {"sessions": _SESSIONS}).scalars():
            connection.close()
            raise transaction_pooler()
    connection.commit()
    return connection


def sessions(connection: sa.Connection, workers: Iterable[str]) -> set[str]:
    """Those of these workers whose session lives; none where the database cannot say it."""
    if is_sqlite(connection):
        return set()
    held = {*connection.execute(_HELD, {"sessions": _SESSIONS}).scalars()}
    return {worker for worker in workers if _number(worker) in held}


def _number(worker: str) -> int:
    return crc32(worker.encode()) & 0x7FFFFFFF


_HELD = sa.text(
    "SELECT objid FROM pg_locks WHERE locktype = 'advisory' AND classid = :sessions AND granted "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


# Of the same account: those of others are not ours to end.
_END_SESSIONS = sa.text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity JOIN service_workers w "
    "ON w.id = application_name AND w.id = :worker AND w.beat = :beat "
    "WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()"
)


def beats(connection: sa.Connection) -> dict[str, int]:
    """The counters of all workers."""
    query = sa.select(WORKERS.c.id, WORKERS.c.beat)
    return {row.id: row.beat for row in connection.execute(query)}


def take_away(connection: sa.Connection, worker: str, beat: int | None = None) -> None:
    """End a lease, if its counter still has this value, and free what the worker held.

    What a worker was at when it was stopped may hold locks, on its own line above all: its sessions
    are ended first.
    """
    of = WORKERS.c.id == worker
    if beat is not None:
        of = sa.and_(of, WORKERS.c.beat == beat)
        if not is_sqlite(connection):
            connection.execute(_END_SESSIONS, {"worker": worker, "beat": beat})
    if connection.execute(sa.delete(WORKERS).where(of)).rowcount == 1:
        connection.execute(sa.delete(SLOTS).where(SLOTS.c.worker == worker))
