"""The migrations of the service make the tables that it uses, in both databases."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from first_service_tables import METADATA as FIRST
from store_structure import begin_old, both_ways, forget_version, table_names_and_rows

from volact.errors import StoreError
from volact.service.database.schema import SERVICE, open_service_store
from volact.service.database.tables import METADATA
from volact.store.address import parse_address
from volact.store.engine import make_engine
from volact.store.store import Store


def _ours(item: object, name: str | None, kind: str, *_: object) -> bool:
    """The tables of the store lie beside those of the service."""
    return kind != "table" or bool(name and name in METADATA.tables)


def opened(url: str) -> Store:
    address = parse_address(url)
    assert address is not None
    return open_service_store(address)


def test_the_migrations_make_the_tables_that_are_used(store_url: str) -> None:
    begin_old(store_url, SERVICE, FIRST)
    with opened(store_url) as store, store.engine.connect() as connection:
        options = {"include_object": _ours}
        context = MigrationContext.configure(connection, opts=options)
        differences = compare_metadata(context, METADATA)
        found = set(sa.inspect(connection).get_table_names())
    assert differences == []
    assert set(METADATA.tables) <= found


def test_new_tables_are_what_the_migrations_would_have_made(store_url: str, other_url: str) -> None:
    new, migrated = both_ways(SERVICE, FIRST, opened, store_url, other_url)
    assert new == migrated


@pytest.mark.parametrize("newest", [False, True])
def test_a_service_whose_version_is_lost_is_refused_and_left_alone(
    store_url: str, newest: bool
) -> None:
    if newest:
        opened(store_url).close()
    else:
        begin_old(store_url, SERVICE, FIRST)
    forget_version(store_url, SERVICE)
    address = parse_address(store_url)
    assert address is not None
    engine = make_engine(address)
    before = table_names_and_rows(engine)
    with pytest.raises(StoreError, match="already exists"):
        opened(store_url)
    assert table_names_and_rows(engine) == before
    engine.dispose()


def test_the_head_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(SERVICE.migrations))
    assert ScriptDirectory.from_config(config).get_current_head() == SERVICE.head


@pytest.mark.parametrize("name", sorted(METADATA.tables))
def test_a_migration_names_its_tables_itself(name: str) -> None:
    """Those of the first version are the tests': a new database is made as it is now."""
    first = Path(__file__).with_name("first_service_tables.py")
    files = (first, *(SERVICE.migrations / "versions").glob("[0-9]*.py"))
    assert any(f'"{name}"' in file.read_text("utf-8") for file in files)
