"""Users of the service, and the first administrator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast, get_args

import msgspec
import sqlalchemy as sa

from volact.client.wire import NewUser, Role, UserChange, UserInfo
from volact.errors import InputError
from volact.model.text import raw, say
from volact.service.access import Scope, capped_role
from volact.service.database.tables import LINKS, SESSIONS, TOKENS, USERS
from volact.service.database.transaction import struct_of
from volact.service.identity.audit import Change
from volact.service.identity.keys import new_id
from volact.store.clock import moment
from volact.store.engine import is_sqlite
from volact.words.choose import known_language

_NAME_LENGTH = 100
_LOCK = 0x766F6C617573  # of PostgreSQL, beside the audit's


def known_name(text: str) -> str:
    """A user's name as it is stored; ``InputError`` for one that cannot be typed again."""
    name = text.strip().casefold()
    if not name or len(name) > _NAME_LENGTH or not name.isprintable() or " " in name:
        raise InputError(
            say("{name} is no user name", name=raw(repr(text[:_NAME_LENGTH]))),
            say("use 1 to {n} letters, digits and signs, without spaces", n=_NAME_LENGTH),
        )
    return name


def users(connection: sa.Connection) -> list[UserInfo]:
    """All of them by name."""
    return [user_info(row) for row in connection.execute(sa.select(USERS).order_by(USERS.c.name))]


def find(connection: sa.Connection, name: str) -> UserInfo:
    """A user by name or id; ``InputError`` for none."""
    row = row_of(connection, (USERS.c.name == name.strip().casefold()) | (USERS.c.id == name))
    if row is None:
        raise InputError(say("there is no user {name}", name=raw(repr(name[:_NAME_LENGTH]))))
    return user_info(row)


def row_of(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> sa.Row[Any] | None:
    """The row of a condition that fits one at most."""
    return connection.execute(sa.select(USERS).where(condition)).first()


def add(change: Change, new: NewUser, subject: str | None = None) -> UserInfo:
    """A new user; ``subject`` is the identity provider's word for the same."""
    name = known_name(new.name)
    # Nor one of the name that another has as id, by which it would be found for the other.
    if row_of(change.connection, (USERS.c.name == name) | (USERS.c.id == name)) is not None:
        raise InputError(say("there is a user {name} already", name=raw(name)))
    values = _columns(msgspec.structs.asdict(new)) | {
        "id": new_id(),
        "name": name,
        "subject": subject,
        "created": moment(change.now),
    }
    change.connection.execute(USERS.insert().values(values))
    change.tell("user.added", name, detail={"role": new.role, "scopes": new.scopes})
    return find(change.connection, name)


def alter(change: Change, name: str, to: UserChange) -> UserInfo:
    """Change a user.  The last administrator stays one.  A user who is disabled is signed out."""
    lock_users(change)
    user = find(change.connection, name)
    told: dict[str, Any] = msgspec.to_builtins(to)
    if told:
        altered = USERS.update().where(USERS.c.id == user.id).values(_columns(told))
        change.connection.execute(altered)
    _require_administrator(change, user)
    if to.disabled is True:
        _sign_out(change, user)
    change.tell("user.changed", user.name, detail=told)
    return find(change.connection, user.id)


def gives(user: UserInfo, to: UserChange) -> bool:
    """Whether a change gives a user any right; ``InputError`` for what is no role."""
    role = user.role if to.role is msgspec.UNSET else checked_role(to.role)
    scopes = user.scopes if to.scopes is msgspec.UNSET else to.scopes
    wider = user.scopes is not None and (scopes is None or not set(scopes) <= set(user.scopes))
    return capped_role(user.role, role) != role or wider or (user.disabled and to.disabled is False)


def remove(change: Change, name: str) -> None:
    """Delete a user with sessions, links and tokens; the audit keeps the name."""
    lock_users(change)
    user = find(change.connection, name)
    _sign_out(change, user)
    change.connection.execute(TOKENS.delete().where(TOKENS.c.user == user.id))
    change.connection.execute(USERS.delete().where(USERS.c.id == user.id))
    _require_administrator(change, user)
    change.tell("user.removed", user.name)


def lock_users(change: Change) -> None:
    """One such change after the other: two administrators would each see the other as one."""
    if not is_sqlite(change.connection):
        change.connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


def _require_administrator(change: Change, user: UserInfo) -> None:
    if user.role == "administrator" and not administrators(change.connection):
        raise InputError(
            say("{name} is the last administrator", name=raw(user.name)),
            say("make another user an administrator first"),
        )


def _sign_out(change: Change, user: UserInfo) -> None:
    for table in (SESSIONS, LINKS):
        change.connection.execute(table.delete().where(table.c.user == user.id))


def administrators(connection: sa.Connection) -> list[UserInfo]:
    """Those who can administer: of the whole fleet."""
    return [
        user
        for user in users(connection)
        if user.role == "administrator" and user.scopes is None and not user.disabled
    ]


def first_administrator(change: Change) -> UserInfo | None:
    """The administrator who still needs a link to sign in; made where there is none."""
    found = administrators(change.connection)
    if not found:
        return add(change, NewUser(name="admin", role="administrator"))
    return None if any(user.password or user.oidc for user in found) else found[0]


def user_info(row: sa.Row[Any]) -> UserInfo:
    """A row without its password's hash."""
    return struct_of(
        row, UserInfo, scopes=msgspec.json.decode(row.scopes),
        oidc=row.subject is not None, password=row.password is not None,
    )  # fmt: skip


def scopes_of(words: Sequence[str] | None) -> tuple[Scope, ...] | None:
    """Scopes from their written form."""
    return None if words is None else tuple(Scope.parse(word) for word in words)


def _columns(fields: dict[str, Any]) -> dict[str, Any]:
    """Fields as they are stored; ``InputError`` for what is no role, scope or address."""
    checks = {
        "role": checked_role,
        "scopes": written_scopes,
        "email": _email,
        "language": lambda tag: known_language(tag) or "",
    }
    return {key: checks.get(key, bool)(value) for key, value in fields.items() if key != "name"}


def checked_role(text: str) -> Role:
    """The role; ``InputError`` for a word that is none."""
    if text not in get_args(Role):
        raise InputError(
            say("{role} is no role", role=raw(repr(text[:_NAME_LENGTH]))),
            raw(", ".join(get_args(Role))),
        )
    return cast(Role, text)


def written_scopes(words: Sequence[str] | None) -> str:
    """Scopes as they are stored; ``InputError`` for a word that is none."""
    try:
        scopes = scopes_of(words)
    except ValueError as error:
        raise InputError(say("a scope is written tag:NAME or provider:NAME")) from error
    return msgspec.json.encode(None if scopes is None else [str(item) for item in scopes]).decode()


def _email(text: str) -> str:
    if len(text) > _NAME_LENGTH * 2 or not text.isprintable():
        raise InputError(say("this is no e-mail address"))
    return text
