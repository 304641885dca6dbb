"""Runs by schedule tell of changes, once, and late rather than never; retention deletes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
import sqlalchemy as sa
from msgspec.structs import replace
from receiver_fixtures import Receiver
from service_parts import put_run, run_info
from service_schedules import NOON, decide, fill, open_service, with_change
from store_samples import WRONG_HOST, keep, row, silent

from volact.client.wire import RunSpec, ScheduleDraft, ScheduleSpec
from volact.model.report import ServerReport
from volact.report.message import Message
from volact.service.database.tables import LINKS, POLICIES, RUN_SERVERS, RUNS, SCHEDULES, TASKS
from volact.service.database.transaction import transaction
from volact.service.engine import progress
from volact.service.engine.plan import Member
from volact.service.policies import NotificationChannel, NotificationPolicy, RetentionPolicy
from volact.service.retention import tidy
from volact.service.schedules import messages
from volact.service.schedules import store as schedules
from volact.store.clock import moment
from volact.store.store import Store
from volact.store.tables import FACTS, ROWS
from volact.store.tables import RUNS as STORED_RUNS

DAY = timedelta(days=1)
CHECK = RunSpec(verb="check", inventory="fleet")


@pytest.fixture
def store(service_url: str) -> Iterator[Store]:
    with open_service(service_url) as opened:
        fill(opened)
        yield opened


def schedule(store: Store) -> str:
    draft = ScheduleDraft(name="hourly", spec=ScheduleSpec(run=CHECK, every="1h"))
    return with_change(store, lambda change: schedules.save_schedule(change, draft)).id


def ended(
    store: Store,
    schedule: str,
    run: str,
    state: str = "done",
    note: str = "",
    *,
    ago: timedelta = timedelta(),
) -> None:
    """The schedule's newest run has ended; the store has its rows, from that moment."""
    now = datetime.now(UTC) - ago
    set_back(store, run, ago)
    with transaction(store) as connection:
        connection.execute(
            sa.insert(RUNS).values(
                id=run,
                state=state,
                note=note,
                spec=msgspec.json.encode(CHECK).decode(),
                schedule=f"{schedule}@{run}",
                requested=moment(now),
                begun=moment(now - timedelta(seconds=1)),
                ended=moment(now + timedelta(seconds=1)),
            )
        )
        change = sa.update(SCHEDULES).where(SCHEDULES.c.id == schedule)
        connection.execute(change.values(last_run=run))


def ends(name: str, days: int) -> ServerReport:
    """A server whose licence ends so many days from now."""
    expires = moment(datetime.now(UTC) + days * DAY)
    return replace(row(name), license=replace(row(name).license, expires=expires))


def set_back(store: Store, run: str, by: timedelta) -> None:
    """A run's rows and facts are older than they are."""
    at = moment(datetime.now(UTC) - by)
    with transaction(store) as connection:
        connection.execute(sa.update(ROWS).where(ROWS.c.run == run).values(at=at))
        connection.execute(sa.update(FACTS).where(FACTS.c.run == run).values(at=at))
        connection.execute(sa.update(STORED_RUNS).where(STORED_RUNS.c.id == run).values(begun=at))


def tell(store: Store, port: int, **others: int) -> list[bool]:
    ports = {"HOOK": port, **others}
    env = {name: f"http://127.0.0.1:{port}/T0Ps3cret" for name, port in ports.items()}
    return [messages.tell_changes(store, one, env) for one in messages.ended_runs(store)]


def changed(receiver: Receiver) -> list[list[tuple[str, str, str]]]:
    """What changed by each message."""
    return [[(c["server"], c["was"], c["now"]) for c in body["changes"]]
            for _, _, body in receiver.got]  # fmt: skip


