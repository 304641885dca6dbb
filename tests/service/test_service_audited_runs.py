"""Whichever way a run is asked for: the policy on approvals holds, and the audit has it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from msgspec.structs import replace
from service_parts import NOW, actor, served_store
from service_schedules import open_service
from store_samples import end, intent, keep, row, silent, store_writer

from volact.client.inventories import InventoryUpload
from volact.client.wire import RunSpec, Verb
from volact.errors import StoreError
from volact.service.database.tables import RUN_SERVERS, RUNS
from volact.service.engine.control import EngineControl
from volact.service.identity import audit
from volact.service.inventories import Saving, save_upload
from volact.service.policies import ApprovalPolicy
from volact.service.policy_store import write_policy
from volact.store.store import Store

TEXT = '[[server]]\nname = "a"\naddress = "ssh://a"\ntags = ["prod"]\nprovider = "aws"\n'


def now() -> datetime:
    return NOW


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with served_store(tmp_path) as opened:
        with audit.changing(opened, NOW, actor()) as change:
            saving = Saving(name="main", by="ada", now=NOW)
            save_upload(change.connection, saving, InventoryUpload(file="f.toml", text=TEXT))
        yield opened


@pytest.mark.parametrize(
    ("policy", "verb", "state"),
    [
        (ApprovalPolicy(), "activate", "queued"),
        (ApprovalPolicy(tags=("prod",)), "activate", "awaiting-approval"),
        (ApprovalPolicy(tags=("prod",)), "check", "queued"),
        (ApprovalPolicy(providers=("aws",)), "activate", "awaiting-approval"),
        (ApprovalPolicy(most_servers=0), "activate", "awaiting-approval"),
        (ApprovalPolicy(tags=("other",)), "activate", "queued"),
    ],
)
async def test_a_run_waits_where_the_policy_asks(
    store: Store, policy: ApprovalPolicy, verb: Verb, state: str
) -> None:
    with audit.changing(store, NOW, actor("administrator")) as change:
        write_policy(change, policy)
    runs = EngineControl(store, now)
    made = await runs.submit(RunSpec(verb=verb, inventory="main"), actor())
    assert made.state == state
    (line, *_) = store.ask(audit.lines)
    assert line.detail["waits"] is (state == "awaiting-approval")


KNOWN = "".join(
    f'[[server]]\nname = "{name}"\naddress = "ssh://{name}"\n{more}'
    for name, more in {"a": 'provider = "aws"\n', "seen": "", "silent": "", "new": ""}.items()
)
NOT_KNOWN = (
    "it has servers whose provider is not known, such as {}; check them, "
    "or name it in the inventory"
)


@pytest.mark.parametrize(
    ("providers", "name", "why"),
    [
        (["tencent"], "seen", "it has servers of tencent"),
        (["aws"], "seen", ""),
        (["aws"], "a", "it has servers of aws"),
        (["tencent"], "a", ""),  # though it was seen at Tencent
        (["tencent"], "silent", NOT_KNOWN.format("silent")),
        (["tencent"], "new", NOT_KNOWN.format("new")),
        ([], "new", ""),
    ],
)
async def test_a_provider_that_the_inventory_does_not_name_is_the_one_last_seen(
    service_url: str, providers: list[str], name: str, why: str
) -> None:
    keep(service_url, "aa11", row("a"), row("seen"), silent("silent"))
    with open_service(service_url) as store:
        with audit.changing(store, NOW, actor("administrator")) as change:
            save_upload(
                change.connection,
                Saving(name="main", by="ada", now=NOW),
                InventoryUpload(file="f.toml", text=KNOWN),
            )
            write_policy(change, ApprovalPolicy(providers=tuple(providers)))
        runs = EngineControl(store, now)
        made = await runs.submit(RunSpec(verb="activate", inventory="main", only=(name,)), actor())
        assert made.state == ("awaiting-approval" if why else "queued")
        assert made.note == why
        (line, *_) = store.ask(audit.lines)
        assert line.detail.get("why", "") == why


async def test_why_a_run_waited_is_told_while_it_waits(store: Store) -> None:
    with audit.changing(store, NOW, actor("administrator")) as change:
        write_policy(change, ApprovalPolicy(tags=("prod",)))
    runs, spec = EngineControl(store, now), RunSpec(verb="activate", inventory="main")
    first, second, third = [await runs.submit(spec, actor()) for _ in range(3)]
    assert first.note == "it has servers with the tag prod"
    assert (await runs.approve(first.id, actor(name="grace"))).note == ""
    assert (await runs.cancel(second.id, actor())).note == ""
    assert (await runs.refuse(third.id, actor(name="grace"), "not tonight")).note == "not tonight"


async def test_an_undo_has_a_row_for_a_server_that_is_not_in_the_inventory_now(
    store: Store, tmp_path: Path
) -> None:
    """Renamed or removed: its changes stay, which has to be seen; those who named servers know."""
    writer = store_writer(str(tmp_path / "volact.db"), "aa11")
    for name in ("a", "old"):
        await writer.sending(intent(name))
        writer.row(row(name))
    assert writer.finish(end("aa11", servers=2)).stored
    runs = EngineControl(store, now)
    spec = RunSpec(verb="undo", inventory="main", undo="aa11")
    asked = {
        "all": (spec, actor()),
        "named": (replace(spec, limit=("a",)), actor()),
        "scoped": (spec, actor("operator", "tag:prod")),
    }
    made = {who: await runs.submit(*words) for who, words in asked.items()}
    assert {who: info.servers for who, info in made.items()} == {"all": 2, "named": 1, "scoped": 1}
    query = sa.select(RUN_SERVERS.c.server).where(RUN_SERVERS.c.run == made["all"].id)
    names = store.ask(lambda connection: {*connection.execute(query).scalars()})
    assert names == {"a", "old"}


async def test_what_is_asked_of_a_run_is_in_the_audit(store: Store) -> None:
    runs = EngineControl(store, now)
    made = await runs.submit(RunSpec(verb="check", inventory="main"), actor(), needs_approval=True)
    await runs.approve(made.id, actor(name="grace"))
    await runs.pause(made.id, actor())
    await runs.resume(made.id)
    await runs.cancel(made.id, actor(name="grace"))
    other = await runs.submit(RunSpec(verb="check", inventory="main"), actor(), needs_approval=True)
    await runs.refuse(other.id, actor(name="grace"), "not tonight")
    lines = [line for line in store.ask(audit.lines) if line.action.startswith("run.")]
    assert [(line.user, line.action, line.object, line.approved_by) for line in lines] == [
        ("grace", "run.refused", other.id, "grace"),
        ("ada", "run.requested", other.id, ""),
        ("grace", "run.cancelled", made.id, "grace"),
        ("volact", "run.resumed", made.id, "grace"),
        ("ada", "run.paused", made.id, "grace"),
        ("grace", "run.approved", made.id, "grace"),
        ("ada", "run.requested", made.id, ""),
    ]
    assert store.ask(audit.verify).broken_at == 0


async def test_nothing_is_done_that_the_audit_cannot_take(store: Store) -> None:
    runs = EngineControl(store, now)
    made = await runs.submit(RunSpec(verb="check", inventory="main"), actor())
    with store.engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER closed BEFORE INSERT ON service_audit "
            "BEGIN SELECT RAISE(ABORT, 'closed'); END"
        )
    for asked in (runs.submit(made.spec, actor()), runs.cancel(made.id), runs.pause(made.id)):
        with pytest.raises(StoreError):
            await asked
    found = store.ask(lambda c: c.execute(sa.select(RUNS.c.id, RUNS.c.state)).all())
    assert [tuple(row) for row in found] == [(made.id, "queued")]
