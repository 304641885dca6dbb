"""The policies in the database; what they mean is ``policies``'s."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

import msgspec
import sqlalchemy as sa

from volact.queries.reader import Reader
from volact.service.database.tables import POLICIES
from volact.service.database.transaction import transaction
from volact.service.policies import POLICY_TYPES, AnyPolicy, check_policy
from volact.store.clock import moment
from volact.store.store import Store

P = TypeVar("P", bound=msgspec.Struct)


def read_policy(reader: Reader, kind: type[P]) -> P:
    """A policy as it is decided, or with its defaults."""
    query = sa.select(POLICIES.c.value).where(POLICIES.c.name == _name(kind))
    text = reader.ask(lambda connection: connection.execute(query).scalar())
    return kind() if text is None else msgspec.json.decode(text, type=kind)


def write_policy(store: Store, policy: AnyPolicy, user: str, now: datetime) -> None:
    """Decide a policy; ``InputError`` for a value that cannot be."""
    check_policy(policy)
    name = _name(type(policy))
    value = msgspec.json.encode(policy).decode()
    with transaction(store) as connection:
        connection.execute(sa.delete(POLICIES).where(POLICIES.c.name == name))
        connection.execute(
            sa.insert(POLICIES).values(name=name, value=value, updated_by=user, updated=moment(now))
        )


def _name(kind: type[msgspec.Struct]) -> str:
    return next(name for name, known in POLICY_TYPES.items() if known is kind)
