"""The audit: who did what, from where, on whose approval.  Lines are added, never changed.

Each line's hash covers the line before, and the head's position and hash are stored apart,
so that a line that was changed or is missing shows, the last one too.  An account that may
write to the database can make the whole chain anew: ``AuditCheck.head``, kept elsewhere,
shows that.

    with changing(parts.store, parts.now(), actor) as change:
        change.connection.execute(...)
        change.tell("token.made", name)
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from volact.client.wire import AuditCheck, AuditLine
from volact.errors import one_line
from volact.service.access import Actor
from volact.service.database.tables import AUDIT, AUDIT_HEAD
from volact.service.database.transaction import struct_of, transaction
from volact.store.clock import moment
from volact.store.engine import is_sqlite
from volact.store.store import Store

SYSTEM = Actor(user="", name="volact", role="administrator", via="system")
_LOCK = 0x766F6C6175  # of PostgreSQL: one line after the other
_COVERED = (
    "position", "at", "user", "via", "address", "action", "object", "detail", "approved_by",
)  # fmt: skip


@dataclass(frozen=True)
class Change:
    """A change of the service's tables: in a transaction, at a time, by an actor."""

    connection: sa.Connection
    now: datetime
    actor: Actor

    def tell(
        self,
        action: str,
        object: str = "",
        *,
        detail: Mapping[str, Any] | None = None,
        approved_by: str = "",
    ) -> None:
        """Add a line to the audit; it is stored with the change, or neither is.

        Args:
            action: a word such as ``run.requested``, at most 64 characters.
            object: the name or id of what it was done to.
            detail: more, as JSON; nothing secret.
            approved_by: the name of the second person.
        """
        if not is_sqlite(self.connection):
            self.connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        position, before = _head(self.connection)
        line: dict[str, Any] = {
            "position": position + 1,
            "at": moment(self.now),
            "user": one_line(self.actor.name, 255),
            "via": self.actor.via,
            "address": one_line(self.actor.address, 255),
            "action": action,
            "object": one_line(object, 255),
            "detail": msgspec.json.encode(dict(detail or {}), order="sorted").decode(),
            "approved_by": one_line(approved_by, 255),
        }
        line["hash"] = _hash(before, line)
        self.connection.execute(AUDIT.insert().values(line))
        head = {"position": line["position"], "hash": line["hash"]}
        moved = (
            AUDIT_HEAD.update().values(head)
            if position
            else AUDIT_HEAD.insert().values(id=1, **head)
        )
        self.connection.execute(moved)


@contextmanager
def changing(store: Store, now: datetime, actor: Actor) -> Iterator[Change]:
    """A change that is committed at the end of the block; ``StoreError`` where that fails."""
    with transaction(store) as connection:
        yield Change(connection, now, actor)


def lines(
    connection: sa.Connection,
    *,
    before: int = 0,
    limit: int = 100,
    user: str = "",
    action: str = "",
) -> list[AuditLine]:
    """The newest lines before a position; 0: from the newest."""
    asked = sa.select(AUDIT).order_by(AUDIT.c.position.desc()).limit(limit)
    if before:
        asked = asked.where(AUDIT.c.position < before)
    if user:
        asked = asked.where(AUDIT.c.user == user)
    if action:
        asked = asked.where(AUDIT.c.action == action)
    return [_line(row) for row in connection.execute(asked)]


def every_line(connection: sa.Connection) -> Iterator[AuditLine]:
    """All lines, oldest first."""
    for row in connection.execution_options(yield_per=500).execute(_in_order()):
        yield _line(row)


def exported(store: Store) -> Iterator[bytes]:
    """All lines as JSON Lines, oldest first."""
    return (msgspec.json.encode(line) + b"\n" for line in store.stream(every_line))


def verify(connection: sa.Connection) -> AuditCheck:
    """Follow the chain from the first line to the head."""
    before, position = "", 0
    for row in connection.execution_options(yield_per=500).execute(_in_order()):
        line = row._asdict()
        if line["position"] != position + 1 or line["hash"] != _hash(before, line):
            return AuditCheck(lines=position, head=before, broken_at=position + 1)
        position, before = line["position"], line["hash"]
    stored = _head(connection)
    broken = 0 if stored == (position, before) else position + 1
    return AuditCheck(lines=position, head=before, broken_at=broken)


def _in_order() -> sa.Select[Any]:
    return sa.select(AUDIT).order_by(AUDIT.c.position)


def _head(connection: sa.Connection) -> tuple[int, str]:
    row = connection.execute(sa.select(AUDIT_HEAD.c.position, AUDIT_HEAD.c.hash)).one_or_none()
    return (0, "") if row is None else (row.position, row.hash)


def _hash(before: str, line: Mapping[str, Any]) -> str:
    covered = [before, *(line[name] for name in _COVERED)]
    return hashlib.sha256(msgspec.json.encode(covered)).hexdigest()


def _line(row: sa.Row[Any]) -> AuditLine:
    return struct_of(row, AuditLine, detail=msgspec.json.decode(row.detail))
