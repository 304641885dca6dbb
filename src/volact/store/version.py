"""Whether anything was committed to a database: two versions are equal only if nothing was."""

from __future__ import annotations

import threading
from collections.abc import Hashable
from typing import Any

import sqlalchemy as sa

_ASKED = {
    "sqlite": "PRAGMA data_version",  # of this connection, which itself never writes
    # Which transactions are seen, rather than a place in the log: that moves before they are.
    "postgresql": "SELECT pg_current_snapshot()::text",
}


class DatabaseVersion:
    """Asks on a connection of its own; may be called in any thread."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._connection: Any = None
        self._opened = 0
        self._lock = threading.Lock()

    def ask(self) -> Hashable | None:
        """The version; ``None`` where it cannot be asked."""
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = self._open()
                found: tuple[Hashable] = self._connection.execute(
                    _ASKED[self._engine.dialect.name]
                ).fetchone()
            except (sa.exc.SQLAlchemyError, self._engine.dialect.loaded_dbapi.Error):
                self._close()
                return None
            # A connection that was opened anew counts from its own beginning.
            return self._opened, found[0]

    def close(self) -> None:
        """Close the connection; the next question opens another."""
        with self._lock:
            self._close()

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
