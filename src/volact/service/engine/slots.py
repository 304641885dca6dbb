"""Activations at a KMS host at a time, over all workers and runs: rows of a table.

Each slot of a host has a number, and its row one holder.  Slots of a worker that died are
freed with its lease.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import msgspec
import sqlalchemy as sa

from volact.errors import StoreError, TransportError
from volact.model.text import say
from volact.service.database.tables import SLOTS
from volact.service.engine.ledger import Ledger, not_changed
from volact.store.statements import new_rows

_PAUSE_S = 0.25


def take_slot(connection: sa.Connection, host: str, limit: int, worker: str, holder: str) -> bool:
    """Take a free slot at a host; whether there was one."""
    at = sa.select(SLOTS.c.number, SLOTS.c.holder).where(SLOTS.c.host == host)
    taken = {row.number: row.holder for row in connection.execute(at)}
    if holder in taken.values():
        return True
    free = next((number for number in range(limit) if number not in taken), None)
    if free is None:
        return False
    row = {"host": host, "number": free, "worker": worker, "holder": holder}
    insert = new_rows(connection, SLOTS).on_conflict_do_nothing()
    return bool(connection.execute(insert, row).rowcount == 1)


def free_slot(connection: sa.Connection, host: str, holder: str) -> None:
    """Give it back."""
    of = sa.and_(SLOTS.c.host == host, SLOTS.c.holder == holder)
    connection.execute(sa.delete(SLOTS).where(of))


class SlotHolder(msgspec.Struct, frozen=True):
    """One server's slots at KMS hosts; after ``closed`` none is waited for."""

    ledger: Ledger
    limit: int
    worker: str
    holder: str
    closed: Callable[[], bool]

    @asynccontextmanager
    async def at(self, host: str) -> AsyncIterator[None]:
        """Hold a slot at a host; one that cannot be given back is kept as long as the lease."""
        key = host[:255]
        try:
            while not await self._taken(key):
                if self.closed():
                    raise TransportError("not-begun", say("not changed: the run does not go on"))
                await asyncio.sleep(_PAUSE_S)
            yield
        finally:
            with suppress(StoreError):
                await self.ledger.ask(lambda c: free_slot(c, key, self.holder))

    async def _taken(self, key: str) -> bool:
        try:
            return await self.ledger.ask(
                lambda c: take_slot(c, key, self.limit, self.worker, self.holder)
            )
        except StoreError as error:
            raise not_changed(error) from error
