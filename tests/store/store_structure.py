"""The structure of a database, and an old one in which migrations make it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from volact.store import open_store
from volact.store.address import parse_address
from volact.store.engine import make_engine, require_file
from volact.store.schema import STORE, Schema
from volact.store.store import Store


def begin_old(url: str, schema: Schema) -> None:
    """A database from before the first tables of a schema: its version table and nothing in it."""
    address = parse_address(url)
    assert address is not None
    if schema is not STORE:  # its tables are beside those of the store
        open_store(url, create=True).close()
    elif address.file is not None:
        require_file(address.file)
    engine = make_engine(address)
    with engine.begin() as connection:
        connection.execute(sa.text(f"CREATE TABLE {schema.versions} (version_num VARCHAR(32))"))
    engine.dispose()


def both_ways(
    schema: Schema, opened: Callable[[str], Store], new: str, old: str
) -> list[tuple[str, dict[str, Any]]]:
    """Version and structure of a new database and of one that the migrations have made."""
    begin_old(old, schema)
    found = []
    for url in (new, old):
        with opened(url) as store, store.engine.connect() as connection:
            version = connection.execute(sa.text(f"SELECT version_num FROM {schema.versions}"))
            found.append((version.scalar_one(), structure(connection, schema)))
    return found


def structure(connection: sa.Connection, schema: Schema) -> dict[str, Any]:
    """Columns, keys, indexes and constraints of each table; columns may stand in any order."""
    found = sa.inspect(connection)
    return {
        table: {
            "columns": _sorted(found.get_columns(table)),
            "primary key": found.get_pk_constraint(table),
            "foreign keys": _sorted(found.get_foreign_keys(table)),
            "indexes": _sorted(found.get_indexes(table)),
            "unique": _sorted(found.get_unique_constraints(table)),
            "checks": _sorted(found.get_check_constraints(table)),
        }
        for table in schema.tables.tables
    }


def _sorted(found: Any) -> list[str]:
    return sorted(repr({key: _plain(value) for key, value in one.items()}) for one in found)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    return str(value) if isinstance(value, sa.TextClause) else value
