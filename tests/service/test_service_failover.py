"""After a failover: pooled connections whose server has become a standby, which takes no writes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from litestar.testing import TestClient
from postgres_server import PostgresServer
from service_parts import parts

from volact.service.app import make_app
from volact.service.database.schema import open_service_store
from volact.service.database.tables import WORKERS
from volact.service.engine.lease import Lease, LeaseLostError, beats
from volact.service.engine.ledger import Ledger
from volact.service.engine.reaper import Reaper
from volact.service.health import HANDLERS
from volact.store.address import parse_address
from volact.store.store import Store


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
