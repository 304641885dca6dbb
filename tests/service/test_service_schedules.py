"""Schedules start each run once, also when processes die; alike in both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from cli_process import FORKED
from forked_volact import FORKS
from receiver_fixtures import Receiver
from service_schedules import (
    ANA,
    NOON,
    Clock,
    Notes,
    decide,
    fill,
    open_service,
    scheduler,
    tick,
    tick_often,
    with_change,
)
from store_samples import keep, row, silent

from volact.client.wire import (
    Blackout,
    MaintenanceWindow,
    RunSpec,
    ScheduleDraft,
    ScheduleInfo,
    ScheduleSpec,
    ViewDraft,
    ViewInfo,
)
from volact.core.context import Policy
from volact.errors import InputError, NoServersError, StoreError
from volact.queries.filters import ServerFilter
from volact.service import views
from volact.service.access import Actor, Scope
from volact.service.database.tables import RUNS, SCHEDULES, USERS
from volact.service.database.transaction import transaction
from volact.service.policies import (
    ApprovalPolicy,
    NotificationChannel,
    NotificationPolicy,
    RepairPolicy,
)
from volact.service.policy_store import read_policy
from volact.service.schedules import store as schedules
from volact.service.views import find_view, list_views
from volact.store.clock import moment
from volact.store.store import Store

HOUR = timedelta(hours=1)
AHEAD = datetime(2036, 1, 1, tzinfo=UTC)
BEN = Actor(user="u2", name="ben", role="operator")


@pytest.fixture
def store(service_url: str) -> Iterator[Store]:
    with open_service(service_url) as opened:
        fill(opened)
        yield opened


def draft(name: str = "hourly", run: RunSpec | None = None, **values: Any) -> ScheduleDraft:
    enabled = values.pop("enabled", True)
    values = values or {"every": "1h"}
    run = run or RunSpec(verb="check", inventory="fleet")
    return ScheduleDraft(name=name, spec=ScheduleSpec(run=run, **values), enabled=enabled)


def saved(store: Store, made: ScheduleDraft | None = None) -> ScheduleInfo:
    return with_change(store, lambda change: schedules.save_schedule(change, made or draft()))


def save_view(store: Store, view: ViewDraft, actor: Actor = ANA, id: str = "") -> ViewInfo:
    return with_change(store, lambda change: views.save_view(change, view, id), actor)


def delete_view(store: Store, id: str, actor: Actor) -> None:
    with_change(store, lambda change: views.delete_view(change, id), actor)


def keys(store: Store) -> list[str]:
    """The schedules' runs, oldest due first."""
    query = sa.select(RUNS.c.schedule).order_by(RUNS.c.schedule)
    return store.ask(lambda connection: [*connection.execute(query).scalars()])


async def test_a_run_starts_when_it_is_due_and_the_next_is_shown(store: Store) -> None:
    made = saved(store)
    assert made.next == NOON + HOUR
    clock, runs = Clock(NOON + HOUR - timedelta(seconds=1)), Notes(store)
    tasks = scheduler(store, runs, clock)
    await tick(tasks)
    assert runs.submitted == []
    clock.now = NOON + HOUR
    await tick(tasks)
    await tick(tasks)
    (spec, actor, waits), *others = runs.submitted
    assert not others
    assert (spec, waits) == (made.spec.run, False)
    assert (actor.name, actor.via, actor.scopes) == ("ana", "schedule", (Scope("tag", "web"),))
    found = schedules.find_schedule(store, made.id)
    assert (found.next, found.last) == (NOON + 2 * HOUR, NOON + HOUR)
    assert found.last_run
    assert keys(store) == [f"{made.id}@2026-05-01T13:00:00.000Z"]


