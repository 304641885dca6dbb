"""When schedules start: cron and intervals, changes of the clock, windows, jitter."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from volact.client.wire import Blackout, MaintenanceWindow, RunSpec, ScheduleSpec
from volact.errors import InputError
from volact.service.schedules import rules

CHECK = RunSpec(verb="check", inventory="fleet")
NEW_YORK = "America/New_York"
SPRING = datetime(2026, 3, 8, 5, tzinfo=UTC)  # 02:00 becomes 03:00 in New York
AUTUMN = datetime(2026, 11, 1, 4, tzinfo=UTC)  # 02:00 becomes 01:00
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)  # a Friday


def spec(**values: Any) -> ScheduleSpec:
    return ScheduleSpec(run=CHECK, **values)


def walk(schedule: ScheduleSpec, at: datetime, number: int) -> list[str]:
    """The next due times, as the clock on the wall shows them."""
    found = []
    for _ in range(number):
        due = rules.next_due(schedule, at)
        assert due is not None
        at = due
        found.append(due.astimezone(ZoneInfo(schedule.zone)).strftime("%d %H:%M %Z"))
    return found


def test_a_time_that_spring_leaves_out_comes_an_hour_later() -> None:
    assert walk(spec(cron="30 2 * * *", zone=NEW_YORK), SPRING, 2) == [
        "08 03:30 EDT",
        "09 02:30 EDT",
    ]


def test_a_time_that_autumn_has_twice_comes_once() -> None:
    assert walk(spec(cron="30 1 * * *", zone=NEW_YORK), AUTUMN, 2) == [
        "01 01:30 EDT",
        "02 01:30 EST",
    ]


def test_every_hour_stays_every_hour_at_both_changes() -> None:
    hourly = spec(cron="0 * * * *", zone=NEW_YORK)
    assert walk(hourly, SPRING, 4) == [
        "08 01:00 EST", "08 03:00 EDT", "08 04:00 EDT", "08 05:00 EDT",
    ]  # fmt: skip
    assert walk(hourly, AUTUMN, 4) == [
        "01 01:00 EDT", "01 01:00 EST", "01 02:00 EST", "01 03:00 EST",
    ]  # fmt: skip


def test_half_hours_around_both_changes() -> None:
    both = spec(cron="0,30 2,3 * * *", zone=NEW_YORK)
    assert walk(both, SPRING, 3) == ["08 03:00 EDT", "08 03:30 EDT", "09 02:00 EDT"]
    assert walk(spec(cron="*/30 * * * *", zone=NEW_YORK), AUTUMN, 6)[1:5] == [
        "01 01:00 EDT", "01 01:30 EDT", "01 01:00 EST", "01 01:30 EST",
    ]  # fmt: skip


def test_an_interval_counts_hours_and_not_the_clock_on_the_wall() -> None:
    six = spec(every="6h", zone=NEW_YORK)
    assert walk(six, SPRING, 2) == ["08 07:00 EDT", "08 13:00 EDT"]


def test_an_interval_keeps_its_phase_after_runs_that_were_missed() -> None:
    six = spec(every="6h")
    late = NOON + timedelta(hours=27, minutes=5)
    assert rules.next_due(six, late, last=NOON) == NOON + timedelta(hours=30)


def test_an_interval_keeps_its_phase_over_a_closed_window() -> None:
    night = spec(every="5h", windows=(MaintenanceWindow(begin="22:00", end="06:00"),))
    assert walk(night, NOON, 3) == ["01 22:00 UTC", "02 03:00 UTC", "02 23:00 UTC"]


@pytest.mark.parametrize(
    ("days", "clock", "is_open"),
    [
        ((), "22:00", True),
        ((), "05:59", True),
        ((), "06:00", False),
        ((), "21:59", False),
        (("fri",), "23:00", True),
        (("sat",), "23:00", False),
        (("thu",), "05:00", True),  # the night that begins on Thursday
        (("fri",), "05:00", False),
    ],
)
def test_a_window_over_midnight_belongs_to_the_day_it_begins(
    days: Any, clock: str, is_open: bool
) -> None:
    night = spec(every="1h", windows=(MaintenanceWindow(begin="22:00", end="06:00", days=days),))
    hour, minute = map(int, clock.split(":"))
    at = datetime(2026, 5, 1, hour, minute, tzinfo=UTC)  # a Friday
    assert rules.is_open(night, at) is is_open
    opens = rules.next_open(night, at)
    assert opens is not None
    assert (opens == at) is is_open
    assert rules.is_open(night, opens)


def test_nothing_starts_on_a_blackout_date_of_the_zone() -> None:
    tokyo = spec(
        cron="0 3 * * *",
        zone="Asia/Tokyo",
        blackouts=(Blackout(first=date(2026, 5, 2), last=date(2026, 5, 4)),),
    )
    assert walk(tokyo, NOON, 2) == ["05 03:00 JST", "06 03:00 JST"]


def test_a_missed_run_starts_when_its_window_opens() -> None:
    night = spec(cron="0 23 * * *", windows=(MaintenanceWindow(begin="22:00", end="06:00"),))
    due = datetime(2026, 4, 30, 23, tzinfo=UTC)
    assert not rules.may_start(night, due, NOON, "seed")
    assert rules.may_start(night, due, NOON + timedelta(hours=10), "seed")


def test_jitter_is_the_same_for_every_process_and_stays_in_the_window() -> None:
    spread = spec(
        cron="55 5 * * *", jitter="30m", windows=(MaintenanceWindow(begin="22:00", end="06:00"),)
    )
    due = datetime(2026, 5, 2, 5, 55, tzinfo=UTC)
    starts = {rules.start_of(spread, due, f"seed {n}") for n in range(200)}
    assert rules.start_of(spread, due, "seed 7") == rules.start_of(spread, due, "seed 7")
    assert len(starts) > 20
    assert all(due <= at < due + timedelta(minutes=5) for at in starts)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "a cron expression or an interval"),
        ({"cron": "0 0 * * *", "every": "1h"}, "a cron expression or an interval"),
        ({"cron": "0 0 * *"}, "not a cron expression"),
        ({"cron": "0 0 * * * 0"}, "not a cron expression"),
        ({"cron": "H H * * *"}, "not a cron expression"),
        ({"cron": "R R * * *"}, "not a cron expression"),
        ({"cron": "@daily"}, "not a cron expression"),
        ({"cron": "61 0 * * *"}, "not a cron expression"),
        ({"cron": "0 0 30 2 *"}, "not a cron expression"),
        ({"every": "10s"}, "less than a minute"),
        ({"every": "soon"}, "not a duration"),
        ({"every": "1h", "jitter": "much"}, "not a duration"),
        ({"every": "1h", "zone": "Mars/Phobos"}, "not a time zone"),
        ({"every": "1h", "zone": "../../etc/passwd"}, "not a time zone"),
        ({"every": "1h", "zone": ""}, "not a time zone"),
        (
            {
                "every": "1h",
                "blackouts": (Blackout(first=date(2026, 2, 2), last=date(2026, 1, 1)),),
            },
            "ends before it begins",
        ),
        (
            {"cron": "0 12 * * *", "windows": (MaintenanceWindow(begin="22:00", end="06:00"),)},
            "never starts",
        ),
        (
            {
                "every": "1h",
                "blackouts": (Blackout(first=date(2026, 1, 1), last=date(2099, 1, 1)),),
            },
            "never starts",
        ),
    ],
)
def test_what_cannot_be_kept_is_refused_with_one_line(values: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        rules.check_schedule(spec(**values), NOON)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("clock", ["24:00", "7:00", "22:60", "noon", ""])
def test_a_window_is_written_in_hours_and_minutes(clock: str) -> None:
    text = msgspec.json.encode({"begin": clock, "end": "06:00"})
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(text, type=MaintenanceWindow)


ZONES = (
    "UTC",
    NEW_YORK,
    "Europe/London",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Africa/Casablanca",
)
CRONS = st.one_of(
    st.builds("{} {} * * *".format, st.integers(0, 59), st.integers(0, 23)),
    st.builds("{} * * * *".format, st.integers(0, 59)),
    st.builds("*/{} */{} * * *".format, st.sampled_from([5, 15, 30]), st.sampled_from([1, 2, 6])),
    st.builds("{} {} * * {}".format, st.integers(0, 59), st.integers(0, 23), st.integers(0, 6)),
)
CLOCKS = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.sampled_from([0, 30]))
WINDOWS = st.lists(
    st.builds(
        MaintenanceWindow,
        begin=CLOCKS,
        end=CLOCKS,
        days=st.lists(st.sampled_from(["mon", "wed", "sat", "sun"]), max_size=2).map(tuple),
    ),
    max_size=2,
).map(tuple)
SPAN_S = 3 * 365 * 86400
TIMES = st.integers(0, SPAN_S).map(
    lambda s: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(seconds=s)
)
SPECS = st.one_of(
    st.builds(spec, cron=CRONS, zone=st.sampled_from(ZONES), windows=WINDOWS),
    st.builds(
        spec,
        every=st.sampled_from(["7m", "1h", "5h", "1d"]),
        zone=st.sampled_from(ZONES),
        windows=WINDOWS,
    ),
)


@settings(deadline=None)
@given(SPECS, TIMES)
def test_a_due_time_lies_ahead_in_an_open_window(schedule: ScheduleSpec, at: datetime) -> None:
    due = rules.next_due(schedule, at)
    if due is not None:
        assert due > at
        assert rules.is_open(schedule, due)


@settings(deadline=None)
@given(SPECS, TIMES, st.integers(1, 100_000))
def test_no_due_time_is_passed_over(schedule: ScheduleSpec, at: datetime, seconds: int) -> None:
    """From any time before a due time, the next one is not later than it."""
    due = rules.next_due(schedule, at, last=at)
    later = at + timedelta(seconds=seconds)
    again = rules.next_due(schedule, later, last=at)
    if due is not None and due > later:
        assert again == due
    elif due is not None:
        assert again is None or again > later >= due


@settings(deadline=None)
@given(CRONS, st.sampled_from(ZONES), TIMES)
def test_cron_keeps_to_its_minutes_on_the_wall(cron: str, zone: str, at: datetime) -> None:
    """Every cron time is on the clock, unless a change of the clock leaves it out."""
    due = rules.next_due(spec(cron=cron, zone=zone), at)
    assert due is not None
    local = due.astimezone(ZoneInfo(zone))
    minute = cron.split(maxsplit=1)[0]
    before = (due - timedelta(hours=3)).astimezone(ZoneInfo(zone)).utcoffset()
    if minute.isdigit() and before == local.utcoffset():
        assert local.minute == int(minute)
        assert local.second == 0


@settings(deadline=None)
@given(SPECS, TIMES, st.text(max_size=8))
def test_jitter_only_delays_and_never_closes_the_window(
    schedule: ScheduleSpec, at: datetime, seed: str
) -> None:
    schedule = msgspec.structs.replace(schedule, jitter="45m")
    due = rules.next_due(schedule, at)
    if due is not None:
        start = rules.start_of(schedule, due, seed)
        assert due <= start < due + timedelta(minutes=45)
        assert rules.is_open(schedule, start)
        assert rules.may_start(schedule, due, start, seed)
