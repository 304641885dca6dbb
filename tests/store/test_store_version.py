"""The version of a store changes with each commit, and with nothing else."""

from __future__ import annotations

import sqlite3
from collections.abc import Hashable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa
from postgres_server import PostgresServer
from store_samples import end, row, store_writer

from volact.store import open_store
from volact.store.events import FactsSeen, RunEnded, ServerDone, StoreEvent
from volact.store.statements import EventBatch, write
from volact.store.tables import SERVERS
from volact.store.values import RunStart


def test_the_version_changes_with_what_another_process_would_commit(store_url: str) -> None:
    with open_store(store_url, create=True) as store, open_store(store_url, create=True) as other:
        first = store.version()
        assert first is not None
        assert store.version() == first
        other.ask(lambda connection: connection.execute(sa.select(SERVERS)).all())
        assert store.version() == first
        writer = store_writer(store_url, "aa11")
        writer.row(row("web-01", "failed"))
        writer.finish(end("aa11", servers=1, failed=1))
        second = store.version()
        assert second is not None
        assert second.database != first.database
        assert second.servers != first.servers
        assert store.version() == second


def test_the_version_changes_with_what_the_same_store_commits(store_url: str) -> None:
    with open_store(store_url, create=True) as store:
        before = store.version()
        store.change(lambda it: it.execute(sa.update(SERVERS).values(last_seen="x")))
        with store.engine.begin() as connection:  # a row, so that something is written
            connection.exec_driver_sql("CREATE TABLE more (n INTEGER)")
        assert store.version() not in (before, None)


def test_the_version_of_servers_changes_with_what_changes_them_alone(store_url: str) -> None:
    at = "2026-11-24T11:15:14.000Z"
    start = RunStart(id="aa11", command="activate", started=at, volact="0.1.0")
    with open_store(store_url, create=True) as store:

        def put(event: StoreEvent) -> None:
            store.change(lambda it: write(it, EventBatch(start, at, [event]), first=True, now=at))

        def of_servers() -> Hashable:
            version = store.version()
            assert version is not None
            return version.servers

        seen = [of_servers()]
        put(FactsSeen("web-01", at, "first", b"{}"))
        assert of_servers() == seen[0]
        for change in (
            lambda: put(ServerDone(at, row("web-01"))),
            lambda: put(RunEnded(end("aa11", servers=1))),
            lambda: store.prune(timedelta(0)),
            lambda: store.forget(["web-01"]),
        ):
            change()
            seen.append(of_servers())
        assert len({*seen}) == 5
        store.forget(["web-01"], dry_run=True)
        assert of_servers() == seen[-1]


def test_what_is_not_committed_yet_leaves_an_answer_without_it(store_url: str) -> None:
    """The version before the commit and the one after it are different."""
    with open_store(store_url, create=True) as store:
        with store.engine.execution_options(writing=True).begin() as connection:
            connection.exec_driver_sql("CREATE TABLE more (n INTEGER)")
            during = store.version()
            assert during is not None
        assert store.version() not in (during, None)


def test_a_database_that_is_locked_is_not_waited_for(tmp_path: Path) -> None:
    file = tmp_path / "volact.db"
    open_store(str(file), create=True).close()
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = DELETE")  # in which a writer shuts readers out
        with open_store(str(file), create=True) as store:
            assert store.version() is not None
            other.execute("BEGIN EXCLUSIVE")
            assert store.version() is None
            other.execute("COMMIT")
            assert store.version() is not None


def test_after_a_restart_of_the_database_the_version_is_another(
    own_postgresql: PostgresServer,
) -> None:
    with open_store(own_postgresql.new_database(), create=True) as store:
        before = store.version()
        own_postgresql.restart()
        assert store.version() is None
        assert store.version() not in (before, None)
