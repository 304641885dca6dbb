"""The fleet at a glance: counts of the current state of servers, as of now.

The database counts; what comes back is a line for each combination of values that servers
have, however many servers there are, and the causes of those that are not healthy.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from volact.core.cluster_causes import Cause
from volact.core.clusters import Clusters
from volact.core.licence_end import EndState
from volact.model.report import UNSEEN, Cluster, Summary, Verdict, counts_of
from volact.queries.filters import ServerFilter, expired, of_servers, verdict_now
from volact.queries.pages import Reader
from volact.queries.servers import STATE, ServersQuery, finding_counts, state_of, status_row
from volact.queries.values import Age, Ends, FindingCount, FleetStatus, Group, Stale, StatusRow
from volact.store.clock import moment
from volact.store.tables import FINDINGS, SERVERS

# Upper bounds in days; the last has none.
END_DAYS: tuple[int | None, ...] = (7, 30, 90, 150, None)
AGE_DAYS: tuple[int | None, ...] = (1, 7, 30, 90, None)
_OTHER_ENDS: tuple[EndState, ...] = ("never", "unlicensed", "unknown")
_NAMES = 10
_TROUBLED = 10
_RANK = {"failed": 0, "unreachable": 1, "attention": 2}
_GROUPED = (SERVERS.c.provider, SERVERS.c.release, SERVERS.c.kms_host)


class StatusQuery(msgspec.Struct, frozen=True, kw_only=True):
    """How the servers stand that a filter means.

    ``stale`` is the time without an examination after which a server is counted as stale.

    ``StatusQuery(now=now, filter=ServerFilter(provider="aws")).ask(store).summary.failed``
    """

    now: datetime
    filter: ServerFilter = ServerFilter()
    stale: timedelta = timedelta(days=7)

    def ask(self, reader: Reader) -> FleetStatus:
        """The counts, what servers in trouble have in common, and the first of those."""
        return reader.ask(self._ask)

    def rows(self, reader: Reader) -> Iterator[StatusRow]:
        """Each of the servers, by name, a few in memory at a time."""
        states = ServersQuery(now=self.now, filter=self.filter).stream(reader)
        return (status_row(state, self.now) for state in states)

    def _ask(self, connection: sa.Connection) -> FleetStatus:
        where = of_servers(self.filter, self.now, connection.dialect.name)
        counts = _Counts()
        for row in connection.execute(self._combinations(where)):
            counts.add(*row)
        return counts.status(
            clusters=_clusters(connection, where),
            stale=self._stale(connection, where),
            troubled=self._troubled(connection, where),
            accepted=self._accepted(connection, where),
        )

    def _accepted(
        self, connection: sa.Connection, where: list[sa.ColumnElement[bool]]
    ) -> tuple[FindingCount, ...]:
        """The accepted findings, where nothing that was accepted counts again by now."""
        holds = sa.or_(SERVERS.c.lapses.is_(None), SERVERS.c.lapses >= moment(self.now))
        accepted = FINDINGS.c.severity == "accepted"
        return tuple(finding_counts(connection, [*where, accepted, holds]))

    def of_nothing(self) -> FleetStatus:
        """The answer where there is no store yet."""
        stale = Stale(after_days=self._stale_days, servers=0, names=())
        return _Counts().status(clusters=(), stale=stale, troubled=())

    @property
    def _stale_days(self) -> float:
        return self.stale.total_seconds() / 86400

    def _combinations(self, where: list[sa.ColumnElement[bool]]) -> sa.Select[Any]:
        """Servers counted by everything that they are counted by."""
        gone = sa.and_(SERVERS.c.verdict == "healthy", expired(moment(self.now)))
        of = (
            verdict_now(moment(self.now)).label("verdict"),
            sa.case((gone, 1), else_=0).label("gone"),
            self._end_bar().label("bar"),
            self._age_bar().label("age"),
            *_GROUPED,
        )
        return sa.select(sa.func.count(), *of).where(*where).group_by(*of)

    def _end_bar(self) -> sa.ColumnElement[str]:
        """The bar of the histogram: a state, or the place of a bound."""
        bounds = [
            (SERVERS.c.ends < moment(self.now + timedelta(days=days)), str(at))
            for at, days in enumerate(END_DAYS)
            if days is not None
        ]
        return sa.case(
            (SERVERS.c.term != "ends", SERVERS.c.term),
            (SERVERS.c.ends <= moment(self.now), "expired"),
            *bounds,
            else_=str(len(END_DAYS) - 1),
        )

    def _age_bar(self) -> sa.ColumnElement[int]:
        bounds = [
            (SERVERS.c.examined_at > moment(self.now - timedelta(days=days)), at)
            for at, days in enumerate(AGE_DAYS)
            if days is not None
        ]
        return sa.case((SERVERS.c.examined_at.is_(None), -1), *bounds, else_=len(AGE_DAYS) - 1)

    def _stale(self, connection: sa.Connection, where: list[sa.ColumnElement[bool]]) -> Stale:
        """Those not examined for long: how many, and the names of those unseen the longest."""
        at = SERVERS.c.examined_at
        old = sa.or_(at.is_(None), at <= moment(self.now - self.stale))
        count = sa.select(sa.func.count()).select_from(SERVERS).where(*where, old)
        names = (
            sa.select(at, SERVERS.c.name)
            .where(*where, old)
            .order_by(sa.func.coalesce(at, ""), SERVERS.c.name.desc())
            .limit(_NAMES)
        )
        found = sorted((when or "", name) for when, name in connection.execute(names))
        return Stale(
            after_days=self._stale_days,
            servers=connection.execute(count).scalar_one(),
            names=tuple(name for _, name in found),
        )

    def _troubled(
        self, connection: sa.Connection, where: list[sa.ColumnElement[bool]]
    ) -> tuple[StatusRow, ...]:
        """The first of those that need attention, the worst first."""
        verdict = verdict_now(moment(self.now))
        query = (
            sa.select(*STATE)
            .where(*where, verdict.not_in(("healthy", "not-started")))
            .order_by(sa.case(_RANK, value=verdict), SERVERS.c.name)
            .limit(_TROUBLED)
        )
        return tuple(status_row(state_of(row), self.now) for row in connection.execute(query))


class _Counts:
    """The combinations, taken apart again."""

    def __init__(self) -> None:
        self.expired_since = 0
        self._verdicts: Counter[Verdict] = Counter()
        self._bars: Counter[str] = Counter()
        self._ages: Counter[int] = Counter()
        self._groups: tuple[dict[str | None, Counter[str]], ...] = ({}, {}, {})

    def add(
        self, servers: int, verdict: Verdict, gone: int, bar: str, age: int, *values: str | None
    ) -> None:
        self._verdicts[verdict] += servers
        self.expired_since += servers * gone
        self._bars[bar] += servers
        self._ages[age] += servers
        for group, value in zip(self._groups, values, strict=True):
            group.setdefault(value or None, Counter())[verdict] += servers

    def status(
        self,
        *,
        clusters: tuple[Cluster, ...],
        stale: Stale,
        troubled: tuple[StatusRow, ...],
        accepted: tuple[FindingCount, ...] = (),
    ) -> FleetStatus:
        """With what else is known of the fleet."""
        return FleetStatus(
            summary=Summary(**counts_of(self._verdicts)),
            expired_since=self.expired_since,
            endings=self.endings(),
            providers=self.groups(0),
            releases=self.groups(1),
            kms_hosts=self.groups(2),
            clusters=clusters,
            ages=self.ages(),
            stale=stale,
            troubled=troubled,
            accepted=accepted,
        )

    def endings(self) -> tuple[Ends, ...]:
        """The histogram of days to the end, the most pressing first; every bar is there."""
        bars = [Ends(ending="expired", servers=self._bars["expired"])]
        bars += [
            Ends(ending="ends", from_days=low, below_days=high, servers=self._bars[str(at)])
            for at, (low, high) in enumerate(_ranges(END_DAYS))
        ]
        bars += [Ends(ending=state, servers=self._bars[state]) for state in _OTHER_ENDS]
        return tuple(bars)

    def groups(self, at: int) -> tuple[Group, ...]:
        """The servers by one thing they have in common, the largest group first."""
        made = [
            Group(value=value, **counts_of(counts)) for value, counts in self._groups[at].items()
        ]
        return tuple(sorted(made, key=lambda group: (-group.servers, group.value or "\uffff")))

    def ages(self) -> tuple[Age, ...]:
        """How old the knowledge is; last, without days: never examined."""
        bars = [
            Age(from_days=low, below_days=high, servers=self._ages[at])
            for at, (low, high) in enumerate(_ranges(AGE_DAYS))
        ]
        return (*bars, Age(from_days=None, below_days=None, servers=self._ages[-1]))


def _clusters(
    connection: sa.Connection, where: list[sa.ColumnElement[bool]]
) -> tuple[Cluster, ...]:
    """What servers have in common that are not healthy, by each one's newest row."""
    found = Clusters()
    reached = SERVERS.c.verdict.not_in(UNSEEN)
    kind = (
        SERVERS.c.subnet,
        sa.case((reached, sa.func.coalesce(SERVERS.c.kms_host, "")), else_=""),
        sa.case((reached, sa.func.coalesce(SERVERS.c.release, "")), else_=""),
        sa.func.coalesce(SERVERS.c.provider, ""),
    )
    of = [column.label(f"kind_{at}") for at, column in enumerate(kind)]
    # Their names are one text a group: SQLite's driver takes turns with other threads at each row.
    packed = connection.dialect.name == "sqlite"
    together = sa.func.json_group_array if packed else sa.func.array_agg
    names = together(SERVERS.c.name).filter(SERVERS.c.causes.is_not(None))
    groups = sa.select(sa.func.count(), SERVERS.c.causes, names, *of).where(*where)
    told = []
    for servers, causes, names_of, *values in connection.execute(
        groups.group_by(SERVERS.c.causes, *of).order_by(*of)
    ):
        traits = (values[0], values[1], values[2], values[3])
        found.add_servers(traits, servers)
        if causes is not None:
            listed = msgspec.json.decode(names_of, type=list[str]) if packed else names_of
            told.append((sorted(listed), causes, traits))
    for listed, causes, traits in sorted(told):
        found.add_causes(listed, traits, _causes(causes))
    same = sa.func.lower(SERVERS.c.cmid)
    several = (
        sa.select(same)
        .where(*where, reached, SERVERS.c.cmid.is_not(None))
        .group_by(same)
        .having(sa.func.count() > 1)
    )
    shown = (SERVERS.c.name, SERVERS.c.cmid, SERVERS.c.address)
    ids = sa.select(*shown).where(*where, reached, same.in_(several))
    for name, cmid, address in connection.execute(ids.order_by(SERVERS.c.name)):
        found.add_machine_id(name, cmid, (address,))
    return found.clusters()


def _causes(data: str) -> list[Cause]:
    told = msgspec.json.decode(data, type=list[tuple[str, str, str]])
    return [Cause(*each) for each in told]


def _ranges(bounds: tuple[int | None, ...]) -> list[tuple[int, int | None]]:
    return list(zip((0, *(bound or 0 for bound in bounds)), bounds, strict=False))
