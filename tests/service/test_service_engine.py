"""Runs of the service: what may be asked of them in which state, and who takes them for dead."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa
from migrated_store import migrated_store
from postgres_server import PostgresServer
from store_samples import intent, row

from volact.client.wire import RunInfo, RunSpec
from volact.core.consent import ASKING_STEPS
from volact.core.context import Policy
from volact.errors import InputError, NoServersError
from volact.fleet.failure_policy import FailureLimits
from volact.inventory import choose
from volact.service.access import Actor, Scope
from volact.service.app import utc_now
from volact.service.database.schema import open_service_store
from volact.service.database.tables import INVENTORIES, RUN_SERVERS, RUNS, SLOTS, WORKERS
from volact.service.engine import progress
from volact.service.engine.canaries import draw
from volact.service.engine.control import EngineControl
from volact.service.engine.gate import Gate
from volact.service.engine.lease import (
    Lease,
    LeaseLostError,
    LeaseObserver,
    beats,
    open_session,
    sessions,
    take_away,
)
from volact.service.engine.ledger import Ledger
from volact.service.engine.live_run import LiveRun, load_parts, opener_of
from volact.service.engine.progress import Outcome
from volact.service.engine.slots import free_slot, take_slot
from volact.service.engine.workflows import batch_sizes
from volact.service.identity.audit import Change
from volact.service.inventories import read_whole, stored_text
from volact.service.policies import ApprovalPolicy
from volact.service.policy_store import write_policy
from volact.service.tracing import Spans
from volact.store.address import parse_address
from volact.store.events import ServerDone, StepsPlanned
from volact.store.statements import EventBatch, write
from volact.store.store import Store
from volact.store.values import RunStart

ANN = Actor(user="1", name="ann", role="operator")
BOB = Actor(user="2", name="bob", role="approver")
AT = "2026-01-01T00:00:00.000Z"
TEXT = """
[[server]]
name = "web-1"
address = "ssh://10.0.0.1"
provider = "tencent"
tags = ["web"]
[[server]]
name = "db-1"
address = "ssh://10.0.0.2"
provider = "tencent"
worker = "vault"
[[server]]
name = "web-2"
address = "ssh://10.0.0.3"
tags = ["web"]
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with migrated_store(tmp_path / "volact.db") as opened:
        row = {"name": "main", "file": "main.toml", "text": TEXT, "updated": "2026-01-01"}
        opened.change(lambda connection: connection.execute(sa.insert(INVENTORIES), row))
        yield opened


@pytest.fixture
def control(store: Store) -> EngineControl:
    return EngineControl(store, utc_now)


def spec(**more: object) -> RunSpec:
    return RunSpec(**{"verb": "activate", "inventory": "main", **more})  # type: ignore[arg-type]


def to_start(connection: sa.Connection) -> list[tuple[str, int]]:
    return [one for one, state in progress.open_runs(connection).items() if state != "running"]


def begun(store: Store, info: RunInfo) -> RunInfo:
    """The run after a worker took it."""
    (found,) = [at for run, at in store.ask(to_start) if run == info.id]
    assert store.change(lambda connection: progress.begin(connection, info.id, found, AT))
    return info


def set_outcomes(store: Store, run: str, **verdicts: str) -> None:
    found = [Outcome(name.replace("_", "-"), verdict, verdict == "failed")
             for name, verdict in verdicts.items()]  # fmt: skip
    store.change(lambda connection: progress.record(connection, run, 1, found, None))


async def test_a_run_has_its_servers_from_the_moment_it_is_requested(
    store: Store, control: EngineControl
) -> None:
    info = await control.submit(spec(), ANN)
    assert (info.state, info.servers, info.requested_by) == ("queued", 3, "ann")
    members = store.ask(lambda connection: progress.unfinished(connection, info.id))
    assert [(one.name, one.label) for one in members] == [
        ("web-1", ""), ("db-1", "vault"), ("web-2", ""),
    ]  # fmt: skip


async def test_scopes_narrow_a_run(store: Store, control: EngineControl) -> None:
    narrow = Actor(user="3", name="cy", role="operator", scopes=(Scope("tag", "web"),))
    assert (await control.submit(spec(), narrow)).servers == 2
    with pytest.raises(InputError):
        await control.submit(spec(limit=("db-1",)), narrow)


_WORDS = [
    ("web",), ("web,db-1",), ("db-1", "web"), ("!web-2",), ("web:&web-*",), ("all", "!db-1"), (),
]  # fmt: skip


