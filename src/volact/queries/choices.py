"""What servers can be filtered by: the values there are, and how many servers have each."""

from __future__ import annotations

from datetime import datetime

import msgspec
import sqlalchemy as sa

from volact.model.report import Summary
from volact.queries.filters import ServerFilter, cause_now, of_rows, of_servers, verdict_now
from volact.queries.pages import Reader
from volact.store.clock import moment
from volact.store.reading import counts_of_rows
from volact.store.tables import ROWS, SERVERS

ValueCounts = tuple[tuple[str, int], ...]


class Choices(msgspec.Struct, frozen=True, kw_only=True):
    """The values of some fields, each with its number of servers, the most frequent first."""

    verdicts: ValueCounts
    providers: ValueCounts
    releases: ValueCounts
    kms_hosts: ValueCounts
    causes: ValueCounts


class ChoicesQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The values that the servers have that a filter means.

    ``ChoicesQuery(now=now, filter=ServerFilter(tags=("web",))).ask(store).providers``
    """

    now: datetime
    filter: ServerFilter = ServerFilter()

    def ask(self, reader: Reader) -> Choices:
        """One statement for each field."""
        return reader.ask(self._ask)

    def _ask(self, connection: sa.Connection) -> Choices:
        where = of_servers(self.filter, self.now, connection.dialect.name)

        def values(column: sa.ColumnElement[str]) -> ValueCounts:
            named = column.label("value")
            query = sa.select(named, sa.func.count()).where(*where).group_by(named)
            found = [(value, servers) for value, servers in connection.execute(query) if value]
            return tuple(sorted(found, key=lambda pair: (-pair[1], pair[0])))

        return Choices(
            verdicts=values(verdict_now(moment(self.now))),
            providers=values(SERVERS.c.provider),
            releases=values(SERVERS.c.release),
            kms_hosts=values(SERVERS.c.kms_host),
            causes=values(cause_now(moment(self.now))),
        )


class RunCountsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What some runs came to on the servers that a filter means.

    ``RunCountsQuery(runs=(id,), filter=ServerFilter()).ask(store)[id].failed``
    """

    runs: tuple[str, ...]
    filter: ServerFilter

    def ask(self, reader: Reader) -> dict[str, Summary]:
        """A summary for each run that had such servers."""
        meant = ROWS.c.run.in_(self.runs)
        return reader.ask(
            lambda connection: counts_of_rows(
                connection, [meant, *of_rows(self.filter, connection.dialect.name)]
            )
        )
