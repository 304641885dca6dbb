"""What happened, kept: runs, servers, rows, findings, steps, facts.

A database of the operator's own; SQLite by default, PostgreSQL by URL.  Nothing
here decides or reports.  Importing this imports no database library.

    with open_store("fleet.db") as store:
        for row in store.rows(store.find_run("last").id):
            print(row.report.name, row.report.verdict)

``StoreError`` where the database fails, ``InputError`` for a run that there is none of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from volact.store.values import Latest, Pruned, RunRow, StoredRow

if TYPE_CHECKING:
    from volact.store.store import Store, open_store

__all__ = ["Latest", "Pruned", "RunRow", "Store", "StoredRow", "open_store"]


def __getattr__(name: str) -> Any:
    """``Store`` and ``open_store`` bring SQLAlchemy, so they come when they are asked for."""
    if name in {"Store", "open_store"}:
        from volact.store import store  # noqa: PLC0415 - brings SQLAlchemy

        return getattr(store, name)
    raise AttributeError(name)