async def test_missed_runs_are_caught_up_once(store: Store) -> None:
    made = saved(store)
    clock, runs = Clock(NOON + 30 * HOUR + timedelta(minutes=10)), Notes(store)
    tasks = scheduler(store, runs, clock)
    for _ in range(3):
        await tick(tasks)
    assert len(runs.submitted) == 1
    assert schedules.find_schedule(store, made.id).next == NOON + 31 * HOUR


async def test_a_missed_run_waits_for_its_window_and_blackouts(
    store: Store,
) -> None:
    night = MaintenanceWindow(begin="22:00", end="06:00")
    first = Blackout(first=datetime(2026, 5, 2).date(), last=datetime(2026, 5, 3).date())  # noqa: DTZ001
    saved(store, draft(cron="0 23 * * *", windows=(night,), blackouts=(first,)))
    clock, runs = Clock(NOON + 24 * HOUR), Notes(store)
    tasks = scheduler(store, runs, clock)
    for at, number in ((NOON + 24 * HOUR, 0), (NOON + 36 * HOUR, 0), (NOON + 60 * HOUR, 1)):
        clock.now = at
        await tick(tasks)
        assert len(runs.submitted) == number


async def test_a_schedule_that_is_off_or_deleted_starts_nothing(store: Store) -> None:
    off = saved(store, draft("off", every="1h", enabled=False))
    gone = saved(store, draft("gone"))
    with_change(store, lambda change: schedules.delete_schedule(change, gone.id))
    runs = Notes(store)
    await tick(scheduler(store, runs, Clock(NOON + 5 * HOUR)))
    assert runs.submitted == []
    assert off.next is None
    with pytest.raises(InputError, match="no such schedule"):
        with_change(store, lambda change: schedules.delete_schedule(change, gone.id))


async def test_a_process_that_dies_after_submitting_doubles_nothing(store: Store) -> None:
    made = saved(store)
    clock, runs = Clock(NOON + HOUR), Notes(store)
    (due,) = schedules.due_now(store, clock.now)
    assert schedules.claim(store, due, clock.now)
    await runs.submit(made.spec.run, ANA, schedule=due.key)  # and here it dies
    tasks = scheduler(store, runs, clock)
    await tick(tasks)
    assert schedules.find_schedule(store, made.id).last_run == ""  # the claim still holds
    clock.now += timedelta(minutes=2)
    await tick(tasks)
    assert len(runs.submitted) == 1
    assert schedules.find_schedule(store, made.id).last_run


async def test_a_process_that_dies_before_submitting_loses_nothing(store: Store) -> None:
    saved(store)
    clock, runs = Clock(NOON + HOUR), Notes(store)
    (due,) = schedules.due_now(store, clock.now)
    assert schedules.claim(store, due, clock.now)
    clock.now += timedelta(minutes=2)
    await tick(scheduler(store, runs, clock))
    assert len(runs.submitted) == 1


async def test_a_process_that_sleeps_past_its_claim_doubles_nothing(store: Store) -> None:
    """It wakes after another process has started the run, and submits it as well."""
    made = saved(store)
    clock, runs = Clock(NOON + HOUR), Notes(store)
    (due,) = schedules.due_now(store, clock.now)
    assert schedules.claim(store, due, clock.now)
    clock.now += timedelta(minutes=2)
    await tick(scheduler(store, runs, clock))
    with pytest.raises(StoreError):
        await runs.submit(made.spec.run, ANA, schedule=due.key)
    schedules.settle(store, due, clock.now, schedules.Start(run="other"))
    assert schedules.find_schedule(store, made.id).last_run != "other"
    assert len(keys(store)) == 1


async def test_a_database_that_fails_is_asked_again(store: Store) -> None:
    saved(store)
    clock, runs = Clock(NOON + HOUR), Notes(store, [StoreError("gone")])
    tasks = scheduler(store, runs, clock)
    await tick(tasks)
    assert runs.submitted == []
    clock.now += timedelta(minutes=2)
    await tick(tasks)
    assert len(runs.submitted) == 1


