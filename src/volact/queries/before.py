"""How servers stood before a run: what its rows are compared with."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import sqlalchemy as sa

from volact.queries.reader import Reader
from volact.queries.servers import ROW, run_server_of
from volact.queries.values import RunServer
from volact.store.tables import ROWS

_AT_ONCE = 500


class BeforeQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The newest row from before a time of each server of a run; none was only skipped.

    ``at`` is a time as the store has it.  ``BeforeQuery(run=id, at=begun).stream(store)``
    """

    run: str
    at: str

    def stream(self, reader: Reader) -> Iterator[RunServer]:
        """A row for each server that has one, a few in memory at a time."""
        return reader.stream(self._rows)

    def _rows(self, connection: sa.Connection) -> Iterator[RunServer]:
        of_run = sa.select(ROWS.c.server).where(ROWS.c.run == self.run)
        newest = (
            sa.select(ROWS.c.server, sa.func.max(ROWS.c.at).label("at"))
            .where(
                ROWS.c.server.in_(of_run),
                ROWS.c.run != self.run,
                ROWS.c.at < self.at,
                ROWS.c.verdict != "not-started",
            )
            .group_by(ROWS.c.server)
            .subquery()
        )
        same = sa.and_(ROWS.c.server == newest.c.server, ROWS.c.at == newest.c.at)
        query = sa.select(*ROW).join(newest, same).execution_options(yield_per=_AT_ONCE)
        with connection.execute(query) as found:
            yield from map(run_server_of, found)
