"""What channels did not take of a schedule yet: it outlives the process that could not send it.

Of each kind a channel gets the newest, so that one that is down for long fills no table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Literal

import msgspec
import sqlalchemy as sa

from volact.queries.pages import Reader
from volact.service.database.tables import SCHEDULES, UNSENT
from volact.service.database.transaction import struct_of, transaction
from volact.store import clock
from volact.store.clock import CLOCKS_DIFFER, moment
from volact.store.statements import new_rows
from volact.store.store import Store

# Changes are sent after the next run, the others by themselves.
Kind = Literal["changes", "failure", "approval", "unfinished"]
_AGAIN = timedelta(minutes=5)  # when a channel that did not take a message is asked again


class Unsent(msgspec.Struct, frozen=True, kw_only=True):
    """A message for one channel."""

    schedule: str
    name: str  # of the schedule
    kind: Kind
    channel: str
    what: str
    tried: str | None


def add(
    connection: sa.Connection, schedule: str, kind: Kind, what: str, channels: Iterable[str]
) -> None:
    """Keep what is to be sent; it takes the place of what is older."""
    new = new_rows(connection, UNSENT)
    put = new.on_conflict_do_update(
        index_elements=[UNSENT.c.schedule, UNSENT.c.kind, UNSENT.c.channel],
        set_={"what": new.excluded.what, "tried": new.excluded.tried},
    )
    tried = clock.now() if kind == "unfinished" else None  # the run's own message comes first
    for channel in dict.fromkeys(channels):
        values = {"schedule": schedule, "kind": kind, "what": what, "channel": channel}
        connection.execute(put, {**values, "tried": tried})


def waiting(reader: Reader, now: datetime) -> list[Unsent]:
    """Messages that are to be sent now, those that were not tried first."""
    tried = UNSENT.c.tried
    due = (tried <= moment(now - _AGAIN), tried > moment(now + CLOCKS_DIFFER))
    query = (
        sa.select(UNSENT, SCHEDULES.c.name)
        .join(SCHEDULES, SCHEDULES.c.id == UNSENT.c.schedule)
        .where(UNSENT.c.kind != "changes", sa.or_(tried.is_(None), *due))
        .order_by(sa.func.coalesce(tried, ""), SCHEDULES.c.name, UNSENT.c.kind)
    )
    return reader.ask(
        lambda connection: [struct_of(row, Unsent) for row in connection.execute(query)]
    )


def claim(store: Store, one: Unsent, now: datetime) -> Unsent | None:
    """The message, if this process is the one that sends it."""
    change = sa.update(UNSENT).where(_still(one)).values(tried=moment(now))
    with transaction(store) as connection:
        if not connection.execute(change).rowcount:
            return None
    return msgspec.structs.replace(one, tried=moment(now))


def forget(store: Store, one: Unsent) -> None:
    """It was sent, or its channel is gone; what came in its place stays."""
    with transaction(store) as connection:
        connection.execute(sa.delete(UNSENT).where(_still(one)))


def taken(store: Store, schedule: str, kind: Kind, what: str, channel: str) -> None:
    """A channel took it in another message; what came in its place stays."""
    same = (UNSENT.c.schedule == schedule, UNSENT.c.kind == kind, UNSENT.c.channel == channel)
    with transaction(store) as connection:
        connection.execute(sa.delete(UNSENT).where(*same, UNSENT.c.what == what))


def changes_since(reader: Reader, schedule: str) -> dict[str, str]:
    """Since when a channel was not told of changes, by channel."""
    query = sa.select(UNSENT.c.channel, UNSENT.c.what).where(_changes(schedule))
    return reader.ask(
        lambda connection: {row.channel: row.what for row in connection.execute(query)}
    )


def set_changes_since(connection: sa.Connection, schedule: str, since: Mapping[str, str]) -> None:
    """The same after a run; channels that are not in it were told."""
    connection.execute(sa.delete(UNSENT).where(_changes(schedule)))
    for channel, time in since.items():
        add(connection, schedule, "changes", time, [channel])


def _changes(schedule: str) -> sa.ColumnElement[bool]:
    return sa.and_(UNSENT.c.schedule == schedule, UNSENT.c.kind == "changes")


def _still(one: Unsent) -> sa.ColumnElement[bool]:
    return sa.and_(
        UNSENT.c.schedule == one.schedule,
        UNSENT.c.kind == one.kind,
        UNSENT.c.channel == one.channel,
        UNSENT.c.what == one.what,
        UNSENT.c.tried.is_not_distinct_from(one.tried),
    )
