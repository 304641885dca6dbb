"""The engine where something fails: sessions, the database, clocks, what was begun nowhere."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from migrated_store import migrated_store
from postgres_server import PostgresServer
from report_samples import healthy

from volact.errors import StoreError
from volact.fleet.failure_policy import FailureLimits
from volact.service.database.schema import open_service_store
from volact.service.database.tables import RUN_SERVERS, RUNS, WORKERS
from volact.service.engine import progress
from volact.service.engine.lease import (
    ENGINE,
    Lease,
    LeaseLostError,
    beats,
    bound_sessions,
    take_away,
)
from volact.service.engine.ledger import Ledger, RunWriting
from volact.service.engine.progress import Outcome
from volact.service.engine.reaper import Reaper, Unbegun
from volact.store.address import parse_address
from volact.store.engine import writing
from volact.store.events import ServerDone
from volact.store.store import Store
from volact.store.values import RunStart

AT = "2026-01-01T00:00:00.000Z"
# What PostgreSQL finds before its own function, with the search path below.
OTHER_TIME = """CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz
    LANGUAGE sql AS $$ SELECT timestamptz '2001-02-03 04:05:06+00' $$"""
PATH = quote("-csearch_path=public,pg_catalog")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with migrated_store(tmp_path / "volact.db") as opened:
        yield opened


def service_store(url: str) -> Store:
    address = parse_address(url)
    assert address is not None
    return open_service_store(address)


def leased(store: Store, *labels: str) -> Lease:
    lease = Lease(labels)
    store.change(lease.register)
    store.change(lease.renew)
    return lease


def add_run(store: Store, *servers: str, label: str = "") -> None:
    rows = [{"run": "aa", "server": name, "label": label} for name in servers]

    def work(connection: sa.Connection) -> None:
        connection.execute(sa.insert(RUNS).values(id="aa", state="running", requested=AT))
        connection.execute(sa.insert(RUN_SERVERS), rows)

    store.change(work)


@contextmanager
def ledger_of(store: Store, lease: Lease) -> Iterator[Ledger]:
    lost = list[None]()
    ledger = Ledger(store, lease, lambda: lost.append(None))
    try:
        yield ledger
    finally:
        ledger.close()
    assert not lost


def writing_of(limits: FailureLimits | None = None) -> RunWriting:
    start = RunStart(id="aa", command="check", started=AT, volact="0", words="")
    return RunWriting(start=start, begun=AT, attempt=1, limits=limits)


async def test_a_row_is_written_with_what_is_asked_next(store: Store) -> None:
    add_run(store, "web-01")
    with ledger_of(store, leased(store)) as ledger:
        done = ServerDone("", healthy("web-01"))
        written = ledger.finished(writing_of(), done, Outcome("web-01", "healthy", False))
        assert (await ledger.ask(lambda c: progress.finished(c, "aa", ["web-01"]))) in (
            set(), {"web-01"},
        )  # fmt: skip
        assert written.done()
        assert written.result()
    assert [row.report.name for row in store.rows("aa")] == ["web-01"]


async def test_one_event_that_cannot_be_written_keeps_no_other_from_it(store: Store) -> None:
    def fails(_: sa.Connection) -> None:
        raise ZeroDivisionError

    add_run(store, "web-01", "web-02")
    unknown: Any = object()  # no value of a column
    with ledger_of(store, leased(store)) as ledger:
        rows = [
            ledger.finished(writing_of(), ServerDone("", healthy(name)), Outcome(name, word, False))
            for name, word in (("web-01", "healthy"), ("web-02", unknown))
        ]
        with pytest.raises(ZeroDivisionError):
            await ledger.ask(fails)
        await ledger.flush()
        assert rows[0].result()
        assert rows[1].exception() is not None
    assert store.ask(lambda c: progress.finished(c, "aa", ["web-01", "web-02"])) == {"web-01"}


async def test_rows_wait_for_a_database_that_is_away(own_postgresql: PostgresServer) -> None:
    with service_store(own_postgresql.new_database()) as store:
        add_run(store, "web-01")
        with ledger_of(store, leased(store)) as ledger:
            await ledger.flush()
            own_postgresql.kill()
            done = ServerDone("", healthy("web-01"))
            written = ledger.finished(writing_of(), done, Outcome("web-01", "healthy", False))
            flushed = asyncio.create_task(ledger.flush())
            with pytest.raises(StoreError):
                await asyncio.to_thread(store.ask, beats)
            assert not flushed.done()
            own_postgresql.start()
            await flushed
            assert written.result()
        assert [row.report.name for row in store.rows("aa")] == ["web-01"]


def test_a_worker_whose_session_was_cut_has_another_with_the_same_beat(
    postgresql: PostgresServer,
) -> None:
    with service_store(postgresql.new_database()) as store:
        lease = leased(store)
        reaper = Reaper(store, lease)
        reaper.beat()
        cut = "SELECT pg_terminate_backend(pid, 60000) FROM pg_locks WHERE locktype = 'advisory' "
        cut += "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        assert store.ask(lambda c: c.execute(sa.text(cut)).scalars().all()) == [True]
        reaper.beat()
        assert store.ask(beats) == {lease.worker: 3}
        store.change(lambda c: c.execute(sa.delete(WORKERS)))
        with pytest.raises(LeaseLostError):
            reaper.beat()


def test_a_worker_that_is_taken_for_dead_keeps_no_locks(postgresql: PostgresServer) -> None:
    """Within a statement no time-out ends it."""
    url, holds = postgresql.new_database(), threading.Event()
    with service_store(url) as dead, service_store(url) as store, ThreadPoolExecutor() as threads:
        lease = Lease(())
        bound_sessions(dead.engine, lease.worker)
        dead.change(lease.register)
        dead.change(lease.renew)

        def hold() -> None:
            with writing(dead.engine).begin() as connection:
                lease.require(connection)
                holds.set()
                connection.execute(sa.text("SELECT pg_sleep(60)"))

        held = threads.submit(hold)
        holds.wait()
        store.change(partial(take_away, worker=lease.worker, beat=1))
        assert store.ask(beats) == {}
        with pytest.raises(sa.exc.OperationalError, match="terminating connection"):
            held.result()


async def test_times_of_rows_are_those_of_the_database(postgresql: PostgresServer) -> None:
    with service_store(f"{postgresql.new_database()}&options={PATH}") as store:
        with store.engine.begin() as connection:
            connection.exec_driver_sql(OTHER_TIME)
        add_run(store, "web-01")
        lease = leased(store)
        with ledger_of(store, lease) as ledger:
            done = ServerDone("", healthy("web-01"))
            ledger.finished(writing_of(), done, Outcome("web-01", "healthy", False))
            await ledger.flush()
        store.change(lease.renew)
        (row,) = store.rows("aa")
        seen = store.ask(lambda c: c.execute(sa.select(WORKERS.c.seen)).scalar_one())
        assert {at.partition("T")[0] for at in (row.at, seen, lease.now())} == {"2001-02-03"}


def test_what_a_worker_was_given_and_never_began_is_lost_after_some_readings() -> None:
    unbegun = Unbegun(readings=2)
    assert unbegun.lost(["a", "b"], {"b"}) == []
    assert unbegun.lost(["a", "b"], {"b"}) == []
    assert unbegun.lost(["a", "b"], {"a", "b"}) == []  # it has begun
    assert [unbegun.lost(["b", "c"], set()) for _ in range(3)] == [[], [], ["b", "c"]]


def test_a_run_says_which_labels_no_worker_has(store: Store) -> None:
    def note() -> str:
        store.change(lambda c: progress.tell_unreached(c, ENGINE))
        return str(store.ask(lambda c: c.execute(sa.select(RUNS.c.note)).scalar_one()))

    leased(store, "near")
    add_run(store, "web-01", label="far")
    assert note() == "no worker has the label far"
    leased(store, "far")
    assert note() == ""
    store.change(lambda c: c.execute(sa.delete(WORKERS)))
    assert note() == "no worker has the label far"
    store.change(lambda c: progress.record(c, "aa", 1, [Outcome("web-01", "healthy", False)], None))
    assert note() == ""
