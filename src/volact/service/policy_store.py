"""The policies in the database; what they mean is ``policies``'s."""

from __future__ import annotations

from typing import TypeVar

import msgspec
import sqlalchemy as sa

from volact.queries.pages import Reader
from volact.service.database.tables import POLICIES
from volact.service.identity.audit import Change
from volact.service.policies import POLICY_TYPES, AnyPolicy, check_policy
from volact.store.clock import moment

P = TypeVar("P", bound=msgspec.Struct)


def read_policy(reader: Reader, kind: type[P]) -> P:
    """A policy as it is decided, or with its defaults."""
    return reader.ask(lambda connection: decided(connection, kind))


def decided(connection: sa.Connection, kind: type[P]) -> P:
    """The same within a transaction."""
    query = sa.select(POLICIES.c.value).where(POLICIES.c.name == _name(kind))
    text = connection.execute(query).scalar()
    return kind() if text is None else msgspec.json.decode(text, type=kind)


def write_policy(change: Change, policy: AnyPolicy) -> None:
    """Decide a policy; ``InputError`` for a value that cannot be."""
    check_policy(policy)
    name = _name(type(policy))
    values = {
        "value": msgspec.json.encode(policy).decode(),
        "updated_by": change.actor.name,
        "updated": moment(change.now),
    }
    of = sa.update(POLICIES).where(POLICIES.c.name == name)
    if not change.connection.execute(of.values(**values)).rowcount:
        change.connection.execute(sa.insert(POLICIES).values(name=name, **values))
    change.tell("policy.decided", name, detail=msgspec.to_builtins(policy))


def _name(kind: type[msgspec.Struct]) -> str:
    return next(name for name, known in POLICY_TYPES.items() if known is kind)