@pytest.mark.parametrize("limit", [*_WORDS, ("&web",), ("web-1",)])
@pytest.mark.parametrize("targets", _WORDS)
async def test_targets_and_limits_mean_what_they_do_on_the_command_line(
    store: Store, control: EngineControl, targets: tuple[str, ...], limit: tuple[str, ...]
) -> None:
    inventory = store.ask(lambda connection: read_whole(*stored_text(connection, "main")))
    try:
        locally = {server.name for server in choose(inventory, targets, limit)}
    except InputError:
        with pytest.raises(InputError):
            await control.submit(spec(targets=targets, limit=limit), ANN)
        return
    info = await control.submit(spec(targets=targets, limit=limit), ANN)
    members = store.ask(lambda connection: progress.unfinished(connection, info.id))
    assert {one.name for one in members} == locally


async def test_a_target_that_is_an_address_is_no_server_of_the_inventory(
    control: EngineControl,
) -> None:
    with pytest.raises(InputError, match="no such server"):
        await control.submit(spec(targets=("ssh://10.9.9.9",)), ANN)


@pytest.mark.parametrize(
    "wrong", [{"inventory": "none"}, {"canary": "x"}, {"pace": "fast"}, {"limit": ("nothing",)}]
)
async def test_what_is_wrong_is_said_when_a_run_is_requested(
    store: Store, control: EngineControl, wrong: dict[str, object]
) -> None:
    with pytest.raises(InputError):
        await control.submit(spec(**wrong), ANN)
    assert store.ask(to_start) == []


@pytest.mark.parametrize(
    ("verb", "word"),
    [("check", "nonsense-step"), ("activate", "replace-key"), ("activate", "rearmm"),
     ("activate", "restore-debugger"), ("undo", "rearm")],
)  # fmt: skip
async def test_a_consent_that_does_not_exist_is_refused(
    store: Store, control: EngineControl, verb: str, word: str
) -> None:
    """It was counted as a word of the approval policy, which means another field."""
    store.change(lambda connection: write_policy(
        Change(connection, utc_now(), ANN), ApprovalPolicy(consents=("replace-key",))
    ))  # fmt: skip
    asked = spec(verb=verb, policy=Policy(consent=frozenset({word})))
    with pytest.raises(InputError, match=f"{word}: no such step"):
        await control.submit(asked, ANN)
    assert store.ask(to_start) == []


async def test_a_consent_that_exists_is_taken(control: EngineControl) -> None:
    asked = spec(verb="check", policy=Policy(consent=frozenset(ASKING_STEPS)))
    assert (await control.submit(asked, ANN)).spec.policy == asked.policy


async def test_a_run_that_is_stored_is_held_to_the_bounds(
    store: Store, control: EngineControl
) -> None:
    info = await control.submit(spec(), ANN)
    outside = spec(deadline_s=-5, retries=10**9, concurrency=10**12, kms_concurrency=10**6)
    values = {"spec": msgspec.json.encode(outside).decode()}
    store.change(lambda connection: connection.execute(sa.update(RUNS).values(values)))
    parts = load_parts(store, info.id, 1, opener_of)
    assert (parts.job.deadline_s, parts.job.retry.times) == (1, 20)
    assert (parts.info.spec.concurrency, parts.info.spec.kms_concurrency) == (2000, 2000)


async def test_another_person_approves(store: Store, control: EngineControl) -> None:
    info = await control.submit(spec(), ANN, needs_approval=True)
    assert store.ask(to_start) == []
    with pytest.raises(InputError):
        await control.approve(info.id, ANN)
    approved = await control.approve(info.id, BOB)
    assert (approved.state, approved.approved_by) == ("queued", "bob")
    with pytest.raises(InputError):
        await control.refuse(info.id, BOB, "too late")


async def test_a_refused_run_is_over(store: Store, control: EngineControl) -> None:
    info = await control.submit(spec(), ANN, needs_approval=True)
    refused = await control.refuse(info.id, BOB, "not tonight")
    assert (refused.state, refused.note, refused.ended is not None) == (
        "refused", "not tonight", True,
    )  # fmt: skip
    with pytest.raises(InputError):
        await control.resume(info.id)


async def test_a_run_that_is_paused_goes_on_with_another_workflow(
    store: Store, control: EngineControl
) -> None:
    info = begun(store, await control.submit(spec(), ANN))
    assert (await control.pause(info.id)).state == "paused"
    assert store.ask(to_start) == []
    assert (await control.resume(info.id)).state == "queued"
    assert store.ask(to_start) == [(info.id, 2)]
    assert not store.change(lambda connection: progress.begin(connection, info.id, 1, AT))


