"""Schedules in the database: saving, listing, and which process starts what is due.

A run that is due is claimed by a compare-and-set on its line and submitted under a key of
schedule and due time, which the table of runs has once only.  So a process that dies, or
sleeps past its claim, neither loses nor doubles a run.
"""

from __future__ import annotations

import logging
import secrets
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from volact.client.wire import ScheduleDraft, ScheduleInfo, ScheduleSpec
from volact.errors import InputError
from volact.model.text import say
from volact.queries.pages import Reader
from volact.service.database.tables import INVENTORIES, RUNS, SCHEDULES, UNSENT, VIEWS
from volact.service.database.transaction import struct_of, transaction
from volact.service.engine.plan import check_spec
from volact.service.identity.audit import Change
from volact.service.policies import NotificationPolicy, check_scheduled
from volact.service.policy_store import decided
from volact.service.schedules import rules, unsent
from volact.store.clock import CLOCKS_DIFFER, moment
from volact.store.store import Store

_LOG = logging.getLogger(__name__)
_CLAIM = timedelta(minutes=1)  # after it another process takes over
_AHEAD = timedelta(days=1)  # a clock that is wrong by a time zone is soon right again
MOST = 500


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """A run that is to be started: of which schedule, and when it was due."""

    schedule: ScheduleInfo
    due: datetime

    @property
    def key(self) -> str:
        """What the table of runs has once only."""
        return run_key(self.schedule.id, self.due)


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a run that was due: the run, or why there is none."""

    run: str = ""
    note: str = ""
    failing: bool = False  # it could not be started


def run_key(schedule: str, due: datetime) -> str:
    """What a run says of its schedule: the schedule's id and the time that was due."""
    return f"{schedule}@{moment(due)}"


def save_schedule(change: Change, draft: ScheduleDraft, id: str = "") -> ScheduleInfo:
    """Store a new schedule, or another version of one; ``InputError`` for what cannot be kept.

    Its runs are requested by who saved it last.
    """
    connection, now = change.connection, change.now
    rules.check_schedule(draft.spec, now)
    if draft.enabled:  # what an older release took can still be switched off
        check_spec(draft.spec.run)
        check_scheduled(draft.spec.run)
    _check_names(connection, draft, id)
    due = rules.next_due(draft.spec, now) if draft.enabled else None
    values = {
        "name": draft.name,
        "spec": msgspec.json.encode(draft.spec).decode(),
        "enabled": draft.enabled,
        "next": None if due is None else moment(due),
        "settled": moment(now),
        "claimed": None,
        "note": "",
        "failing": False,
        "owner": change.actor.name,
        "updated": moment(now),
    }
    if id:
        of = sa.update(SCHEDULES).where(SCHEDULES.c.id == id)
        if not connection.execute(of.values(**values)).rowcount:
            raise no_schedule()
    else:
        if _number(connection) >= MOST:
            raise InputError(say("there are {n} schedules, the most there may be", n=MOST))
        id = secrets.token_hex(6)
        connection.execute(sa.insert(SCHEDULES).values(id=id, **values))
    change.tell("schedule.saved", draft.name, detail=msgspec.to_builtins(draft))
    return _read(connection, SCHEDULES.c.id == id)[0]


def delete_schedule(change: Change, id: str) -> None:
    """Remove a schedule; its runs stay."""
    found = _read(change.connection, SCHEDULES.c.id == id)
    if not found:
        raise no_schedule()
    change.connection.execute(sa.delete(UNSENT).where(UNSENT.c.schedule == id))
    change.connection.execute(sa.delete(SCHEDULES).where(SCHEDULES.c.id == id))
    change.tell("schedule.deleted", found[0].name)


def list_schedules(reader: Reader) -> list[ScheduleInfo]:
    """All schedules by name."""
    return reader.ask(lambda connection: _read(connection, SCHEDULES.c.id.is_not(None)))


def find_schedule(reader: Reader, id: str) -> ScheduleInfo:
    """One schedule; ``InputError`` for none."""
    found = reader.ask(lambda connection: _read(connection, SCHEDULES.c.id == id))
    if not found:
        raise no_schedule()
    return found[0]


def no_schedule() -> InputError:
    """For an id that no schedule has."""
    return InputError(say("there is no such schedule"))


def due_now(store: Store, now: datetime) -> list[Due]:
    """The runs that are to be started now, those due for longest first.

    When a run is due is worked out again where that was done by a clock far ahead of now; not
    of schedules that were saved after now: the clock is behind that says so.
    """
    settled = sa.func.coalesce(SCHEDULES.c.settled, SCHEDULES.c.last)
    far = sa.and_(settled > moment(now + _AHEAD), SCHEDULES.c.updated <= moment(now))
    query = (
        sa.select(SCHEDULES)
        .where(SCHEDULES.c.enabled, sa.or_(SCHEDULES.c.next <= moment(now), far))
        .order_by(SCHEDULES.c.next)
    )
    rows = store.ask(lambda connection: connection.execute(query).all())
    found = [
        Due(schedule=info_of(row), due=datetime.fromisoformat(row.next)) for row in rows if row.next
    ]
    for one in found:
        if one.due > now:
            _bring_near(store, one, now)
    return [one for one in found if one.due <= now and _may_start(one.schedule, one.due, now)]


