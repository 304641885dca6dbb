"""Which licences end soon, as of now; those of which the end is not known stand apart."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from volact.core.licence_end import days_until
from volact.queries.filters import ServerFilter, expired, of_servers
from volact.queries.pages import Reader
from volact.queries.servers import STATE, state_of
from volact.queries.values import Endings, Expiring, ExpiringRow, ExpiringSummary, ServerState
from volact.store.clock import moment
from volact.store.tables import SERVERS

_SHOWN = ("expired", "ends", "overdue", "unknown")


class ExpiringQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The servers whose licence ends within a time, or whose renewal is overdue.

    ``ExpiringQuery(now=now, within=timedelta(days=30)).ask(store).servers``
    """

    now: datetime
    within: timedelta
    filter: ServerFilter = ServerFilter()

    def ask(self, reader: Reader) -> Endings:
        """Those servers; the others are only counted, by the database."""
        return reader.ask(self._ask)

    def _ask(self, connection: sa.Connection) -> Endings:
        where = of_servers(self.filter, self.now, connection.dialect.name)
        state = self._state().label("state")
        counted = sa.select(state, sa.func.count()).where(*where).group_by(state)
        counts = {name: servers for name, servers in connection.execute(counted)}  # noqa: C416
        query = sa.select(state, *STATE).where(*where, self._state().in_(_SHOWN))
        rows = [self._row(*row) for row in connection.execute(query.order_by(SERVERS.c.name))]
        servers = [row for row in rows if row.state != "unknown"]
        servers.sort(key=lambda row: (row.expires or "\uffff", row.name))
        return Endings(
            servers=tuple(servers),
            unknown=tuple(row for row in rows if row.state == "unknown"),
            summary=ExpiringSummary(**counts),
        )

    def _state(self) -> sa.ColumnElement[str]:
        """Why a server is shown, or as what it is counted."""
        until = moment(self.now + self.within)
        return sa.case(
            (SERVERS.c.term.in_(("unlicensed", "never")), SERVERS.c.term),
            (expired(moment(self.now)), "expired"),
            (sa.and_(SERVERS.c.term == "ends", SERVERS.c.ends < until), "ends"),
            (SERVERS.c.overdue, "overdue"),
            (SERVERS.c.term == "ends", "later"),
            else_="unknown",
        )

    def _row(self, state: Expiring, *columns: Any) -> ExpiringRow:
        server = state_of(columns)
        days = days_until(server.ends, self.now)
        return ExpiringRow(
            name=server.name,
            address=server.address,
            provider=server.provider,
            state=state,
            expires=server.expires,
            days_left=None if days is None else round(days, 1),
            overdue=server.overdue,
            status=server.status,
            kms_host=server.kms_host,
            examined=server.examined_at,
            why=_why(server) if state == "unknown" else "",
        )


def _why(server: ServerState) -> str:
    """Why the end is not known."""
    if server.examined_at is None:
        return "never-examined"
    return "no-status" if server.status is None else "no-end"