def test_a_change_is_told_once(store: Store, service_url: str, receiver: Receiver) -> None:
    policy = NotificationPolicy(channels=(NotificationChannel(variable="HOOK"),))
    decide(store, policy)
    keep(service_url, "aa11", row("web-01"), row("web-02"))
    set_back(store, "aa11", DAY)
    made = schedule(store)
    keep(service_url, "bb22", row("web-01", "failed", findings=(WRONG_HOST,)), row("web-02"))
    ended(store, made, "bb22")
    (once,) = messages.ended_runs(store)
    assert tell(store, receiver.port) == [True]
    assert messages.tell_changes(store, once, {})  # another process, a moment later
    assert messages.ended_runs(store) == []
    (got,) = receiver.got
    _, _, body = got
    assert [change["server"] for change in body["changes"]] == ["web-01"]
    assert "kms-host-wrong" in body["text"]
    assert "T0Ps3cret" not in str(body)


def test_where_nothing_changed_nothing_is_sent(
    store: Store, service_url: str, receiver: Receiver
) -> None:
    decide(store, NotificationPolicy(channels=(NotificationChannel(variable="HOOK"),)))
    keep(service_url, "aa11", row("web-01"), silent("web-02"))
    set_back(store, "aa11", DAY)
    made = schedule(store)
    keep(service_url, "bb22", row("web-01"), silent("web-02"))
    ended(store, made, "bb22")
    assert tell(store, receiver.port) == [True]
    assert receiver.got == []


@pytest.mark.parametrize("state", ["stopped", "failed"])
def test_a_run_that_did_not_come_to_its_end_is_told_though_no_server_changed(
    store: Store, service_url: str, receiver: Receiver, state: str
) -> None:
    decide(store, NotificationPolicy(channels=(NotificationChannel(variable="HOOK"),)))
    keep(service_url, "aa11", row("web-01", "failed", findings=(WRONG_HOST,)))
    set_back(store, "aa11", DAY)
    made = schedule(store)
    keep(service_url, "bb22", row("web-01", "failed", findings=(WRONG_HOST,)))
    with transaction(store) as connection:
        connection.execute(sa.update(STORED_RUNS).values(closing=None))
    ended(store, made, "bb22", state, "1 canary failed: web-01")
    assert tell(store, receiver.port) == [True]
    (got,) = receiver.got
    assert "1 canary failed: web-01" in got[2]["text"]


def test_what_could_not_be_sent_is_told_after_the_next_run(
    store: Store, service_url: str, receiver: Receiver, closed_port: int
) -> None:
    decide(store, NotificationPolicy(channels=(NotificationChannel(variable="HOOK"),)))
    keep(service_url, "aa11", row("web-01"))
    set_back(store, "aa11", DAY)
    made = schedule(store)
    with transaction(store) as connection:
        connection.execute(sa.update(SCHEDULES).values(told=moment(datetime.now(UTC) - DAY / 2)))
    keep(service_url, "bb22", row("web-01", "failed", findings=(WRONG_HOST,)))
    set_back(store, "bb22", DAY / 4)
    ended(store, made, "bb22")
    assert tell(store, closed_port) == [False]
    keep(service_url, "cc33", row("web-01", "failed", findings=(WRONG_HOST,)))
    ended(store, made, "cc33")
    assert tell(store, receiver.port) == [True]
    (got,) = receiver.got
    assert got[2]["changes"][0]["was"] == "healthy"


def first_run(store: Store, service_url: str) -> str:
    """A schedule whose first run found what a run before it had not."""
    decide(store, NotificationPolicy(channels=(NotificationChannel(variable="HOOK"),)))
    keep(service_url, "aa11", row("web-01"))
    set_back(store, "aa11", DAY)
    made = schedule(store)
    keep(service_url, "bb22", row("web-01", "failed", findings=(WRONG_HOST,)))
    ended(store, made, "bb22", ago=DAY / 2)
    return made


def test_what_the_first_run_found_is_told_after_the_next_if_it_could_not_be_sent(
    store: Store, service_url: str, receiver: Receiver, closed_port: int
) -> None:
    made = first_run(store, service_url)
    assert tell(store, closed_port) == [False]
    keep(service_url, "cc33", row("web-01", "failed", findings=(WRONG_HOST,)))
    ended(store, made, "cc33")
    assert tell(store, receiver.port) == [True]
    assert changed(receiver) == [[("web-01", "healthy", "failed")]]