async def test_a_run_that_was_never_begun_is_cancelled_at_once(
    store: Store, control: EngineControl
) -> None:
    info = await control.submit(spec(), ANN)
    assert (await control.cancel(info.id)).state == "cancelled"
    other = begun(store, await control.submit(spec(), ANN))
    assert (await control.cancel(other.id)).state == "cancelling"


async def test_the_stop_rules_hold_over_recorded_outcomes(
    store: Store, control: EngineControl
) -> None:
    info = begun(store, await control.submit(spec(max_failures="0"), ANN))
    limits = FailureLimits(failures=0)
    bad = Outcome("db-1", "failed", True)
    goes_on = store.change(lambda c: progress.record(c, info.id, 1, [bad], limits))
    assert not goes_on
    again = store.change(lambda c: progress.record(c, info.id, 1, [bad], limits))
    assert not again
    row = store.ask(lambda c: c.execute(sa.select(RUNS)).one())
    assert (row.state, row.note, row.done) == (
        "stopped", "1 server failed, more than the 0 allowed: db-1", 1,
    )  # fmt: skip
    # Who resumes it has seen these failures: they are not counted again.
    await control.resume(info.id)
    good = Outcome("web-1", "healthy", False)
    assert store.change(lambda c: progress.record(c, info.id, 2, [good], limits))
    counted = store.ask(lambda c: progress.tally(c, info.id, 2))
    assert (counted.failures, counted.proven) == (0, 1)


def send_steps(store: Store, run: str, *servers: str) -> None:
    start = RunStart(id=run, command="activate", started=AT, volact="0.1.0")
    for name in servers:
        planned = StepsPlanned(intent(name), written=None)  # type: ignore[arg-type]
        batch = EventBatch(start, AT, [planned])
        store.change(lambda c, batch=batch: write(c, batch, first=True, now=AT))  # type: ignore[misc]


def next_servers(store: Store, run: str, canaries: int) -> list[str]:
    """The servers that a worker gives out next."""
    store.change(lambda c: draw(c, run, canaries, {"", "vault"}))
    return [one.name for one in store.ask(lambda c: progress.unfinished(c, run))]


def goes_on(store: Store, run: str, verdict: str, *servers: str, canaries: int = 1) -> bool:
    some = [Outcome(name, verdict, verdict == "failed") for name in servers]
    limits = FailureLimits(canaries=canaries)
    return store.change(lambda c: progress.record(c, run, 1, some, limits))


async def test_a_canary_that_needed_no_steps_is_replaced(
    store: Store, control: EngineControl
) -> None:
    info = begun(store, await control.submit(spec(canary="1"), ANN))
    (first,) = next_servers(store, info.id, 1)
    assert next_servers(store, info.id, 1) == [first]  # it is still at work
    assert goes_on(store, info.id, "healthy", first)
    (second,) = next_servers(store, info.id, 1)
    assert second != first
    send_steps(store, info.id, second)
    assert not goes_on(store, info.id, "failed", second)
    assert find_run_of(store, info.id) == ("stopped", f"1 canary failed: {second}")


@pytest.mark.parametrize("verdict", ["healthy", "attention"])
async def test_a_canary_proves_by_the_steps_that_it_was_sent(
    store: Store, control: EngineControl, verdict: str
) -> None:
    info = begun(store, await control.submit(spec(canary="1"), ANN))
    (first,) = next_servers(store, info.id, 1)
    assert goes_on(store, info.id, "healthy", first)
    (second,) = next_servers(store, info.id, 1)
    send_steps(store, info.id, second)
    proven = verdict == "healthy"
    assert goes_on(store, info.id, verdict, second) is proven
    (third,) = {"web-1", "db-1", "web-2"} - {first, second}
    if proven:
        assert next_servers(store, info.id, 1) == [third]
        # Those after the canaries fail as others do.
        assert goes_on(store, info.id, "failed", third)
    else:
        note = "no canary could be verified as activated"
        assert find_run_of(store, info.id) == ("stopped", note)