@FORKED
def test_two_processes_start_each_run_once(store: Store, service_url: str) -> None:
    made = [saved(store, draft(f"s{n}")) for n in range(20)]
    begin, submitted = FORKS.Barrier(2), FORKS.SimpleQueue()
    words = (service_url, NOON + HOUR, begin, submitted)
    both = [FORKS.Process(target=tick_often, args=words, daemon=True) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join()
    assert [process.exitcode for process in both] == [0, 0]
    assert sum(submitted.get() for _ in both) == 20
    assert len(keys(store)) == 20
    assert all(schedules.find_schedule(store, one.id).last_run for one in made)


async def test_a_repair_is_held_to_the_policy_and_says_why_not(store: Store) -> None:
    repair = RunSpec(verb="activate", inventory="fleet", policy=Policy(replace_key=True))
    made = saved(store, draft(run=repair, every="1h"))
    clock, runs = Clock(NOON + HOUR), Notes(store)
    tasks = scheduler(store, runs, clock)
    await tick(tasks)
    assert "may not repair" in schedules.find_schedule(store, made.id).note
    decide(store, RepairPolicy(allowed=True, consents=("replace-key",)))
    clock.now += HOUR
    await tick(tasks)
    (spec, _, waits), *_ = runs.submitted
    assert (spec.canary, spec.max_failures, waits) == ("1", "10%", False)
    assert schedules.find_schedule(store, made.id).note == ""


@pytest.mark.parametrize("waits", [False, True])
async def test_a_repair_waits_for_a_person_where_the_policy_says_so(
    store: Store, waits: bool
) -> None:
    decide(store, RepairPolicy(allowed=True, needs_approval=waits))
    saved(store, draft(run=RunSpec(verb="activate", inventory="fleet"), every="1h"))
    saved(store, draft("check"))
    runs = Notes(store)
    await tick(scheduler(store, runs, Clock(NOON + HOUR)))
    asked = {spec.verb: waiting for spec, _, waiting in runs.submitted}
    assert asked == {"activate": waits, "check": False}


async def test_a_view_narrows_a_run_to_the_servers_that_it_has_then(
    store: Store, service_url: str
) -> None:
    keep(service_url, "aa11", row("web-01"), silent("web-02"), row("db-01", "failed"))
    filter = ServerFilter(verdicts=("failed", "unreachable"))
    view = save_view(store, ViewDraft(name="bad", filter=filter))
    saved(store, draft(view=view.id, every="1h"))
    with pytest.raises(InputError, match="the schedule hourly needs this view"):
        delete_view(store, view.id, ANA)
    runs = Notes(store)
    await tick(scheduler(store, runs, Clock(NOON + HOUR)))
    assert runs.submitted[0][0].only == ("db-01", "web-02")


@pytest.mark.parametrize("verb", ["check", "activate"])
async def test_a_view_adds_no_server_to_those_that_the_schedule_names(
    store: Store, service_url: str, verb: Any
) -> None:
    keep(service_url, "aa11", row("web-01"), silent("web-02"), row("db-01", "failed"))
    decide(store, RepairPolicy(allowed=True))
    filter = ServerFilter(verdicts=("failed", "unreachable"))
    view = save_view(store, ViewDraft(name="bad", filter=filter))
    for name, only in (("both", ("db-01", "web-01")), ("none", ("web-01",))):
        run = RunSpec(verb=verb, inventory="fleet", only=only)
        saved(store, draft(name, run=run, view=view.id, every="1h"))
    runs = Notes(store)
    await tick(scheduler(store, runs, Clock(NOON + HOUR)))
    assert [spec.only for spec, _, _ in runs.submitted] == [("db-01",)]
    notes = {one.name: (one.note, one.failing) for one in schedules.list_schedules(store)}
    words = "no server that the schedule names is in its view now"
    assert notes == {"both": ("", False), "none": (words, False)}


@pytest.mark.parametrize("elsewhere", [False, True])
async def test_a_view_without_a_server_is_no_failure(
    store: Store, service_url: str, receiver: Receiver, monkeypatch: Any, elsewhere: bool
) -> None:
    """Such as the servers that are not healthy, while all of the inventory are."""
    monkeypatch.setenv("HOOK", f"http://127.0.0.1:{receiver.port}/")
    decide(store, NotificationPolicy(channels=(NotificationChannel(variable="HOOK"),)))
    keep(service_url, "aa11", row("web-01"), *([silent("db-01")] if elsewhere else []))
    view = save_view(store, ViewDraft(name="bad", filter=ServerFilter(verdicts=("unreachable",))))
    made = saved(store, draft(view=view.id, every="1h"))
    runs = Notes(store, [NoServersError("no server of fleet is meant")] if elsewhere else [])
    await tick(scheduler(store, runs, Clock(NOON + HOUR)))
    assert runs.submitted == []
    assert receiver.got == []
    found = schedules.find_schedule(store, made.id)
    words = "no server of fleet is meant" if elsewhere else "the schedule's view has no server now"
    assert (found.note, found.failing, found.next) == (words, False, NOON + 2 * HOUR)


async def test_without_its_owner_a_schedule_starts_nothing_and_says_so(store: Store) -> None:
    made = saved(store)
    with transaction(store) as connection:
        connection.execute(sa.update(USERS).values(disabled=True))
    runs = Notes(store)
    await tick(scheduler(store, runs, Clock(NOON + HOUR)))
    assert runs.submitted == []
    found = schedules.find_schedule(store, made.id)
    assert "owner ana" in found.note
    assert found.failing
    assert found.next == NOON + 2 * HOUR


async def test_an_owner_who_may_start_no_runs_starts_none_by_schedule(store: Store) -> None:
    made = saved(store)
    with transaction(store) as connection:
        connection.execute(sa.update(USERS).values(role="viewer"))
    runs = Notes(store)
    await tick(scheduler(store, runs, Clock(NOON + HOUR)))
    assert runs.submitted == []
    assert "owner ana may not start runs" in schedules.find_schedule(store, made.id).note


def test_what_cannot_be_kept_is_refused(store: Store) -> None:
    made = saved(store)
    for wrong, words in (
        (draft("hourly"), "a schedule with the name hourly"),
        (draft("other", every="soon"), "not a duration"),
        (draft("other", run=RunSpec(verb="check", inventory="none"), every="1h"), "no inventory"),
        (draft("other", every="1h", view="none"), "no such view"),
    ):
        with pytest.raises(InputError, match=words):
            saved(store, wrong)
    with pytest.raises(InputError, match="no such schedule"):
        with_change(store, lambda change: schedules.save_schedule(change, draft("new"), "none"))
    again = with_change(
        store,
        lambda change: schedules.save_schedule(change, draft("hourly", every="2h"), made.id),
        BEN,
    )
    assert (again.id, again.owner, again.next) == (made.id, "ben", NOON + 2 * HOUR)
    assert [one.name for one in schedules.list_schedules(store)] == ["hourly"]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"canary": "zz"}, "canary: "),
        ({"max_failures": "many"}, "max_failures: "),
        ({"pace": "fast"}, "pace: "),
        ({"verb": "undo", "undo": "aa11"}, "an undo is not for schedules"),
        ({"policy": Policy(consent=frozenset({"rearmm"}))}, "rearmm: no such step"),
        ({"policy": Policy(consent=frozenset({"rearm"}))}, "rearm is planned over all servers"),
        ({"policy": Policy(override_entitlement="bought")}, "no schedule overrides"),
    ],
)
def test_a_schedule_whose_run_no_policy_lets_start_is_refused(
    store: Store, wrong: dict[str, Any], words: str
) -> None:
    made = saved(store)
    run = RunSpec(**{"verb": "activate", "inventory": "fleet", **wrong})
    for id in ("", made.id):
        save = partial(schedules.save_schedule, draft=draft("x", run), id=id)
        with pytest.raises(InputError, match=words):
            with_change(store, save)
    assert schedules.list_schedules(store) == [made]
    off = draft("x", run, enabled=False)
    save = partial(schedules.save_schedule, draft=off, id=made.id)
    assert with_change(store, save).spec.run == run


