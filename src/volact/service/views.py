"""Saved views: filters of servers with a name, own and shared."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from volact.client.wire import ViewDraft, ViewInfo
from volact.errors import InputError
from volact.model.text import say
from volact.queries.filters import ServerFilter
from volact.queries.reader import Reader
from volact.service.access import Actor, Permission
from volact.service.database.tables import VIEWS
from volact.service.database.transaction import transaction
from volact.store.clock import moment
from volact.store.store import Store

MOST = 200  # of one user


def save_view(
    store: Store, draft: ViewDraft, actor: Actor, now: datetime, id: str = ""
) -> ViewInfo:
    """Store a new view of the caller, or another version of one that the caller may change."""
    values = {
        "name": draft.name,
        "filter": msgspec.json.encode(draft.filter).decode(),
        "shared": draft.shared,
    }
    with transaction(store) as connection:
        if id:
            change = sa.update(VIEWS).where(VIEWS.c.id == id, _own(actor)).values(**values)
            if not connection.execute(change).rowcount:
                raise no_view()
        else:
            own = sa.select(sa.func.count()).where(VIEWS.c.user == actor.user)
            if connection.execute(own).scalar_one() >= MOST:
                raise InputError(say("you have {n} views, the most there may be", n=MOST))
            id = secrets.token_hex(6)
            new = {"id": id, "user": actor.user, "created": moment(now), **values}
            connection.execute(sa.insert(VIEWS).values(**new))
    return find_view(store, id, actor)


def delete_view(store: Store, id: str, actor: Actor) -> None:
    """Remove a view that the caller may change."""
    with transaction(store) as connection:
        if not connection.execute(sa.delete(VIEWS).where(VIEWS.c.id == id, _own(actor))).rowcount:
            raise no_view()


def list_views(reader: Reader, actor: Actor) -> list[ViewInfo]:
    """The caller's own views and the shared ones, by name."""
    return _read(reader, _seen(actor))


def find_view(reader: Reader, id: str, actor: Actor | None = None) -> ViewInfo:
    """One view that the caller sees; ``InputError`` for none.  Without a caller, any."""
    seen = _seen(actor) if actor else sa.true()
    found = _read(reader, sa.and_(VIEWS.c.id == id, seen))
    if not found:
        raise no_view()
    return found[0]


def no_view() -> InputError:
    """For an id that no view has, or none that the caller sees."""
    return InputError(say("there is no such view"))


def _seen(actor: Actor) -> sa.ColumnElement[bool]:
    return sa.or_(VIEWS.c.user == actor.user, VIEWS.c.shared)


def _own(actor: Actor) -> sa.ColumnElement[bool]:
    """A shared view is also an administrator's to change."""
    own = VIEWS.c.user == actor.user
    return sa.or_(own, VIEWS.c.shared) if actor.may(Permission.CONFIGURE) else own


def _read(reader: Reader, where: sa.ColumnElement[bool]) -> list[ViewInfo]:
    query = sa.select(VIEWS).where(where).order_by(VIEWS.c.name, VIEWS.c.id)
    return reader.ask(lambda connection: [_info(row) for row in connection.execute(query)])


def _info(row: Any) -> ViewInfo:
    return ViewInfo(
        id=row.id,
        name=row.name,
        filter=msgspec.json.decode(row.filter, type=ServerFilter),
        shared=row.shared,
        owner=row.user,
        created=datetime.fromisoformat(row.created),
    )
