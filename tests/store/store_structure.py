"""The structure of a database, and an old one in which migrations make it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from volact.store import open_store
from volact.store.address import parse_address
from volact.store.engine import make_engine, require_file, writing
from volact.store.schema import STORE, Schema
from volact.store.store import Store


def begin_old(url: str, schema: Schema, first: sa.MetaData) -> None:
    """A database as the first version of a schema, whose tables are ``first``, has made it."""
    address = parse_address(url)
    assert address is not None
    if schema is not STORE:  # its tables are beside those of the store
        open_store(url, create=True).close()
    elif address.file is not None:
        require_file(address.file)
    engine = make_engine(address)
    with writing(engine).begin() as connection:
        make_first(connection, schema, first)
    engine.dispose()


def make_first(connection: sa.Connection, schema: Schema, first: sa.MetaData) -> None:
    """The first tables, and the version as Alembic notes it."""
    first.create_all(connection)
    connection.exec_driver_sql(
        f"CREATE TABLE {schema.versions} (version_num VARCHAR(32) NOT NULL, "
        f"CONSTRAINT {schema.versions}_pkc PRIMARY KEY (version_num))"
    )
    connection.exec_driver_sql(f"INSERT INTO {schema.versions} VALUES ('0001')")


def forget_version(url: str, schema: Schema) -> None:
    """Leave the table of the version and nothing in it."""
    address = parse_address(url)
    assert address is not None
    engine = make_engine(address)
    with writing(engine).begin() as connection:
        connection.exec_driver_sql(f"DELETE FROM {schema.versions}")
    engine.dispose()


def table_names_and_rows(engine: sa.Engine) -> dict[str, tuple[str, int]]:
    """Each table's columns, and how many rows it has."""
    found = sa.MetaData()
    found.reflect(engine)
    with engine.connect() as connection:
        return {
            name: (
                str(table.c.keys()),
                connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one(),
            )
            for name, table in found.tables.items()
        }


def both_ways(
    schema: Schema, first: sa.MetaData, opened: Callable[[str], Store], new: str, old: str
) -> list[tuple[str, dict[str, Any]]]:
    """Version and structure of a new database and of one that migrations raised from the first."""
    begin_old(old, schema, first)
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
