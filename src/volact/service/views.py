"""Saved views: filters of servers with a name, own and shared."""

from __future__ import annotations

import secrets
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec.structs import replace

from volact.client.wire import ScheduleSpec, ViewDraft, ViewInfo
from volact.errors import InputError
from volact.model.text import say
from volact.queries.filters import ServerFilter
from volact.queries.pages import Reader
from volact.service.access import Actor, Permission
from volact.service.database.tables import SCHEDULES, VIEWS
from volact.service.database.transaction import struct_of
from volact.service.identity.audit import Change
from volact.store.clock import moment

MOST = 200  # of one user


def save_view(change: Change, draft: ViewDraft, id: str = "") -> ViewInfo:
    """Store a new view of the caller, or another version of one that the caller may change.

    What a schedule's view finds is changed only by who could make the schedule.
    """
    connection, actor = change.connection, change.actor
    filter = replace(draft.filter, scopes=None)
    values = {
        "name": draft.name,
        "filter": msgspec.json.encode(filter).decode(),
        "shared": draft.shared,
    }
    if id:
        found = _own_view(change, id)
        if found.filter != filter and not actor.may(Permission.CONFIGURE):
            _check_free(connection, id, say("ask an administrator, or save another view"))
        of = sa.update(VIEWS).where(VIEWS.c.id == id, _own(actor))
        if not connection.execute(of.values(**values)).rowcount:
            raise no_view()
    else:
        own = sa.select(sa.func.count()).where(VIEWS.c.user == actor.user)
        if connection.execute(own).scalar_one() >= MOST:
            raise InputError(say("you have {n} views, the most there may be", n=MOST))
        id = secrets.token_hex(6)
        new = {"id": id, "user": actor.user, "created": moment(change.now), **values}
        connection.execute(sa.insert(VIEWS).values(**new))
    detail = {"shared": draft.shared, "filter": msgspec.to_builtins(filter)}
    change.tell("view.saved", draft.name, detail=detail)
    return _read(connection, VIEWS.c.id == id)[0]


def delete_view(change: Change, id: str) -> None:
    """Remove a view that the caller may change and no schedule needs."""
    found = _own_view(change, id)
    _check_free(change.connection, id)
    change.connection.execute(sa.delete(VIEWS).where(VIEWS.c.id == id))
    change.tell("view.deleted", found.name)


def list_views(reader: Reader, actor: Actor) -> list[ViewInfo]:
    """The caller's own views and the shared ones, by name."""
    return reader.ask(lambda connection: _read(connection, _seen(actor)))


def find_view(reader: Reader, id: str, actor: Actor | None = None) -> ViewInfo:
    """One view that the caller sees; ``InputError`` for none.  Without a caller, any."""
    seen = _seen(actor) if actor else sa.true()
    found = reader.ask(lambda connection: _read(connection, sa.and_(VIEWS.c.id == id, seen)))
    if not found:
        raise no_view()
    return found[0]


def no_view() -> InputError:
    """For an id that no view has, or none that the caller sees."""
    return InputError(say("there is no such view"))


def _own_view(change: Change, id: str) -> ViewInfo:
    found = _read(change.connection, sa.and_(VIEWS.c.id == id, _own(change.actor)))
    if not found:
        raise no_view()
    return found[0]


def _check_free(connection: sa.Connection, id: str, hint: str = "") -> None:
    """``InputError`` where a schedule has this view."""
    for name, spec in connection.execute(sa.select(SCHEDULES.c.name, SCHEDULES.c.spec)):
        if msgspec.json.decode(spec, type=ScheduleSpec).view == id:
            raise InputError(say("the schedule {name} needs this view", name=name), hint)


def _seen(actor: Actor) -> sa.ColumnElement[bool]:
    return sa.or_(VIEWS.c.user == actor.user, VIEWS.c.shared)


def _own(actor: Actor) -> sa.ColumnElement[bool]:
    """A shared view is also an administrator's to change."""
    own = VIEWS.c.user == actor.user
    return sa.or_(own, VIEWS.c.shared) if actor.may(Permission.CONFIGURE) else own


def _read(connection: sa.Connection, where: sa.ColumnElement[bool]) -> list[ViewInfo]:
    query = sa.select(VIEWS).where(where).order_by(VIEWS.c.name, VIEWS.c.id)
    return [_info(row) for row in connection.execute(query)]


def _info(row: sa.Row[Any]) -> ViewInfo:
    filter = msgspec.json.decode(row.filter, type=ServerFilter)
    return struct_of(row, ViewInfo, filter=filter, owner=row.user)