def test_views_are_seen_by_their_owner_and_shared_ones_by_all(store: Store) -> None:
    filter = ServerFilter(tags=("web",), ends_before=datetime(2027, 1, 1, tzinfo=UTC))
    own = save_view(store, ViewDraft(name="own", filter=filter), BEN)
    shared = save_view(store, ViewDraft(name="shared", filter=filter, shared=True), BEN)
    assert [view.name for view in list_views(store, BEN)] == ["own", "shared"]
    assert [view.name for view in list_views(store, ANA)] == ["shared"]
    assert find_view(store, own.id, BEN).filter == filter
    with pytest.raises(InputError, match="no such view"):
        find_view(store, own.id, ANA)
    with pytest.raises(InputError, match="no such view"):
        delete_view(store, own.id, ANA)
    cleo = Actor(user="u3", name="cleo", role="operator")
    with pytest.raises(InputError, match="no such view"):
        save_view(store, ViewDraft(name="mine", filter=filter), cleo, shared.id)
    delete_view(store, shared.id, ANA)
    assert [view.name for view in list_views(store, BEN)] == ["own"]


def test_only_who_could_make_its_schedule_changes_what_a_view_finds(store: Store) -> None:
    """The saver of a view would decide otherwise which servers an administrator repairs."""
    lab, all = ServerFilter(names=("lab-*",)), ServerFilter(names=("*",))
    view = save_view(store, ViewDraft(name="lab", filter=lab, shared=True), BEN)
    free = save_view(store, ViewDraft(name="free", filter=lab, shared=True), BEN)
    saved(store, draft(view=view.id, every="1h"))
    confined = Actor(
        user="u2", name="ben", role="administrator", scopes=(Scope("tag", "lab"),), via="token"
    )
    for who in (BEN, confined):
        with pytest.raises(InputError, match="the schedule hourly needs this view"):
            save_view(store, ViewDraft(name="lab", filter=all, shared=True), who, view.id)
        assert find_view(store, view.id).filter == lab
        renamed = save_view(store, ViewDraft(name=f"of {who.via}", filter=lab), who, view.id)
        assert (renamed.name, renamed.shared) == (f"of {who.via}", False)
        assert save_view(store, ViewDraft(name="free", filter=all), who, free.id).filter == all
    shared = save_view(store, ViewDraft(name="lab", filter=lab, shared=True), BEN, view.id)
    assert save_view(store, ViewDraft(name="lab", filter=all), ANA, shared.id).filter == all


