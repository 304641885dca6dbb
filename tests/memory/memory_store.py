"""Stores in memory, filled with rows at moments that a test chooses, and what they answer."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import sqlalchemy as sa
from memory_samples import NOW

from volact.core.licence_end import moment_of
from volact.queries.diff import DiffQuery
from volact.queries.expiring import ExpiringQuery
from volact.queries.status import StatusQuery
from volact.queries.values import Diff, Endings, FleetStatus, StatusRow
from volact.store.address import StoreAddress
from volact.store.clock import moment
from volact.store.events import ServerDone
from volact.store.statements import EventBatch, write
from volact.store.store import Store
from volact.store.tables import METADATA
from volact.store.values import Latest, RunStart, StoredRow


def empty_store() -> Store:
    """A store that is gone when the test is over."""
    engine = sa.create_engine("sqlite://", poolclass=sa.pool.StaticPool)
    METADATA.create_all(engine)
    return Store(engine, StoreAddress(shown="memory"))


def add_run(store: Store, id: str, rows: Iterable[StoredRow]) -> None:
    """Write a run of rows as a run itself does."""
    run_start = RunStart(id=id, command="check", started=moment(NOW), volact="0.1.0")
    items = [ServerDone(kept(row.at), row.report) for row in rows]
    with store.engine.begin() as connection:
        write(connection, EventBatch(run_start, moment(NOW), [*items]), first=True, now=moment(NOW))


def kept(at: str) -> str:
    """A moment as the store has it."""
    return moment(moment_of(at) or NOW)


def store_of(*fleet: Latest) -> Store:
    """A store of which the newest rows are these."""
    store = empty_store()
    older = [each.examined for each in fleet if each.examined not in (None, each.newest)]
    add_run(store, "a", [row for row in older if row is not None])
    add_run(store, "b", [each.newest for each in fleet])
    return store


def status_of(
    *fleet: Latest, stale: timedelta = timedelta(days=7), now: datetime = NOW
) -> FleetStatus:
    return StatusQuery(now=now, stale=stale).ask(store_of(*fleet))


def status_rows(*fleet: Latest) -> list[StatusRow]:
    return [*StatusQuery(now=NOW).rows(store_of(*fleet))]


def expiring(fleet: Iterable[Latest], now: datetime, within: timedelta) -> Endings:
    return ExpiringQuery(now=now, within=within).ask(store_of(*fleet))


def diff(
    before: Iterable[StoredRow], after: Iterable[StoredRow], names: Iterable[str] = ()
) -> Diff:
    store = empty_store()
    add_run(store, "before", before)
    add_run(store, "after", after)
    return DiffQuery(before="before", after="after", names=tuple(names)).ask(store)
