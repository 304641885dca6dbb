"""API tokens: shown once, stored as a hash, never more than their owner may."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from volact.client.wire import NewToken, TokenInfo
from volact.errors import InputError, one_line
from volact.model.text import raw, say
from volact.service.access import Actor, capped_role, narrowed
from volact.service.database.tables import TOKENS, USERS
from volact.service.database.transaction import struct_of
from volact.service.identity.audit import Change
from volact.service.identity.keys import key_hash, new_id, new_key
from volact.service.identity.users import checked_role, scopes_of, written_scopes
from volact.store.clock import moment

PREFIX = "volact_"  # so that programs that search for secrets know one
LONGEST_DAYS = 366
_USED_EVERY = timedelta(minutes=1)
_FIND = (
    sa.select(
        TOKENS.c.hash, TOKENS.c.id.label("token"), TOKENS.c.role, TOKENS.c.scopes, TOKENS.c.used,
        USERS.c.id, USERS.c.name, USERS.c.language,
        USERS.c.role.label("owner_role"), USERS.c.scopes.label("owner_scopes"),
    )
    .join(USERS)
    .where(
        TOKENS.c.hash.in_(sa.bindparam("hashes", expanding=True)),
        TOKENS.c.expires > sa.bindparam("now"),
        ~USERS.c.disabled,
    )
)  # fmt: skip


def make(change: Change, new: NewToken) -> tuple[TokenInfo, str]:
    """A token of the change's actor, and its key, which is not to be had again."""
    actor, days = change.actor, new.days
    if actor.via == "token":
        raise InputError(say("a token makes no tokens"), say("sign in with a browser"))
    if not 1 <= days <= LONGEST_DAYS:
        raise InputError(say("a token lasts 1 to {n} days", n=LONGEST_DAYS))
    if capped_role(actor.role, checked_role(new.role)) != new.role:
        raise InputError(say("a token may not do more than its owner"))
    key, id = PREFIX + new_key(), new_id()
    values = {
        "id": id,
        "hash": key_hash(key),
        "user": actor.user,
        "name": one_line(new.name, 100),
        "role": new.role,
        "scopes": written_scopes(new.scopes),
        "created": moment(change.now),
        "expires": moment(change.now + timedelta(days=days)),
    }
    change.connection.execute(TOKENS.insert().values(values))
    change.tell("token.made", id, detail={"name": values["name"], "role": new.role, "days": days})
    return next(info for info in tokens(change.connection, actor.user) if info.id == id), key


def tokens(connection: sa.Connection, user: str = "") -> list[TokenInfo]:
    """The tokens of a user, or of all, newest first."""
    asked = sa.select(TOKENS).order_by(TOKENS.c.created.desc(), TOKENS.c.id)
    if user:
        asked = asked.where(TOKENS.c.user == user)
    return [
        struct_of(row, TokenInfo, scopes=msgspec.json.decode(row.scopes))
        for row in connection.execute(asked)
    ]


def revoke(change: Change, id: str, user: str = "") -> None:
    """Delete a token; with ``user``, one of this user alone.  ``InputError`` for none."""
    deleted = TOKENS.delete().where(TOKENS.c.id == id)
    if user:
        deleted = deleted.where(TOKENS.c.user == user)
    if not change.connection.execute(deleted).rowcount:
        raise InputError(say("there is no token {id}", id=raw(repr(id[:64]))))
    change.tell("token.revoked", id)


def find(connection: sa.Connection, now: datetime, hashes: Collection[str]) -> dict[str, Any]:
    """Tokens with their owners by the hashes of keys, without unknown ones and too old ones."""
    found = connection.execute(_FIND, {"hashes": [*hashes], "now": moment(now)})
    return {row.hash: row for row in found}


def actor_of(row: sa.Row[Any], address: str) -> Actor:
    """The caller with a token: what the token may do and its owner may do at this moment."""
    owner, own = (scopes_of(msgspec.json.decode(text)) for text in (row.owner_scopes, row.scopes))
    return Actor(
        user=row.id, name=row.name, role=capped_role(row.owner_role, row.role),
        scopes=narrowed(owner, own), via="token", address=address, session=row.token,
        language=row.language,
    )  # fmt: skip


def is_stale(row: sa.Row[Any], now: datetime) -> bool:
    """Whether it is time to write down that the token is in use."""
    return row.used is None or row.used < moment(now - _USED_EVERY)


def touch(connection: sa.Connection, now: datetime, row: sa.Row[Any]) -> None:
    """Write down that the token is in use."""
    used = TOKENS.update().where(TOKENS.c.id == row.token).values(used=moment(now))
    connection.execute(used)