def test_a_policy_is_kept_as_it_was_decided(store: Store) -> None:
    assert read_policy(store, ApprovalPolicy) == ApprovalPolicy()
    for most in (3, 5):
        policy = ApprovalPolicy(most_servers=most)
        decide(store, policy)
        assert read_policy(store, ApprovalPolicy) == policy
    with pytest.raises(InputError):
        decide(store, RepairPolicy(consents=("all",)))
    assert read_policy(store, RepairPolicy) == RepairPolicy()


def test_a_claim_is_given_once(store: Store) -> None:
    saved(store)
    (due,) = schedules.due_now(store, NOON + HOUR)
    assert [schedules.claim(store, due, NOON + HOUR) for _ in range(3)] == [True, False, False]
    later = NOON + HOUR + timedelta(minutes=2)
    assert schedules.claim(store, due, later)
    schedules.settle(store, due, later, schedules.Start(run="r1"))
    assert not schedules.claim(store, due, later + HOUR)
    query = sa.select(SCHEDULES.c.claimed)
    assert store.ask(lambda connection: connection.execute(query).scalar()) is None


def test_a_claim_by_a_clock_that_was_ahead_is_free(store: Store) -> None:
    saved(store)
    (due,) = schedules.due_now(store, NOON + HOUR)
    assert schedules.claim(store, due, AHEAD)
    assert schedules.claim(store, due, NOON + HOUR)