def test_what_the_first_run_found_is_told_though_its_process_ended_first(
    store: Store, service_url: str, receiver: Receiver
) -> None:
    """After it had said that it looks at the run."""
    made = first_run(store, service_url)
    (one,) = messages.ended_runs(store)
    assert messages.claim(store, one)
    keep(service_url, "cc33", row("web-01", "failed", findings=(WRONG_HOST,)))
    ended(store, made, "cc33")
    assert tell(store, receiver.port) == [True]
    assert changed(receiver) == [[("web-01", "healthy", "failed")]]


def tell_waiting(store: Store, receiver: Receiver, minutes: int) -> None:
    env = {"HOOK": f"http://127.0.0.1:{receiver.port}/T0Ps3cret"}
    messages.send_waiting(store, datetime.now(UTC) + timedelta(minutes=minutes), env)


@pytest.fixture
def stopped(store: Store, service_url: str) -> str:
    """A schedule whose run stopped and changed nothing."""
    decide(store, NotificationPolicy(channels=(NotificationChannel(variable="HOOK"),)))
    keep(service_url, "aa11", row("web-01", "failed", findings=(WRONG_HOST,)))
    set_back(store, "aa11", DAY)
    made = schedule(store)
    keep(service_url, "bb22", row("web-01", "failed", findings=(WRONG_HOST,)))
    ended(store, made, "bb22", "stopped", "1 canary failed: web-01", ago=DAY / 2)
    return made


def test_a_run_that_stopped_is_told_later_though_the_next_changed_nothing(
    store: Store, service_url: str, receiver: Receiver, stopped: str, closed_port: int
) -> None:
    assert tell(store, closed_port) == [False]
    keep(service_url, "cc33", row("web-01", "failed", findings=(WRONG_HOST,)))
    ended(store, stopped, "cc33")
    assert tell(store, receiver.port) == [True]
    assert receiver.got == []
    for minutes in (6, 12):
        tell_waiting(store, receiver, minutes)
    assert [body["text"].splitlines() for _, _, body in receiver.got] == [
        [
            "volact: a run by the schedule hourly did not come to its end",
            "1 canary failed: web-01",
            "run bb22",
        ]
    ]


def test_a_run_that_stopped_is_told_though_its_process_ended_first(
    store: Store, receiver: Receiver, stopped: str
) -> None:
    """After it had said that it looks at the run."""
    (one,) = messages.ended_runs(store)
    assert messages.claim(store, one)
    for minutes in (6, 12):
        tell_waiting(store, receiver, minutes)
    assert [body["run"] for _, _, body in receiver.got] == ["bb22"]


def test_a_run_that_stopped_is_told_once(store: Store, receiver: Receiver, stopped: str) -> None:
    assert tell(store, receiver.port) == [True]
    tell_waiting(store, receiver, 6)
    assert len(receiver.got) == 1


def test_a_later_run_that_is_told_while_a_channel_is_slow_is_not_told_again(
    store: Store, service_url: str, receiver: Receiver
) -> None:
    """Another process tells it."""
    decide(store, NotificationPolicy(channels=(NotificationChannel(variable="HOOK"),)))
    keep(service_url, "aa11", row("web-01"), row("web-02"))
    set_back(store, "aa11", DAY)
    made = schedule(store)
    failed = [row(name, "failed", findings=(WRONG_HOST,)) for name in ("web-01", "web-02")]
    keep(service_url, "bb22", failed[0], row("web-02"))
    ended(store, made, "bb22", ago=DAY / 2)
    slow = Receiver()

    def meanwhile(path: str) -> tuple[int, dict[str, str]]:
        keep(service_url, "cc33", *failed)
        ended(store, made, "cc33", ago=DAY / 3)
        tell(store, receiver.port)
        return 200, {}

    slow.answer = meanwhile
    assert tell(store, slow.port) == [True]
    keep(service_url, "dd44", *failed)
    ended(store, made, "dd44")
    assert tell(store, receiver.port) == [True]
    assert changed(receiver) == [[("web-01", "healthy", "failed"), ("web-02", "healthy", "failed")]]
    slow.close()