@pytest.mark.parametrize("verdict", ["healthy", "attention"])
async def test_canaries_are_judged_when_enough_of_them_were_sent_steps(
    store: Store, control: EngineControl, verdict: str
) -> None:
    info = begun(store, await control.submit(spec(canary="2"), ANN))
    first, second = next_servers(store, info.id, 2)
    send_steps(store, info.id, first)
    assert goes_on(store, info.id, "attention", first, second, canaries=2)
    (third,) = next_servers(store, info.id, 2)
    send_steps(store, info.id, third)
    proven = verdict == "healthy"
    assert goes_on(store, info.id, verdict, third, canaries=2) is proven


async def test_servers_that_were_healthy_are_canaries_last(
    store: Store, control: EngineControl
) -> None:
    start = RunStart(id="aa11", command="check", started=AT, volact="0.1.0")
    for healthy in ({"web-1", "web-2"}, {"db-1", "web-1"}):
        rows = [
            ServerDone(AT, row(name, "healthy" if name in healthy else "failed"))
            for name in ("web-1", "db-1", "web-2")
        ]
        batch = EventBatch(start, AT, [*rows])
        store.change(lambda c, batch=batch: write(c, batch, first=True, now=AT))  # type: ignore[misc]
        info = begun(store, await control.submit(spec(canary="1"), ANN))
        assert not healthy & {*next_servers(store, info.id, 1)}


def find_run_of(store: Store, run: str) -> tuple[str, str]:
    """Its state and note."""
    query = sa.select(RUNS.c.state, RUNS.c.note).where(RUNS.c.id == run)
    state, note = store.ask(lambda c: c.execute(query).one())
    return state, note


async def test_a_healthy_fleet_is_gone_through_in_few_rounds(
    store: Store, control: EngineControl
) -> None:
    text = "".join(
        f'[[server]]\nname = "s-{at}"\naddress = "ssh://10.0.1.{at}"\n' for at in range(100)
    )
    store.change(lambda c: c.execute(sa.update(INVENTORIES).values(text=text)))
    info = begun(store, await control.submit(spec(canary="1"), ANN))
    rounds = []
    while servers := next_servers(store, info.id, 1):
        rounds.append(len(servers))
        assert goes_on(store, info.id, "healthy", *servers)
    assert rounds == [1, 1, 2, 4, 8, 16, 32, 36]


async def test_the_servers_that_are_not_healthy_are_tried_in_another_run(
    store: Store, control: EngineControl
) -> None:
    info = begun(store, await control.submit(spec(), ANN))
    with pytest.raises(InputError):
        await control.retry_failed(info.id, ANN)
    set_outcomes(store, info.id, web_1="healthy", db_1="failed", web_2="unreachable")
    store.change(
        lambda c: c.execute(sa.update(RUNS).values(state="done", ended="2026-01-01T00:00:00.000Z"))
    )
    again = await control.retry_failed(info.id, ANN)
    assert (again.servers, set(again.spec.only)) == (2, {"db-1", "web-2"})


def test_a_worker_is_dead_when_its_counter_stands_still_for_so_many_readings() -> None:
    observer = LeaseObserver(readings=3)
    for beat in range(5):
        assert observer.dead({"a": beat, "b": 7 + (beat > 2)}) == []
    assert observer.dead({"a": 5, "b": 8}) == []
    assert observer.dead({"a": 6, "b": 8}) == [("b", 8)]
    assert observer.dead({"a": 7, "b": 9}) == []  # it was only slow


def test_a_worker_whose_session_has_ended_is_dead_sooner() -> None:
    observer = LeaseObserver()
    assert observer.dead({"a": 1, "b": 1, "c": 1}, {"a", "b"}) == []
    assert observer.dead({"a": 2, "b": 1, "c": 1}, {"a"}) == []
    # One that had no session is judged by its counter alone.
    assert observer.dead({"a": 3, "b": 1, "c": 1}, {"a"}) == [("b", 1)]
    assert observer.dead({"a": 4, "b": 2, "c": 1}, {"a"}) == []  # it has lived on without


def test_the_database_says_whose_session_lives(postgresql: PostgresServer) -> None:
    address = parse_address(postgresql.new_database())
    assert address is not None
    with open_service_store(address) as opened:
        ann, bob = (open_session(opened.engine, name) for name in ("ann", "bob"))
        assert sessions(ann, ["ann", "bob", "cy"]) == {"ann", "bob"}
        ann.rollback()
        bob.close()
        while sessions(ann, ["ann", "bob"]) != {"ann"}:  # the backend ends when it has read that
            ann.rollback()
        ann.close()


