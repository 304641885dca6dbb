"""One server of a run, as a worker works on it: what is counted, what is left to the run."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
import sqlalchemy as sa
from migrated_store import migrated_store
from scripted import HEALTHY, WRONG, Scripted, facts

from volact.client.wire import RunSpec
from volact.errors import StoreError, TransportError
from volact.service.access import Actor
from volact.service.app import utc_now
from volact.service.database.tables import INVENTORIES, RUN_SERVERS
from volact.service.engine import progress
from volact.service.engine.control import EngineControl
from volact.service.engine.lease import Lease
from volact.service.engine.ledger import Ledger, patiently
from volact.service.engine.live_run import LiveRun, load_parts
from volact.service.tracing import Spans
from volact.store.store import Store

TEXT = """
[[server]]
name = "web-1"
address = "ssh://10.0.0.1"
provider = "tencent"
"""
CROWDED = TransportError("connect", "the server refused a session", passing="refused")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with migrated_store(tmp_path / "volact.db") as opened:
        row = {"name": "main", "file": "main.toml", "text": TEXT, "updated": "2026-01-01"}
        opened.change(lambda connection: connection.execute(sa.insert(INVENTORIES), row))
        yield opened


@asynccontextmanager
async def live_run(store: Store, server: Scripted) -> AsyncIterator[LiveRun]:
    """A run that activates one server, in a worker whose lease is renewed."""
    spec = RunSpec(verb="activate", inventory="main", retries=0, max_failures="0")
    ann = Actor(user="1", name="ann", role="operator")
    run = (await EngineControl(store, utc_now).submit(spec, ann)).id
    store.change(lambda c: progress.begin(c, run, 1, "2026-01-01T00:00:00.000Z"))
    lease = Lease(())
    store.change(lease.register)

    async def beat() -> None:
        while True:
            await asyncio.to_thread(patiently, store, lease.renew)
            await asyncio.sleep(0.5)

    beating = asyncio.create_task(beat())
    ledger = Ledger(store, lease, lambda: None)
    live = LiveRun(load_parts(store, run, 1, lambda _inventory: server), ledger, lease, Spans())
    try:
        yield live
    finally:
        live.end()
        beating.cancel()
        with suppress(asyncio.CancelledError):
            await beating
        await asyncio.to_thread(ledger.close)


async def test_a_server_that_certainly_ran_nothing_does_not_stop_the_run(store: Store) -> None:
    server = Scripted(facts(**WRONG), CROWDED)
    async with live_run(store, server) as live:
        written = await live.visit("web-1")
        assert written is not None
        assert written.result()
        assert live.open
    assert [request["mode"] for request in server.requests] == ["probe", "apply"]
    query = sa.select(RUN_SERVERS.c.verdict, RUN_SERVERS.c.failed)
    found = store.ask(lambda connection: connection.execute(query).one())
    assert tuple(found) == ("unreachable", False)


def refuse(store: Store, change: str) -> None:
    """Have the database refuse a change of a table."""
    trigger = f"CREATE TRIGGER refused BEFORE {change} BEGIN SELECT RAISE(ABORT, 'no room'); END"
    store.change(lambda connection: connection.exec_driver_sql(trigger))


@pytest.mark.parametrize("change", ["INSERT ON steps", "INSERT ON service_slots"])
async def test_a_server_whose_steps_cannot_be_recorded_is_left_to_the_run(
    store: Store, change: str
) -> None:
    server = Scripted(facts(**WRONG), facts(**HEALTHY))
    async with live_run(store, server) as live:
        refuse(store, change)
        with pytest.raises(StoreError) as caught:
            await live.visit("web-1")
        assert live.open
    assert caught.value.line().startswith(f"not changed: store {store.address.shown}: no room (")
    assert "SQL" not in caught.value.line()
    assert [request["mode"] for request in server.requests] == ["probe"]
    query = sa.select(RUN_SERVERS.c.verdict)
    assert store.ask(lambda connection: connection.execute(query).scalar_one()) == ""


async def test_a_slot_that_cannot_be_given_back_costs_no_row(store: Store) -> None:
    server = Scripted(facts(**WRONG), facts(**HEALTHY))
    async with live_run(store, server) as live:
        refuse(store, "DELETE ON service_slots")
        written = await live.visit("web-1")
        assert written is not None
        assert written.result()
    query = sa.select(RUN_SERVERS.c.verdict)
    assert store.ask(lambda connection: connection.execute(query).scalar_one()) == "healthy"
