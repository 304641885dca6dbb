"""Lists of servers: their current state, and the rows of one run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from volact.core.licence_end import EndState, days_until
from volact.model.report import ServerReport, Verdict
from volact.queries.filters import NOW, ServerFilter, named, of_rows, of_servers
from volact.queries.pages import (
    Order,
    Page,
    PageRequest,
    PageStatement,
    Reader,
    page_of,
    paged,
    read_page,
)
from volact.queries.values import FindingCount, RunServer, ServerState, StatusRow
from volact.store.clock import moment
from volact.store.encoding import unpack_report
from volact.store.tables import FINDINGS, ROWS, SERVERS

_AT_ONCE = 500
STATE = [SERVERS.c[name] for name in ServerState.__struct_fields__]
ROW = [ROWS.c.server if name == "name" else ROWS.c[name] for name in RunServer.__struct_fields__]
_ORDERS = {
    "name": Order((SERVERS.c.name,)),
    "ends": Order((SERVERS.c.ends, SERVERS.c.name)),
    "seen": Order((SERVERS.c.last_seen, SERVERS.c.name)),
}


class ServersQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The servers that a filter means, each in its current state.

    ``now`` is what verdicts and ends are compared with.  The order ``ends`` has only
    servers whose licence ends at a known time.

    ``ServersQuery(now=now, filter=ServerFilter(tags=("web",))).page(store, PageRequest())``
    """

    now: datetime
    filter: ServerFilter = ServerFilter()
    order: Literal["name", "ends", "seen"] = "name"

    def page(self, reader: Reader, request: PageRequest) -> Page[ServerState]:
        """One page, by one statement; ``ValueError`` for a wrong limit or cursor."""

        def read(connection: sa.Connection) -> Page[ServerState]:
            after, dialect = bool(request.cursor), connection.dialect.name
            statement = _page(self.filter, self.order, dialect, after)
            return read_page(connection, statement, request, state_of, self._at)

        return reader.ask(read)

    def stream(self, reader: Reader) -> Iterator[ServerState]:
        """All of them in order, a few in memory at a time."""
        return reader.stream(self._all)

    def count(self, reader: Reader) -> int:
        """How many there are."""
        return reader.ask(
            lambda connection: connection.execute(
                sa.select(sa.func.count()).select_from(self._query(connection).subquery()), self._at
            ).scalar_one()
        )

    def findings(self, reader: Reader) -> list[FindingCount]:
        """What was found on them, the most frequent first."""
        return reader.ask(
            lambda connection: finding_counts(
                connection, of_servers(self.filter, self.now, connection.dialect.name)
            )
        )

    def _all(self, connection: sa.Connection) -> Iterator[ServerState]:
        query = self._query(connection).order_by(*_ORDERS[self.order].keys)
        with connection.execute(query.execution_options(yield_per=_AT_ONCE), self._at) as found:
            yield from map(state_of, found)

    @property
    def _at(self) -> dict[str, str]:
        return {"now": moment(self.now)}

    def _query(self, connection: sa.Connection) -> sa.Select[Any]:
        return _servers(self.filter, self.order, connection.dialect.name)


def _servers(filter: ServerFilter, order: str, dialect: str) -> sa.Select[Any]:
    query = sa.select(*STATE).where(*of_servers(filter, NOW, dialect))
    return query.where(SERVERS.c.ends.is_not(None)) if order == "ends" else query


@lru_cache(256)
def _page(filter: ServerFilter, order: str, dialect: str, after: bool) -> PageStatement:
    """To make a statement costs more than to execute it."""
    query = _servers(filter, order, dialect)
    return paged(query, _ORDERS[order], after=after, packed=dialect == "sqlite")


class ServerQuery(msgspec.Struct, frozen=True, kw_only=True):
    """One server in its current state, where the filter means it.

    ``ServerQuery(name="web-01", now=now).ask(store)``
    """

    name: str
    now: datetime
    filter: ServerFilter = ServerFilter()

    def ask(self, reader: Reader) -> ServerState | None:
        """``None`` for a server that the store does not know, or that is not meant."""

        def read(connection: sa.Connection) -> ServerState | None:
            where = of_servers(self.filter, self.now, connection.dialect.name)
            query = sa.select(*STATE).where(SERVERS.c.name == self.name, *where)
            row = connection.execute(query).one_or_none()
            return None if row is None else state_of(row)

        return reader.ask(read)


class RunServersQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of one run that a filter means, by name.

    ``RunServersQuery(run=id, filter=ServerFilter(verdicts=("failed",)))``
    """

    run: str
    filter: ServerFilter = ServerFilter()

    def page(self, reader: Reader, request: PageRequest) -> Page[RunServer]:
        """One page, by one statement; ``ValueError`` for a wrong limit or cursor."""
        return reader.ask(
            lambda connection: page_of(
                connection,
                sa.select(*ROW).where(
                    ROWS.c.run == self.run, *of_rows(self.filter, connection.dialect.name)
                ),
                Order((ROWS.c.server,)),
                request,
                run_server_of,
            )
        )

    def reports(self, reader: Reader) -> Iterator[ServerReport]:
        """The whole report of each, a few in memory at a time."""
        return reader.stream(self._reports)

    def _reports(self, connection: sa.Connection) -> Iterator[ServerReport]:
        where = of_rows(self.filter, connection.dialect.name)
        query = sa.select(ROWS.c.report).where(ROWS.c.run == self.run, *where)
        query = query.order_by(ROWS.c.server).execution_options(yield_per=_AT_ONCE)
        with connection.execute(query) as found:
            yield from map(unpack_report, found.scalars())


class NamesQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The names that the store knows, in order; only those that one target matches, where given.

    ``NamesQuery(word="web-*").ask(store, limit=10)``
    """

    word: str = ""

    def ask(self, reader: Reader, limit: int | None = None) -> list[str]:
        """At the most so many of them."""

        def read(connection: sa.Connection) -> list[str]:
            query = sa.select(SERVERS.c.name).order_by(SERVERS.c.name).limit(limit)
            if self.word:
                query = query.where(named(SERVERS.c.name, [self.word], connection.dialect.name))
            return [*connection.execute(query).scalars()]

        return reader.ask(read)


def finding_counts(
    connection: sa.Connection, where: Sequence[sa.ColumnElement[bool]]
) -> list[FindingCount]:
    """What was found in the newest examinations of some servers, the most frequent first."""
    servers = sa.func.count(SERVERS.c.name.distinct())
    newest = sa.and_(FINDINGS.c.run == SERVERS.c.examined_run, FINDINGS.c.server == SERVERS.c.name)
    query = (
        sa.select(FINDINGS.c.finding, FINDINGS.c.severity, servers)
        .select_from(SERVERS)
        .join(FINDINGS, newest)
        .where(*where)
        .group_by(FINDINGS.c.finding, FINDINGS.c.severity)
        .order_by(servers.desc(), FINDINGS.c.finding)
    )
    return [FindingCount(*row) for row in connection.execute(query)]


def state_of(row: Any) -> ServerState:
    """A line of the servers' table, in the order of the fields."""
    name, tags, *rest = row
    return ServerState(name, tuple(tags.split("\n")[1:-1]) if tags else (), *rest)


def run_server_of(row: Any) -> RunServer:
    """A line of the rows' table, in the order of the fields."""
    findings = msgspec.json.decode(row[-1], type=tuple[str, ...])
    return RunServer(*[*row[:-1], findings])


def status_row(state: ServerState, now: datetime) -> StatusRow:
    """A server's state as of ``now``: a licence, or an acceptance, may have run out since."""
    days = days_until(state.ends, now)
    ending = _ending(state, days)
    verdict: Verdict = state.verdict
    cause = state.cause if verdict != "healthy" else ""
    if verdict == "healthy" and ending == "expired":
        verdict, cause = "attention", "not-licensed"
    elif verdict == "healthy" and state.lapses is not None and state.lapses < moment(now):
        verdict, cause = "attention", state.lapse_cause
    return StatusRow(
        name=state.name,
        address=state.address,
        provider=state.provider,
        verdict=verdict,
        cause=cause,
        release=state.release,
        kms_host=state.kms_host,
        status=state.status,
        ending=ending,
        expires=state.expires,
        days_left=None if days is None else round(days, 1),
        examined=state.examined_at,
        looked=state.last_seen,
        run=state.last_run,
    )


def _ending(state: ServerState, days: float | None) -> EndState:
    if days is None:
        return state.term
    return "ends" if days > 0 else "expired"


class BeforeQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The newest row from before a time of each server of a run; none was only skipped.

    ``at`` is a time as the store has it; with ``licensed``, rows that tell the licence.
    ``BeforeQuery(run=id, at=begun).stream(store)``
    """

    run: str
    at: str
    licensed: bool = False

    def stream(self, reader: Reader) -> Iterator[RunServer]:
        """A row for each server that has one, a few in memory at a time."""
        return reader.stream(self._rows)

    def _rows(self, connection: sa.Connection) -> Iterator[RunServer]:
        of_run = sa.select(ROWS.c.server).where(ROWS.c.run == self.run)
        told = (ROWS.c.error_kind.is_(None), ROWS.c.status.is_not(None)) if self.licensed else ()
        newest = (
            sa.select(ROWS.c.server, sa.func.max(ROWS.c.at).label("at"))
            .where(
                ROWS.c.server.in_(of_run),
                ROWS.c.run != self.run,
                ROWS.c.at < self.at,
                ROWS.c.verdict != "not-started",
                *told,
            )
            .group_by(ROWS.c.server)
            .subquery()
        )
        same = sa.and_(ROWS.c.server == newest.c.server, ROWS.c.at == newest.c.at)
        query = sa.select(*ROW).join(newest, same).execution_options(yield_per=_AT_ONCE)
        with connection.execute(query) as found:
            yield from map(run_server_of, found)
