"""The version of a store changes with each commit, and with nothing else."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa
from postgres_server import PostgresServer
from store_samples import end, row, store_writer

from volact.store import open_store
from volact.store.tables import SERVERS


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
        assert second not in (first, None)
        assert store.version() == second


def test_the_version_changes_with_what_the_same_store_commits(store_url: str) -> None:
    with open_store(store_url, create=True) as store:
        before = store.version()
        store.change(lambda it: it.execute(sa.update(SERVERS).values(last_seen="x")))
        with store.engine.begin() as connection:  # a row, so that something is written
            connection.exec_driver_sql("CREATE TABLE more (n INTEGER)")
        assert store.version() not in (before, None)


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
