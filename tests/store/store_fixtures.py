"""Fixtures: an empty store in each kind of database.

Where PostgreSQL is not installed its tests are skipped; in CI that is a failure.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from postgres_server import PostgresServer, binaries

if TYPE_CHECKING:
    from volact.store.store import Store

# Of its own accord the server commits nothing: a store's version would be another.
QUIET = ("autovacuum=off",)


def _programs() -> Path:
    found = binaries()
    if found is not None:
        return found
    missing = "needs the Debian package postgresql"
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    pytest.skip(missing)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresServer]:
    """One server for each process that runs tests."""
    server = PostgresServer(_programs(), *QUIET)
    try:
        server.make()
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def own_postgresql() -> Iterator[PostgresServer]:
    """One that a test may kill."""
    server = PostgresServer(_programs(), *QUIET)
    try:
        server.make()
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty store, once in each kind of database."""
    if request.param == "sqlite":
        return str(tmp_path / "store" / "volact.db")
    server: PostgresServer = request.getfixturevalue("postgresql")
    return server.new_database()


@pytest.fixture
def other_url(store_url: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Another empty store, in the same kind of database."""
    if not store_url.startswith("postgresql"):
        return str(tmp_path / "other.db")
    server: PostgresServer = request.getfixturevalue("postgresql")
    return server.new_database()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def filled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    """A store with two runs in each kind of database, for the tests of a file that only read it."""
    from store_samples import two_runs  # long to import

    url = str(tmp_path_factory.mktemp("filled") / "volact.db")
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgresql")
        url = server.new_database()
    with two_runs(url) as opened:
        yield opened


@pytest.fixture(scope="session")
def migrated_database(postgresql: PostgresServer) -> str:
    """The URL of a service's empty store in PostgreSQL, to be copied."""
    from migrated_store import migrate  # of the service: long to import

    url = postgresql.new_database()
    migrate(url)
    postgresql.wait_until_left(url)
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def service_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A service's empty store, once in each kind of database."""
    from migrated_store import migrated_store  # of the service: long to import

    if request.param == "sqlite":
        migrated_store(tmp_path / "volact.db").close()
        return str(tmp_path / "volact.db")
    server: PostgresServer = request.getfixturevalue("postgresql")
    return server.new_database(request.getfixturevalue("migrated_database"))
