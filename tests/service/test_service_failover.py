"""Sessions that have changed: their server is a standby now, or a pooler has given them away."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import psycopg
import pytest
import sqlalchemy as sa
from litestar.testing import TestClient
from postgres_server import PostgresServer
from service_parts import parts

from volact.errors import StoreError
from volact.service.app import make_app
from volact.service.database.schema import open_service_store
from volact.service.database.tables import WORKERS
from volact.service.engine.lease import Lease, LeaseLostError, beats, open_session
from volact.service.engine.ledger import Ledger
from volact.service.engine.reaper import Reaper
from volact.service.health import HANDLERS
from volact.store.address import parse_address
from volact.store.store import Store

# What PostgreSQL finds before its own function, with the search path below.
OTHER_SESSIONS = """CREATE FUNCTION public.pg_backend_pid() RETURNS int
    LANGUAGE sql AS $$ SELECT mod(txid_current(), 1000000000)::int $$"""
PATH = quote("-csearch_path=public,pg_catalog")
POOLER = "pooler in transaction mode"


@pytest.fixture
def store(postgresql: PostgresServer, migrated_database: str) -> Iterator[Store]:
    address = parse_address(postgresql.new_database(migrated_database))
    assert address is not None
    with open_service_store(address) as opened:
        yield opened


def demote(connection: sa.Connection) -> None:
    """The server that this session is connected to takes no more writes."""
    connection.exec_driver_sql("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
    connection.commit()


def demote_pool(store: Store) -> None:
    with store.engine.connect() as one, store.engine.connect() as other:
        demote(one)
        demote(other)


async def test_a_worker_writes_to_the_new_primary(store: Store) -> None:
    lost = list[None]()
    lease = Lease(())
    store.change(lease.register)
    ledger = Ledger(store, lease, lambda: lost.append(None))
    demote_pool(store)
    await ledger.ask(lease.renew)
    ledger.close()
    assert store.ask(beats) == {lease.worker: 1}
    assert lost == []


def test_a_worker_beats_on_the_new_primary(store: Store) -> None:
    lease = Lease(())
    store.change(lease.register)
    reaper = Reaper(store, lease)
    reaper.beat()
    session = reaper._session
    assert session is not None
    demote(session)
    reaper.beat()
    assert store.ask(beats) == {lease.worker: 2}
    store.change(lambda connection: connection.execute(sa.delete(WORKERS)))
    with pytest.raises(LeaseLostError):  # which closes the session
        reaper.beat()


def test_it_is_not_ready_while_it_is_connected_to_a_standby(store: Store) -> None:
    with TestClient(make_app(parts(store, None), HANDLERS)) as client:
        assert client.get("/readyz").text == "ready"
        demote_pool(store)
        assert client.get("/readyz").status_code == 503
        assert client.get("/readyz").text == "ready"


def test_a_pooler_whose_sessions_change_with_transactions_is_refused(
    postgresql: PostgresServer, migrated_database: str
) -> None:
    url = postgresql.new_database(migrated_database)
    with psycopg.connect(url) as connection:
        connection.execute(OTHER_SESSIONS.encode())
    address = parse_address(f"{url}&options={PATH}")
    assert address is not None
    with pytest.raises(StoreError, match=POOLER) as caught:
        open_service_store(address)
    assert "name the database itself, or a pooler in session mode" in caught.value.line()


def test_a_session_without_its_lock_is_refused(
    postgresql: PostgresServer, migrated_database: str
) -> None:
    address = parse_address(f"{postgresql.new_database(migrated_database)}&options={PATH}")
    assert address is not None
    with open_service_store(address) as store:
        with store.engine.begin() as connection:
            connection.exec_driver_sql(OTHER_SESSIONS)
        with pytest.raises(StoreError, match=POOLER):
            open_session(store.engine, "web-01")


def test_a_statement_that_another_session_has_prepared_is_told_as_a_pooler(store: Store) -> None:
    def ask_often(connection: sa.Connection) -> None:
        for _ in range(9):  # psycopg prepares what comes more often than five times
            connection.exec_driver_sql("SELECT 1 WHERE 1 = %s", (1,))
        connection.exec_driver_sql("DO $$ BEGIN EXECUTE 'DEALLOCATE ALL'; END $$")
        connection.exec_driver_sql("SELECT 1 WHERE 1 = %s", (1,))

    with pytest.raises(StoreError, match=POOLER):
        store.ask(ask_often)
