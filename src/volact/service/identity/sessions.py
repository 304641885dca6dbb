"""Sessions of browsers, and the one-time links that begin one."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from volact.client.wire import SessionInfo, UserInfo
from volact.errors import InputError, one_line
from volact.model.text import say
from volact.service.access import Actor, Via
from volact.service.database.tables import LINKS, SESSIONS, USERS
from volact.service.database.transaction import struct_of
from volact.service.identity.audit import Change
from volact.service.identity.keys import key_hash, new_id, new_key
from volact.service.identity.users import scopes_of, user_info
from volact.store.clock import moment

LASTS = timedelta(days=7)
IDLE = timedelta(hours=12)
LINK_LASTS = timedelta(hours=24)
_SEEN_EVERY = timedelta(minutes=1)
_FIND = sa.select(
    SESSIONS.c.id.label("session"), SESSIONS.c.hash, SESSIONS.c.via, SESSIONS.c.seen,
    USERS.c.id, USERS.c.name, USERS.c.role, USERS.c.scopes, USERS.c.language,
).join(USERS).where(
    SESSIONS.c.hash.in_(sa.bindparam("hashes", expanding=True)),
    SESSIONS.c.expires > sa.bindparam("now"),
    SESSIONS.c.seen > sa.bindparam("idle"),
    ~USERS.c.disabled,
)  # fmt: skip


def begin(change: Change, user: UserInfo, agent: str = "", lasts: timedelta = LASTS) -> str:
    """A new session of the change's actor; its key is for the cookie alone."""
    key, now = new_key(), moment(change.now)
    execute = change.connection.execute
    execute(SESSIONS.delete().where(SESSIONS.c.expires < now))
    execute(
        SESSIONS.insert().values(
            hash=key_hash(key), id=new_id(), user=user.id, via=change.actor.via,
            address=change.actor.address, created=now, seen=now,
            expires=moment(change.now + lasts), agent=one_line(agent, 200),
        )
    )  # fmt: skip
    execute(USERS.update().where(USERS.c.id == user.id).values(signed_in=now))
    change.tell("sign-in")
    return key


def signing_in(user: UserInfo, via: Via, address: str) -> Actor:
    """The user as the actor of the sign-in itself."""
    return Actor(user=user.id, name=user.name, role=user.role, via=via, address=address)


def find(connection: sa.Connection, now: datetime, hashes: Collection[str]) -> dict[str, Any]:
    """Sessions with their users by the hashes of keys, without those that ended."""
    given = {"hashes": [*hashes], "now": moment(now), "idle": moment(now - IDLE)}
    return {row.hash: row for row in connection.execute(_FIND, given)}


def actor_of(row: sa.Row[Any], address: str) -> Actor:
    """The user of a session."""
    scopes = scopes_of(msgspec.json.decode(row.scopes))
    return Actor(
        user=row.id, name=row.name, role=row.role, scopes=scopes, via=row.via,
        address=address, session=row.session, language=row.language,
    )  # fmt: skip


def is_stale(row: sa.Row[Any], now: datetime) -> bool:
    """Whether it is time to write down that the session is in use."""
    return bool(row.seen < moment(now - _SEEN_EVERY))


def touch(connection: sa.Connection, now: datetime, row: sa.Row[Any]) -> None:
    """Write down that the session is in use."""
    connection.execute(
        SESSIONS.update().where(SESSIONS.c.hash == row.hash).values(seen=moment(now))
    )


def sessions(
    connection: sa.Connection, now: datetime, user: str, current: str = ""
) -> list[SessionInfo]:
    """A user's sessions, the latest used first."""
    asked = (
        sa.select(SESSIONS)
        .where(SESSIONS.c.user == user, SESSIONS.c.expires > moment(now))
        .order_by(SESSIONS.c.seen.desc())
    )
    return [
        struct_of(row, SessionInfo, current=row.id == current) for row in connection.execute(asked)
    ]


def end(change: Change, user: str, session: str = "") -> int:
    """End one session of a user, or all; how many ended."""
    ended = SESSIONS.delete().where(SESSIONS.c.user == user)
    if session:
        ended = ended.where(SESSIONS.c.id == session)
    number = change.connection.execute(ended).rowcount
    if number:
        name = change.connection.scalar(sa.select(USERS.c.name).where(USERS.c.id == user))
        change.tell("session.ended", str(name), detail={"sessions": number})
    return number


def make_link(change: Change, user: UserInfo) -> str:
    """A key that signs the user in once; older links of the user end."""
    key = new_key()
    change.connection.execute(LINKS.delete().where(LINKS.c.user == user.id))
    values = {"user": user.id, "expires": moment(change.now + LINK_LASTS)}
    change.connection.execute(LINKS.insert().values(hash=key_hash(key), **values))
    change.tell("link.made", user.name)
    return key


def link_url(base: str, key: str) -> str:
    """The address of a link's page."""
    return f"{base.rstrip('/')}/sign-in/link?key={key}"


def take_link(connection: sa.Connection, now: datetime, key: str) -> UserInfo:
    """The user of a link, which is used up by this; ``InputError`` for one that is not valid."""
    condition = LINKS.c.hash == key_hash(key)
    row = connection.execute(
        sa.select(USERS).join(LINKS).where(
            condition, LINKS.c.expires > moment(now), ~USERS.c.disabled
        )
    ).first()  # fmt: skip
    # Of two requests with one link, the second deletes nothing.
    if row is None or not connection.execute(LINKS.delete().where(condition)).rowcount:
        raise InputError(
            say("this link is used up or too old"),
            say("ask an administrator for another, or run: volact user link NAME"),
        )
    return user_info(row)
