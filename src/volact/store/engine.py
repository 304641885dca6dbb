"""Connections to the database: how each kind is opened, and with which settings.

SQLite: write-ahead log, so that readers and one writer do not wait for each
other; full synchronisation, so that what is committed survives a power cut;
file and folder for their owner alone.  PostgreSQL: psycopg, whose libpq knows
PGPASSWORD, .pgpass and everything else of the usual kind.
"""

from __future__ import annotations

import errno
import logging
import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, ExceptionContext, make_url
from sqlalchemy.pool import NullPool

from volact.errors import StoreError
from volact.model.text import say
from volact.store.address import StoreAddress, library_url
from volact.store.failures import READ_ONLY, sqlstate

# What these log is reported to the operator once, in volact's words.
for _name in ("sqlalchemy", "alembic", "psycopg"):
    logging.getLogger(_name).addHandler(logging.NullHandler())

BUSY_S = 5.0  # how long one statement waits for another process
_CONNECT_S = "5"
_SILENCE_MS = "10000"  # a PostgreSQL whose machine is gone


def make_engine(address: StoreAddress, *, busy_s: float = BUSY_S, keep: int = 0) -> sa.Engine:
    """The engine of a database; nothing is opened yet.

    ``keep`` is how many connections stay open between two questions.
    """
    if address.file is not None:
        return _sqlite(address.file, busy_s, keep)
    return _postgresql(address.url, max(keep, 2))


def require_file(path: Path) -> None:
    """Make the file and its folder, each for its owner alone, where they are missing."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except FileExistsError as error:
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from error
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def is_sqlite(connection: sa.Connection) -> bool:
    """Whether SQLite is at the other end."""
    return connection.dialect.name == "sqlite"


def _sqlite(path: Path, busy_s: float, keep: int) -> sa.Engine:
    pool: dict[str, Any] = {"pool_size": keep, "max_overflow": -1}
    engine = sa.create_engine(
        URL.create("sqlite", database=str(path)),
        hide_parameters=True,
        **(pool if keep else {"poolclass": NullPool}),
        connect_args={"timeout": busy_s, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def _opened(connection: sqlite3.Connection, _: object) -> None:
        # Python's own transaction handling knows no BEGIN IMMEDIATE and none around DDL.
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = FULL")
        if keep:  # 10,000 servers; of what does not fit, every question reads all pages again
            connection.execute("PRAGMA cache_size = -16000")

    @event.listens_for(engine, "begin")
    def _begun(connection: sa.Connection) -> None:
        writing = connection.get_execution_options().get("writing", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


def _postgresql(url: str, keep: int) -> sa.Engine:
    try:
        from psycopg import Connection  # noqa: PLC0415 - an extra, and slow to import
    except ImportError as error:
        raise StoreError(
            say("PostgreSQL needs a package that is not installed"),
            say("pip install {extra}", extra="'volact[postgresql]'"),
        ) from error
    parsed = server_url(url)
    engine = sa.create_engine(
        parsed,
        hide_parameters=True,
        pool_size=keep,
        connect_args=_unless_said(
            parsed, connect_timeout=_CONNECT_S, tcp_user_timeout=_SILENCE_MS, keepalives_idle="5"
        ),
    )

    @event.listens_for(engine, "connect")
    def _opened(connection: Connection, _: object) -> None:
        # Independent of the server's settings: a commit is on its disk, and no lock waits for ever.
        connection.autocommit = True
        connection.execute(f"SET synchronous_commit TO on; SET lock_timeout TO '{BUSY_S:g}s'")
        connection.autocommit = False

    event.listen(engine, "handle_error", leave_read_only)
    # psycopg sends many rows as a pipeline.  One that is cut off in it, by a process that is
    # stopped, is a statement that runs: no time-out of the server ends it, and its locks stay.
    engine.dialect.use_insertmanyvalues_wo_returning = True
    event.listen(engine, "do_executemany", _one_by_one)
    return engine


def server_url(url: str) -> URL:
    """A PostgreSQL server's URL, with the driver that is used."""
    return make_url(library_url(url)).set(drivername="postgresql+psycopg")


def leave_read_only(context: ExceptionContext) -> None:
    """Close all connections to a server that has become read-only, above all a former primary.

    They are sound otherwise and would stay in the pool:
    https://github.com/sqlalchemy/sqlalchemy/issues/7839
    """
    if sqlstate(context.original_exception) == READ_ONLY:
        context.is_disconnect = True
        connection = context.connection and context.connection.connection.dbapi_connection
        if connection is not None:  # the pool does not close a detached one
            connection.close()


def _one_by_one(cursor: Any, statement: str, rows: Sequence[Any], _: object) -> bool:
    for row in rows:
        cursor.execute(statement, row)
    return True


def _unless_said(url: URL, **wanted: str) -> dict[str, Any]:
    return {name: value for name, value in wanted.items() if name not in url.query}


def writing(engine: sa.Engine) -> sa.Engine:
    """The same database for a writer: the write lock is taken at the beginning."""
    return engine.execution_options(writing=True)


def reading_engine(engine: sa.Engine) -> sa.Engine:
    """The same database for a reader: what one transaction sees does not change meanwhile."""
    if engine.dialect.name == "sqlite":
        return engine
    return engine.execution_options(isolation_level="REPEATABLE READ")
