"""Passwords (argon2id), and the wait after failed sign-ins.

A sign-in does the same work for a name that exists and for one that does not, so that
neither words nor time tell which names exist.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from typing import NamedTuple

import sqlalchemy as sa
from anyio import CapacityLimiter
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from volact.client.wire import UserInfo
from volact.errors import InputError
from volact.model.text import say
from volact.service.access import Actor
from volact.service.app import Parts
from volact.service.database.tables import ATTEMPTS, USERS
from volact.service.database.transaction import transaction
from volact.service.identity.audit import Change, changing
from volact.service.identity.keys import key_hash, new_key
from volact.service.identity.users import row_of, user_info
from volact.store.clock import moment
from volact.store.statements import new_rows
from volact.store.store import Store

SHORTEST, LONGEST = 12, 1000
# argon2 takes 64 MiB each time: two at once, and the others wait.
HASHING = CapacityLimiter(2)
_FIRST_WAIT = timedelta(seconds=15)
_LONGEST_WAIT = timedelta(hours=1)
_DAY, _HOUR = timedelta(hours=24), timedelta(hours=1)


class _Limit(NamedTuple):
    """Failures that are free, and how long after the first of them they count."""

    free: int
    counted: timedelta


class TooManyAttemptsError(Exception):
    """A sign-in that has to wait; ``seconds`` from now."""

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


def sign_in(parts: Parts, name: str, password: str, address: str) -> UserInfo | None:
    """The user whose name and password these are; ``None`` for anything else.

    ``TooManyAttemptsError`` after failures by this name from this address, from this
    address, or by this name from everywhere; the right password has to wait, too.
    """
    store, now, hasher = parts.store, parts.now(), parts.hasher
    name = name.strip().casefold()
    limits = _limits(name, address)
    with transaction(store) as connection:
        _require_no_wait(connection, now, limits)
        row = row_of(connection, USERS.c.name == name)
    stored = None if row is None or row.disabled else row.password
    if _matches(hasher, stored, password) and row is not None:
        with transaction(store) as connection:
            _require_no_wait(connection, now, limits)  # others may have failed meanwhile
            _clear(connection, next(iter(limits)))
            _rehash(hasher, connection, row, password)
        return user_info(row)
    _failed(store, now, Actor(user="", name=name[:100], role="viewer", address=address), limits)
    return None


def set_password(hasher: PasswordHasher, change: Change, user: str, password: str) -> None:
    """Store a password; ``InputError`` for one that is too short or is the user's name."""
    if not SHORTEST <= len(password) <= LONGEST or len(set(password)) < 5:
        raise InputError(
            say("a password has at least {n} characters, 5 of them different", n=SHORTEST),
            say("a sentence is good, a word is not"),
        )
    row = row_of(change.connection, USERS.c.id == user)
    if row is None or row.name in password.casefold():
        raise InputError(say("a password does not contain the user's name"))
    changed = USERS.update().where(USERS.c.id == user).values(password=_hash_of(hasher, password))
    change.connection.execute(changed)
    change.tell("password.changed", row.name)


def wait_after(failures: int, free: int) -> timedelta:
    """The wait before the next try: none for the first, then twice as long each time."""
    if failures < free:
        return timedelta()
    return min(_FIRST_WAIT * (1 << min(failures - free, 20)), _LONGEST_WAIT)


def _limits(name: str, address: str) -> dict[str, _Limit]:
    """What failures are counted by.

    Many sign in from one address, an office's, and a success clears neither its count nor the
    name's: these begin again after an hour, or usual mistakes would add up to a wait for all.
    """
    return {
        key_hash(f"both {address} {name}"): _Limit(5, _DAY),
        key_hash(f"address {address}"): _Limit(20, _HOUR),
        key_hash(f"name {name}"): _Limit(50, _HOUR),
    }


def _require_no_wait(connection: sa.Connection, now: datetime, limits: dict[str, _Limit]) -> None:
    until = connection.execute(
        sa.select(sa.func.max(ATTEMPTS.c.locked_until)).where(ATTEMPTS.c.key.in_(limits))
    ).scalar()
    if until and until > moment(now):
        left = datetime.fromisoformat(until) - now
        raise TooManyAttemptsError(int(left.total_seconds()) + 1)


def _failed(store: Store, now: datetime, actor: Actor, limits: dict[str, _Limit]) -> None:
    with changing(store, now, actor) as change:
        old = ATTEMPTS.c.at < moment(now - _DAY - _LONGEST_WAIT)  # nor does one wait any more
        change.connection.execute(ATTEMPTS.delete().where(old))
        for key, limit in limits.items():
            _count(change, key, limit)
        change.tell("sign-in.failed")


def _count(change: Change, key: str, limit: _Limit) -> None:
    connection, now = change.connection, change.now
    # In one statement: of two that fail at once neither finds nothing.
    first = new_rows(connection, ATTEMPTS).values(key=key, failures=1, at=moment(now))
    over = ATTEMPTS.c.at < moment(now - limit.counted)
    more = {
        "failures": sa.case((over, 1), else_=ATTEMPTS.c.failures + 1),
        "at": sa.case((over, moment(now)), else_=ATTEMPTS.c.at),
    }
    counted = first.on_conflict_do_update(index_elements=["key"], set_=more)
    failures = connection.execute(counted.returning(ATTEMPTS.c.failures)).scalar_one()
    wait = wait_after(failures, limit.free)
    values = {"locked_until": moment(now + wait) if wait else None}
    connection.execute(ATTEMPTS.update().where(ATTEMPTS.c.key == key).values(values))


def _clear(connection: sa.Connection, key: str) -> None:
    connection.execute(ATTEMPTS.delete().where(ATTEMPTS.c.key == key))


def _matches(hasher: PasswordHasher, stored: str | None, password: str) -> bool:
    compared = stored or _stand_in(hasher)
    try:
        hasher.verify(compared, password[: LONGEST + 1].encode("utf-8", "replace"))
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


@cache
def _stand_in(hasher: PasswordHasher) -> str:
    """The hash that a password is compared with where there is none."""
    return hasher.hash(new_key())


def _hash_of(hasher: PasswordHasher, password: str) -> str:
    return hasher.hash(password.encode("utf-8", "replace"))


def _rehash(
    hasher: PasswordHasher, connection: sa.Connection, row: sa.Row[tuple[str]], password: str
) -> None:
    if hasher.check_needs_rehash(row.password):
        values = {"password": _hash_of(hasher, password)}
        connection.execute(USERS.update().where(USERS.c.id == row.id).values(values))