def test_a_channel_that_is_down_makes_no_other_repeat_what_it_was_told(
    store: Store, service_url: str, receiver: Receiver, closed_port: int
) -> None:
    keep(service_url, "aa11", row("web-01"), row("web-02"))
    set_back(store, "aa11", DAY)
    made = schedule(store)
    down = Receiver()
    both = (NotificationChannel(variable="HOOK"), NotificationChannel(variable="DOWN"))
    decide(store, NotificationPolicy(channels=both))
    failed = row("web-01", "failed", findings=(WRONG_HOST,))
    for at, port in enumerate((closed_port, closed_port, down.port, down.port)):
        run = f"bb{at}"
        other = row("web-02") if at < 1 else row("web-02", "failed", findings=(WRONG_HOST,))
        keep(service_url, run, failed, other)
        ended(store, made, run, ago=DAY / (at + 2))
        tell(store, receiver.port, DOWN=port)
    first, second = ("web-01", "healthy", "failed"), ("web-02", "healthy", "failed")
    assert changed(receiver) == [[first], [second]]
    assert changed(down) == [[first, second]]
    down.close()


def test_a_channel_that_is_new_is_told_what_changes_from_now_on(
    store: Store, service_url: str, receiver: Receiver
) -> None:
    keep(service_url, "aa11", row("web-01"))
    set_back(store, "aa11", DAY)
    made = schedule(store)
    for at in range(2):
        if at:
            decide(store, NotificationPolicy(channels=(NotificationChannel(variable="HOOK"),)))
        keep(service_url, f"bb{at}", row("web-01", "failed", findings=(WRONG_HOST,)))
        ended(store, made, f"bb{at}", ago=DAY / (at + 2))
        assert tell(store, receiver.port) == [True]
    assert changed(receiver) == []


def test_an_end_that_is_soon_is_told_once_beside_other_changes(
    store: Store, service_url: str, receiver: Receiver
) -> None:
    """It came within the limit while the server could not be reached."""
    channels = (NotificationChannel(variable="HOOK"),)
    decide(store, NotificationPolicy(channels=channels, expiring="30d"))
    made = schedule(store)
    for at, server in enumerate(
        (ends("web-01", 40), silent("web-01"), ends("web-01", 25), ends("web-01", 24),
         silent("web-01"), ends("web-01", 23), ends("web-01", 90), ends("web-01", 22))
    ):  # fmt: skip
        keep(service_url, f"aa{at}", server)
        ended(store, made, f"aa{at}", ago=DAY / (at + 2))
        assert tell(store, receiver.port) == [True]
    told = [[change["kind"] for change in body["changes"]] for _, _, body in receiver.got]
    assert told == [["worse"], ["expiring", "better"], ["worse"], ["better"], ["expiring"]]