async def test_a_worker_without_its_lease_may_do_nothing(store: Store) -> None:
    lease = Lease(())
    store.change(lease.register)
    store.change(lease.renew)
    await asyncio.wait_for(lease.fresh(), 120)
    assert store.ask(beats) == {lease.worker: 1}
    store.change(lambda c: take_slot(c, "kms:1688", 1, lease.worker, "run/a"))
    store.change(lambda c: take_away(c, lease.worker, 0))  # it has lived on meanwhile
    store.change(lease.require)
    store.change(lambda c: take_away(c, lease.worker, 1))
    for attempt in (lease.require, lease.renew):
        with pytest.raises(LeaseLostError):
            store.change(attempt)
    assert store.ask(lambda c: c.execute(sa.select(SLOTS)).all()) == []


async def test_of_two_workers_one_claims_a_server_as_long_as_it_lives(
    store: Store, control: EngineControl
) -> None:
    info = begun(store, await control.submit(spec(), ANN))
    for worker in ("a", "b"):
        row = {"id": worker, "started": "2026-01-01", "seen": "2026-01-01"}
        store.change(lambda c, row=row: c.execute(sa.insert(WORKERS), row))  # type: ignore[misc]

    def claim(worker: str) -> bool:
        return store.change(lambda c: progress.claim(c, info.id, "db-1", worker))

    assert (claim("a"), claim("a"), claim("b")) == (True, True, False)
    store.change(lambda c: take_away(c, "a"))
    assert (claim("b"), claim("a")) == (True, False)
    set_outcomes(store, info.id, db_1="healthy")
    assert not claim("b")
    left = store.ask(lambda c: c.execute(sa.select(RUN_SERVERS.c.claimed_by).distinct()).all())
    assert left == [("",)]


def test_slots_of_a_kms_host_are_bounded(store: Store) -> None:
    def take(holder: str, host: str = "kms:1688") -> bool:
        return store.change(lambda c: take_slot(c, host, 2, "w", holder))

    assert [take("a"), take("b"), take("c"), take("a"), take("c", "other:1688")] == [
        True, True, False, True, True,
    ]  # fmt: skip
    store.change(lambda c: free_slot(c, "kms:1688", "a"))
    assert (take("c"), take("d")) == (True, False)


async def test_a_run_whose_workflow_is_lost_is_begun_again(
    store: Store, control: EngineControl
) -> None:
    info = begun(store, await control.submit(spec(), ANN))
    store.change(lambda c: progress.start_after_failure(c, info.id, 1, AT))
    assert store.ask(to_start) == [(info.id, 2)]
    begun(store, info)
    store.change(lambda c: progress.start_after_failure(c, info.id, 99, AT))
    assert store.ask(to_start) == []
    row = store.ask(lambda c: c.execute(sa.select(RUNS.c.state, RUNS.c.note)).one())
    assert tuple(row) == ("failed", "its workflow failed too often")


async def test_the_places_of_a_run_follow_the_load() -> None:
    gate, ends = Gate(1), [asyncio.Event() for _ in range(5)]

    async def work(end: asyncio.Event) -> None:
        async with gate.place(0):
            there.append(end)
            await end.wait()

    async def at_work(places: int) -> int:
        gate.resize(places)
        for _ in range(20):
            await asyncio.sleep(0)  # who may begin does
        return len(there)

    there = list[asyncio.Event]()
    tasks = [asyncio.create_task(work(end)) for end in ends]
    assert [await at_work(places) for places in (1, 3, 2)] == [1, 3, 3]
    assert gate.busy == 3
    there[0].set()
    assert (await at_work(2), gate.busy) == (3, 2)  # one that ended made room for none
    there[1].set()
    assert (await at_work(2), gate.busy) == (4, 2)
    for end in ends:
        end.set()
    await asyncio.gather(*tasks)
    assert (len(there), gate.busy) == (5, 0)


async def test_servers_of_early_batches_get_their_places_first() -> None:
    gate, order = Gate(1), list[int]()

    async def work(batch: int) -> None:
        async with gate.place(batch):
            order.append(batch)
            await asyncio.sleep(0)

    async with gate.place(9):
        tasks = [asyncio.create_task(work(batch)) for batch in (3, 1, 2, 1)]
        await asyncio.sleep(0)  # all of them wait
    await asyncio.gather(*tasks)
    assert order == [1, 1, 2, 3]