@pytest.mark.parametrize("starts", [True, False])
@pytest.mark.parametrize("when", [{"every": "6h"}, {"cron": "0 0,6,12,18 * * *"}])
async def test_runs_start_again_after_a_clock_that_was_ahead(
    store: Store, when: dict[str, Any], starts: bool
) -> None:
    """An interval keeps its phase, also where nothing could be started meanwhile."""
    made = saved(store, draft(**when))
    runs = Notes(store, [] if starts else [InputError("no")])
    clock = Clock(AHEAD + timedelta(minutes=7))
    tasks = scheduler(store, runs, clock)
    await tick(tasks)
    with transaction(store) as connection:
        connection.execute(sa.update(RUNS).values(ended=moment(NOON)))
    number = len(runs.submitted)
    for hours, more in ((7, 0), (11, 0), (12, 1)):
        clock.now = NOON + hours * HOUR
        await tick(tasks)
        assert len(runs.submitted) == number + more
    assert schedules.find_schedule(store, made.id).next == NOON + 18 * HOUR


async def test_a_clock_that_is_behind_starts_nothing_twice(store: Store) -> None:
    made = saved(store)
    clock, runs = Clock(NOON + HOUR), Notes(store)
    tasks = scheduler(store, runs, clock)
    for now in (NOON + HOUR, datetime(2016, 1, 1, tzinfo=UTC), NOON + HOUR * 1.5):
        clock.now = now
        await tick(tasks)
    assert len(runs.submitted) == 1
    assert schedules.find_schedule(store, made.id).next == NOON + 2 * HOUR


async def test_no_run_starts_while_the_last_one_has_not_ended(store: Store) -> None:
    """Such as one that waits for approval or for a worker: its like would heap up behind it."""
    made = saved(store)
    clock, runs = Clock(NOON + HOUR), Notes(store)
    tasks = scheduler(store, runs, clock)
    await tick(tasks)
    clock.now += 3 * HOUR
    await tick(tasks)
    found = schedules.find_schedule(store, made.id)
    assert len(runs.submitted) == 1
    assert found.note == f"its last run {found.last_run} has not ended"
    assert found.next == NOON + 5 * HOUR
    with transaction(store) as connection:
        connection.execute(sa.update(RUNS).values(ended=moment(clock.now)))
    clock.now += HOUR
    await tick(tasks)
    assert len(runs.submitted) == 2
    assert schedules.find_schedule(store, made.id).note == ""