def test_a_variable_that_is_not_there_is_logged_and_costs_no_other_channel(
    store: Store, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    message = Message(title="hourly", text="schedules may not repair", data={})
    env = {"HOOK": f"http://127.0.0.1:{receiver.port}/T0Ps3cret"}
    assert not messages.send(NotificationChannel(variable="NONE"), message, env)
    assert messages.send(NotificationChannel(variable="HOOK"), message, env)
    assert len(receiver.got) == 1
    assert "env:NONE" in caplog.text
    assert "T0Ps3cret" not in caplog.text


def test_retention_keeps_what_is_newest_of_each_server(store: Store, service_url: str) -> None:
    keep(service_url, "aa11", row("web-01"), row("web-02"))
    set_back(store, "aa11", 10 * DAY)
    keep(service_url, "bb22", row("web-01"))
    now = datetime.now(UTC)
    decide(store, RetentionPolicy(runs="7d", least_runs=1, facts="1d"))
    with transaction(store) as connection:
        connection.execute(sa.insert(TASKS).values(name="retention", at=moment(now - 2 * DAY)))
    assert [tidy(store, now) for _ in range(2)] == [True, False]
    query = sa.select(ROWS.c.run, ROWS.c.server).order_by(ROWS.c.run)
    left = store.ask(lambda connection: [tuple(row) for row in connection.execute(query)])
    assert left == [("aa11", "web-02"), ("bb22", "web-01")]
    assert tidy(store, now + DAY)


def test_retention_takes_the_greatest_number_of_runs_that_a_policy_can_have(store: Store) -> None:
    most = 1_000_000_000
    decide(store, msgspec.convert({"runs": "7d", "least_runs": most}, RetentionPolicy))
    tidy(store, NOON)
    assert tidy(store, NOON + DAY)
    with pytest.raises(msgspec.ValidationError, match="least_runs"):
        msgspec.convert({"runs": "7d", "least_runs": most + 1}, RetentionPolicy)


def test_retention_goes_on_after_a_clock_that_was_ahead(store: Store) -> None:
    at = (NOON, datetime(2036, 1, 1, tzinfo=UTC), NOON + DAY, NOON + DAY, NOON + 2 * DAY)
    assert [tidy(store, now) for now in at] == [False, True, True, False, True]


def test_the_first_day_deletes_nothing(store: Store) -> None:
    assert [tidy(store, NOON + n * DAY) for n in range(2)] == [False, True]


def test_links_that_have_ended_go(store: Store) -> None:
    tidy(store, NOON)
    with transaction(store) as connection:
        for name, expires in (("old", NOON), ("new", NOON + 5 * DAY)):
            connection.execute(
                sa.insert(LINKS).values(hash=name, user="u1", expires=moment(expires))
            )
    assert tidy(store, NOON + DAY)
    left = store.ask(lambda connection: [*connection.execute(sa.select(LINKS.c.hash)).scalars()])
    assert left == ["new"]


def test_old_runs_of_the_service_go_with_their_servers(store: Store, service_url: str) -> None:
    decide(store, RetentionPolicy(runs="7d", least_runs=0))
    now = datetime.now(UTC)
    tidy(store, now - 2 * DAY)
    old, new = now - 10 * DAY, now - 5 * DAY
    keep(service_url, "began", row("web-01"))
    set_back(store, "began", 10 * DAY)
    for id, begun, ended in (("began", old, old), ("never", None, old), ("new", new, new)):
        put_run(store.engine, run_info(id, requested=old, begun=begun, ended=ended))
        with transaction(store) as connection:
            progress.add_members(connection, id, [Member("web-01", "", False)])
    assert tidy(store, now)
    query = sa.select(RUNS.c.id, RUN_SERVERS.c.run).join(RUN_SERVERS, full=True)
    left = store.ask(lambda connection: connection.execute(query).all())
    assert left == [("new", "new")]


def test_an_old_run_that_has_not_ended_stays(store: Store, service_url: str) -> None:
    decide(store, RetentionPolicy(runs="7d", least_runs=0))
    now = datetime.now(UTC)
    tidy(store, now - 2 * DAY)
    keep(service_url, "paused", row("web-01"))
    keep(service_url, "newer", row("web-01"))
    set_back(store, "paused", 30 * DAY)
    paused = run_info("paused", state="paused", requested=now - 30 * DAY, begun=now - 30 * DAY)
    put_run(store.engine, paused)
    assert tidy(store, now)
    assert {run.id for run in store.runs()} == {"paused", "newer"}


def test_retention_that_failed_is_tried_again_in_an_hour(store: Store) -> None:
    tidy(store, NOON)
    decide(store, RetentionPolicy(runs="7d"))
    with transaction(store) as connection:
        connection.execute(sa.update(POLICIES).values(value="{"))
    with pytest.raises(msgspec.DecodeError):
        tidy(store, NOON + DAY)
    decide(store, RetentionPolicy(runs="7d"))
    later = NOON + DAY + timedelta(hours=1)
    assert [tidy(store, now) for now in (NOON + DAY, later, later + timedelta(hours=2))] == [
        False, True, False,
    ]  # fmt: skip