async def test_a_place_that_was_given_to_what_is_cancelled_goes_on() -> None:
    gate, order = Gate(1), list[str]()

    async def work(name: str) -> None:
        async with gate.place(1):
            order.append(name)

    async with gate.place(1):
        given, waiting, other = (asyncio.create_task(work(name)) for name in "abc")
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.sleep(0)
    given.cancel()  # its place has come, and it has not run yet
    await asyncio.gather(given, waiting, other, return_exceptions=True)
    assert order == ["c"]
    async with gate.place(1):
        order.append("free")
    assert order[-1] == "free"


def test_batches_are_what_a_worker_has_at_work_and_small_in_the_end() -> None:
    assert [*batch_sizes(30, 2, 4)] == [8, 6, 4, 3, 3, 2, 1, 1, 1, 1]
    assert [*batch_sizes(120, 1, 50)] == [50, 35, 18, 13, 4]
    assert [*batch_sizes(3000, 1, 1000)] == [1000, 1000, 500, 250, 250]
    assert [*batch_sizes(400, 2, 0)] == [100, 75, 57, 42, 32, 24, 18, 13, 13, 13, 13]
    assert [*batch_sizes(0, 1, 50)] == []
    assert [*batch_sizes(1, 0, 50)] == [1]


async def test_a_pause_loses_no_turns_of_those_that_wait(
    store: Store, control: EngineControl
) -> None:
    info = begun(store, await control.submit(spec(pace="1/h"), ANN))
    lease = Lease(())
    store.change(lease.register)
    ledger = Ledger(store, lease, lambda: None)
    live = LiveRun(load_parts(store, info.id, 1, opener_of), ledger, lease, Spans())
    waiting = [asyncio.create_task(live.pace()) for _ in range(5)]
    of = sa.select(RUNS.c.pace_slot).where(RUNS.c.id == info.id)

    def slot() -> int | None:
        found: int | None = store.ask(lambda connection: connection.execute(of).scalar_one())
        return found

    while (first := slot()) is None:
        await asyncio.sleep(0.01)
    await ledger.flush()
    live.close()
    await asyncio.gather(*waiting)
    live.end()
    await asyncio.to_thread(ledger.close)
    assert slot() == first


def test_of_workers_that_are_gone_nothing_is_kept() -> None:
    observer = LeaseObserver()
    for n in range(5):
        observer.dead({"a": n, f"b{n}": 1}, {"a", f"b{n}"})
    assert observer._held == {"a", "b4"}


async def test_servers_of_another_inventory_alone_are_no_servers(control: EngineControl) -> None:
    """As a view of a schedule may have."""
    with pytest.raises(NoServersError, match="no server of main is meant"):
        await control.submit(spec(only=("lab-1",)), ANN)


async def test_an_inventory_that_is_out_of_reach_as_a_whole_is_a_mistake(
    control: EngineControl,
) -> None:
    """A schedule whose owner reaches nothing any more is failing, with any view."""
    narrow = Actor(user="3", name="cy", role="operator", scopes=(Scope("tag", "none"),))
    with pytest.raises(InputError, match="no server of main is meant") as told:
        await control.submit(spec(only=("web-1",)), narrow, schedule="s")
    assert not isinstance(told.value, NoServersError)


async def test_a_view_that_finds_a_skipped_server_has_the_others(
    store: Store, control: EngineControl
) -> None:
    text = TEXT.replace('name = "db-1"', 'name = "db-1"\nskip = "retired"')
    store.change(lambda c: c.execute(sa.update(INVENTORIES).values(text=text)))
    both = spec(only=("db-1", "web-1"))
    with pytest.raises(InputError, match="db-1 is skipped: retired"):
        await control.submit(both, ANN)
    assert (await control.submit(both, ANN, schedule="s")).servers == 1


async def test_what_is_outside_of_the_scopes_is_in_no_answer(
    store: Store, control: EngineControl
) -> None:
    narrow = Actor(user="3", name="cy", role="operator", scopes=(Scope("tag", "web"),))
    for word in ("db-1", "db-9"):  # one of another's, and none at all
        with pytest.raises(InputError) as told:
            await control.submit(spec(limit=(word,)), narrow)
        assert "db-" not in told.value.line().replace(word, "")
        assert f"no such server: {word}" in told.value.line()
    info = begun(store, await control.submit(spec(limit=("all",)), ANN))
    set_outcomes(store, info.id, web_1="healthy", db_1="failed", web_2="unreachable")
    store.change(
        lambda c: c.execute(sa.update(RUNS).values(state="done", ended="2026-01-01T00:00:00.000Z"))
    )
    again = await control.retry_failed(info.id, narrow)
    assert (again.servers, again.spec.only, again.spec.limit) == (1, ("web-2",), ())