async def test_a_message_that_a_channel_did_not_take_is_sent_to_it_later(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not again to the others."""
    down, up = Receiver(), Receiver()
    down.answer = lambda path: (404, {})
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    for name, receiver in (("DOWN", down), ("UP", up)):
        monkeypatch.setenv(name, f"http://127.0.0.1:{receiver.port}/")
    channels = tuple(NotificationChannel(variable=name) for name in ("DOWN", "UP"))
    decide(store, NotificationPolicy(channels=channels))
    saved(store)
    clock = Clock(NOON + HOUR)
    tasks = scheduler(store, Notes(store, [InputError("no")]), clock)
    for _ in range(2):
        await tick(tasks)  # the second time is too early
    assert (len(down.got), len(up.got)) == (1, 1)
    down.answer = lambda path: (200, {})
    for _ in range(2):
        clock.now += timedelta(minutes=5)
        await tasks.tell_and_tidy()
    assert (len(down.got), len(up.got)) == (2, 1)
    down.close()
    up.close()


@pytest.mark.parametrize(
    ("policy", "title"),
    [
        (RepairPolicy(), "the schedule nightly could not start its run"),
        (
            RepairPolicy(allowed=True, needs_approval=True),
            "the schedule nightly asks for approval of a run",
        ),
    ],
)
async def test_a_message_that_was_not_sent_outlives_its_process(
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    closed_port: int,
    policy: RepairPolicy,
    title: str,
) -> None:
    """It is sent once; a channel that was taken off meanwhile gets nothing."""
    receiver = Receiver()
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    for name in ("HOOK", "OFF"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port}/")
    decide(store, policy)
    channels = tuple(NotificationChannel(variable=name) for name in ("HOOK", "OFF"))
    decide(store, NotificationPolicy(channels=channels))
    saved(store, draft("nightly", RunSpec(verb="activate", inventory="fleet"), every="1h"))
    clock, runs = Clock(NOON + HOUR), Notes(store)
    await tick(scheduler(store, runs, clock))
    decide(store, NotificationPolicy(channels=channels[:1]))
    for name in ("HOOK", "OFF"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{receiver.port}/")
    tasks = scheduler(store, runs, clock)
    for minutes in (4, 5, 10):
        clock.now = NOON + HOUR + timedelta(minutes=minutes)
        await tick(tasks)
    assert [body["title"] for _, _, body in receiver.got] == [f"volact: {title}"]
    receiver.close()


async def test_every_schedule_that_starts_nothing_is_told_when_the_channel_is_up_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A channel that is down is tried once in a round, not once for each message."""
    receiver = Receiver()
    receiver.answer = lambda path: (404, {})
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("HOOK", f"http://127.0.0.1:{receiver.port}/")
    decide(store, NotificationPolicy(channels=(NotificationChannel(variable="HOOK"),)))
    repair = RunSpec(verb="activate", inventory="fleet")
    made = [saved(store, draft(f"s{n}", repair, every="1h")) for n in range(3)]
    clock = Clock(NOON + HOUR)
    tasks = scheduler(store, Notes(store), clock)
    await tick(tasks)
    assert len(receiver.got) == 1
    with_change(store, lambda change: schedules.delete_schedule(change, made[0].id))
    receiver.got.clear()
    receiver.answer = lambda path: (200, {})
    clock.now += timedelta(minutes=5)
    await tick(tasks)
    assert sorted(body["schedule"] for _, _, body in receiver.got) == ["s1", "s2"]
    receiver.close()


async def test_a_zone_that_is_gone_costs_its_own_schedule_only(store: Store) -> None:
    lost = saved(store, draft("lost", every="1h", jitter="5m"))
    spec = msgspec.structs.replace(lost.spec, zone="US/Gone")
    with transaction(store) as connection:
        of = sa.update(SCHEDULES).where(SCHEDULES.c.id == lost.id)
        connection.execute(of.values(spec=msgspec.json.encode(spec).decode()))
    saved(store)
    assert [one.name for one in schedules.list_schedules(store)] == ["hourly", "lost"]
    clock, runs = Clock(NOON + HOUR), Notes(store)
    await tick(scheduler(store, runs, clock))
    assert len(runs.submitted) == 1
    found = schedules.find_schedule(store, lost.id)
    assert (found.next, "US/Gone: not a time zone" in found.note) == (None, True)


async def test_a_message_is_sent_after_all_that_is_due_has_started(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And beside what is due later: a slow channel delays no start."""
    receiver = Receiver()
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("HOOK", f"http://127.0.0.1:{receiver.port}/")
    decide(store, NotificationPolicy(channels=(NotificationChannel(variable="HOOK"),)))
    saved(store)
    saved(store, draft("second"))
    runs = Notes(store, [InputError("no")])
    tasks = scheduler(store, runs, Clock(NOON + HOUR))
    await tasks.start_due()
    assert (len(runs.submitted), len(receiver.got)) == (1, 0)
    for _ in range(2):
        await tasks.tell_and_tidy()
        assert len(receiver.got) == 1
    receiver.close()
