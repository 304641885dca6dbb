"""Whether anything was committed to a database, and whether it changed runs or servers."""

from __future__ import annotations

import threading
from collections.abc import Hashable
from typing import Any, NamedTuple

import sqlalchemy as sa

_ASKED = {
    "sqlite": "PRAGMA data_version",  # of this connection, which itself never writes
    # Which transactions are seen, rather than a place in the log: that moves before they are.
    "postgresql": "SELECT pg_current_snapshot()::text",
}
_REVISION = "SELECT sum(number) FROM revisions"


class Version(NamedTuple):
    """Equal to an earlier one only if nothing was committed; ``servers``, if nothing of them was.

    That of ``servers`` is of runs, too.
    """

    database: Hashable
    servers: Hashable


class DatabaseVersion:
    """Asks on a connection of its own; may be called in any thread."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._connection: Any = None
        self._opened = 0
        self._newest = Version(None, None)
        self._lock = threading.Lock()

    def ask(self) -> Version | None:
        """The version; ``None`` where it cannot be asked."""
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = self._open()
                # A connection that was opened anew counts from its own beginning.
                database = self._opened, self._first(_ASKED[self._engine.dialect.name])
                if database != self._newest.database:
                    self._newest = Version(database, (self._opened, self._first(_REVISION)))
            except (sa.exc.SQLAlchemyError, self._engine.dialect.loaded_dbapi.Error):
                self._close()
                return None
            return self._newest

    def close(self) -> None:
        """Close the connection; the next question opens another."""
        with self._lock:
            self._close()

    def _first(self, statement: str) -> Hashable:
        found: tuple[Hashable] = self._connection.execute(statement).fetchone()
        return found[0]

    def _open(self) -> Any:
        pooled = self._engine.raw_connection()
        connection: Any = pooled.driver_connection
        pooled.detach()
        self._opened += 1
        if self._engine.dialect.name == "sqlite":
            connection.execute("PRAGMA busy_timeout = 0")  # a caller's event loop does not wait
        else:
            connection.autocommit = True
        return connection

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
