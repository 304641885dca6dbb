"""Fixtures: a store with two runs in each kind of database, which tests only read."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from postgres_server import PostgresServer
from store_samples import two_runs

from volact.store.store import Store


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def filled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    """Filled once for each file of tests."""
    url = str(tmp_path_factory.mktemp("queries") / "volact.db")
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgresql")
        url = server.new_database()
    with two_runs(url) as opened:
        yield opened