def _bring_near(store: Store, far: Due, now: datetime) -> None:
    with suppress(InputError):  # of a zone that is not known any more
        due = rules.nearer_due(far.schedule.spec, now, far.due)
        _LOG.warning("schedule %s: due %s by a clock that was ahead", far.schedule.name, far.due)
        values = {"next": None if due is None else moment(due), "settled": moment(now)}
        with transaction(store) as connection:
            connection.execute(sa.update(SCHEDULES).where(_still(far)).values(**values))


def _may_start(info: ScheduleInfo, due: datetime, now: datetime) -> bool:
    """One of a zone that this machine no longer knows ends, and costs no other its run."""
    try:
        return rules.may_start(info.spec, due, now, info.id)
    except InputError:
        return True  # its start says so


def claim(store: Store, due: Due, now: datetime) -> bool:
    """Whether this process is the one that starts the run."""
    free = sa.or_(
        SCHEDULES.c.claimed.is_(None),
        SCHEDULES.c.claimed < moment(now - _CLAIM),
        SCHEDULES.c.claimed > moment(now + CLOCKS_DIFFER),
    )
    change = sa.update(SCHEDULES).where(_still(due), free).values(claimed=moment(now))
    with transaction(store) as connection:
        return connection.execute(change).rowcount == 1


def settle(store: Store, due: Due, now: datetime, start: Start) -> None:
    """Record the start of a run, and when the next one is due.

    What was missed until now is made good by this one run.
    """
    after, note = None, start.note[:1024]
    with suppress(InputError):  # which is in the note
        after = rules.next_due(due.schedule.spec, now, due.due)
    values: dict[str, Any] = {"next": None if after is None else moment(after)}
    values |= {"settled": moment(now), "claimed": None, "note": note, "failing": start.failing}
    if start.run:
        values |= {"last": moment(now), "last_run": start.run}
    with transaction(store) as connection:
        settled = sa.update(SCHEDULES).where(_still(due)).values(**values)
        if connection.execute(settled).rowcount:
            _tell(connection, due.schedule, start.run, note if start.failing else "")


def _tell(connection: sa.Connection, schedule: ScheduleInfo, run: str, why: str) -> None:
    """Keep what the channels are to be told of a start."""
    channels = [one.variable for one in decided(connection, NotificationPolicy).channels]
    if why and why != schedule.note:
        unsent.add(connection, schedule.id, "failure", why, channels)
    state = sa.select(RUNS.c.state).where(RUNS.c.id == run)
    if run and connection.execute(state).scalar() == "awaiting-approval":
        unsent.add(connection, schedule.id, "approval", run, channels)


def started(reader: Reader, key: str) -> str:
    """The run that was submitted under a key, ``""`` if none was."""
    query = sa.select(RUNS.c.id).where(RUNS.c.schedule == key)
    return reader.ask(lambda connection: connection.execute(query).scalar()) or ""


def is_open(reader: Reader, run: str) -> bool:
    """Whether a run has not ended: it waits for a person or a worker, or is at work."""
    query = sa.select(RUNS.c.id).where(RUNS.c.id == run, RUNS.c.ended.is_(None))
    return reader.ask(lambda connection: connection.execute(query).first()) is not None


def _still(due: Due) -> sa.ColumnElement[bool]:
    return sa.and_(
        SCHEDULES.c.id == due.schedule.id, SCHEDULES.c.enabled, SCHEDULES.c.next == moment(due.due)
    )


def _check_names(connection: sa.Connection, draft: ScheduleDraft, id: str) -> None:
    same = sa.select(SCHEDULES.c.id).where(SCHEDULES.c.name == draft.name, SCHEDULES.c.id != id)
    if connection.execute(same).first():
        raise InputError(say("there is a schedule with the name {name}", name=draft.name))
    inventory = draft.spec.run.inventory
    known = sa.select(INVENTORIES.c.name).where(INVENTORIES.c.name == inventory)
    if not connection.execute(known).first():
        raise InputError(say("there is no inventory with the name {name}", name=inventory))
    view = draft.spec.view
    if view and not connection.execute(sa.select(VIEWS.c.id).where(VIEWS.c.id == view)).first():
        raise InputError(say("there is no such view"))


def _number(connection: sa.Connection) -> int:
    return connection.execute(sa.select(sa.func.count()).select_from(SCHEDULES)).scalar_one()


def _read(connection: sa.Connection, where: sa.ColumnElement[bool]) -> list[ScheduleInfo]:
    query = sa.select(SCHEDULES).where(where).order_by(SCHEDULES.c.name)
    return [info_of(row) for row in connection.execute(query)]


def info_of(row: Any) -> ScheduleInfo:
    """A line of the table; ``next`` is with its jitter."""
    spec, due = msgspec.json.decode(row.spec, type=ScheduleSpec), _time(row.next)
    start = due
    with suppress(InputError):  # of a zone that is not known any more
        start = due and rules.start_of(spec, due, row.id)
    return struct_of(row, ScheduleInfo, spec=spec, next=start)


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
