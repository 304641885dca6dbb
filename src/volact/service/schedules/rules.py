"""When a schedule starts its next run.  Pure: specification and times in, times out.

A moment that a schedule names is its *due* time; jitter moves the *start*.  Local times
follow the zone's changes as cron does (Debian's cron(8)): a time that a change leaves out
comes as much later as the clock was moved; one that occurs twice is taken the first time,
unless the hours are ``*``, which counts hours as they pass.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from croniter import croniter

from volact.client.wire import MaintenanceWindow, ScheduleSpec
from volact.core.span import parse_span
from volact.errors import InputError
from volact.model.text import say

_HORIZON = timedelta(days=5 * 366)  # beyond the next 29 February
_NEAR = timedelta(hours=3)  # no zone moves its clock by more
_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TICK = timedelta(microseconds=1)
_LEAST = timedelta(minutes=1)


def check_schedule(spec: ScheduleSpec, now: datetime) -> None:
    """``InputError`` with one line for a schedule that cannot be kept or never starts."""
    if bool(spec.cron) == bool(spec.every):
        raise InputError(say("a schedule has a cron expression or an interval"))
    _zone(spec.zone)
    if spec.cron and not _is_cron(spec.cron):
        raise InputError(
            say("cron {text}: not a cron expression", text=spec.cron),
            say("write five fields: minute, hour, day, month, weekday"),
        )
    if spec.every and parse_span(spec.every, "every") < _LEAST:
        raise InputError(say("every {text}: less than a minute", text=spec.every))
    if spec.jitter:
        parse_span(spec.jitter, "jitter")
    for blackout in spec.blackouts:
        if blackout.last < blackout.first:
            raise InputError(say("a blackout ends before it begins: {day}", day=blackout.last))
    if next_due(spec, now) is None:
        raise InputError(say("the schedule never starts: its windows and blackouts forbid it"))


def next_due(spec: ScheduleSpec, after: datetime, last: datetime | None = None) -> datetime | None:
    """The first time after ``after`` at which a run is due; ``None``: never again.

    ``last`` is the due time before, which an interval counts from, else from ``after``.
    """
    base, end = last or after, after + _HORIZON
    while after < end:
        due = _named(spec, after, base)
        if due is None:
            return None
        opens = next_open(spec, due)
        if opens is None or opens == due:
            return opens
        after = opens - _TICK
    return None


def nearer_due(spec: ScheduleSpec, after: datetime, far: datetime) -> datetime | None:
    """The first due time after ``after``; ``far`` is a later one, from which an interval counts."""
    if not spec.every:
        return next_due(spec, after)
    every = parse_span(spec.every, "every")
    return next_due(spec, after, far - every * ((far - after) // every + 1))


def start_of(spec: ScheduleSpec, due: datetime, seed: str) -> datetime:
    """When the run of a due time starts: by ``seed`` always the same, never out of its window."""
    if not spec.jitter:
        return due
    digest = hashlib.blake2b(f"{seed} {due.isoformat()}".encode(), digest_size=4).digest()
    late = due + parse_span(spec.jitter, "jitter") * int.from_bytes(digest) / 2**32
    return late if is_open(spec, late) else due


def may_start(spec: ScheduleSpec, due: datetime, now: datetime, seed: str) -> bool:
    """Whether the run of a due time is to start now, if need be late: one that was missed
    starts as soon as a window is open."""
    return start_of(spec, due, seed) <= now and is_open(spec, now)


def is_open(spec: ScheduleSpec, at: datetime) -> bool:
    """Whether a run may start at this time, by windows and blackouts."""
    local = at.astimezone(_zone(spec.zone))
    if any(blackout.first <= local.date() <= blackout.last for blackout in spec.blackouts):
        return False
    return not spec.windows or any(_within(window, local) for window in spec.windows)


def next_open(spec: ScheduleSpec, at: datetime) -> datetime | None:
    """The first time from ``at`` on at which a run may start; ``None``: not in five years."""
    if is_open(spec, at):
        return at
    zone = _zone(spec.zone)
    day, end = at.astimezone(zone).date(), at + _HORIZON
    begins = sorted({"00:00", *(window.begin for window in spec.windows)})
    while True:
        for begin in begins:
            opens = datetime.combine(day, time.fromisoformat(begin), zone).astimezone(UTC)
            if opens >= end:
                return None
            if opens > at and is_open(spec, opens):
                return opens
        day += timedelta(days=1)


def _within(window: MaintenanceWindow, local: datetime) -> bool:
    clock, begin, end = local.strftime("%H:%M"), window.begin, window.end
    day = local.weekday()
    if begin < end:
        inside = begin <= clock < end
    else:  # over midnight: the morning belongs to the day before
        inside = clock >= begin or clock < end
        day = (day - 1) % 7 if clock < end and clock < begin else day
    return inside and (not window.days or _WEEK[day] in window.days)


def _named(spec: ScheduleSpec, after: datetime, base: datetime) -> datetime | None:
    """The first time after ``after`` that cron expression or interval name."""
    if spec.every:
        every = parse_span(spec.every, "every")
        return base + every * (max(0, (after - base) // every) + 1)
    return _cron(spec.cron, _zone(spec.zone), after)


def _cron(expression: str, zone: ZoneInfo, after: datetime) -> datetime | None:
    hourly = expression.split()[1].startswith("*")
    steady = _steady(zone, after)
    wall = after.astimezone(zone).replace(tzinfo=None) - (timedelta() if steady else _NEAR)
    best: datetime | None = None
    last: datetime | None = None
    for local in _walls(expression, wall):
        if last is not None and local > last:
            break
        for at in _instants(local, zone, hourly=hourly):
            if at > after and (best is None or at < best):
                best = at
        if best is not None and last is None:
            if _steady(zone, best) and steady:
                break
            last = local + _NEAR  # near a change the order of local times is not that of times
    return best


def _walls(expression: str, wall: datetime) -> Iterator[datetime]:
    times = croniter(expression, wall, max_years_between_matches=9)
    while True:
        try:
            yield times.get_next(datetime)
        except ValueError:  # no more: 30 February
            return


def _instants(local: datetime, zone: ZoneInfo, *, hourly: bool) -> Iterator[datetime]:
    """The times at which a local time is on the clock."""
    first, second = (
        local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)
    )  # fmt: skip
    if second >= first or not hourly:  # not left out by a change
        yield first
    if hourly and second > first:
        yield second


def _steady(zone: ZoneInfo, at: datetime) -> bool:
    """Whether the zone's clock is not moved near a time."""
    before, after = ((at + by).astimezone(zone).utcoffset() for by in (-_NEAR, _NEAR))
    return before == after


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:  # ZoneInfoNotFoundError is a KeyError
        raise InputError(
            say("{name}: not a time zone", name=name), say("write one such as Europe/Paris or UTC")
        ) from error


def _is_cron(expression: str) -> bool:
    """Five fields of croniter without its extensions: hashes, chance, seconds, years."""
    words = expression.split()
    plain = all(ord(c) < 128 and c not in "HhRr@" for word in words for c in word[:1])
    return len(words) == 5 and plain and croniter.is_valid(expression, strict=True)
