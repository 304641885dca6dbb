"""The service's runs, read: by id or as lists, for API and console; steered by ``engine.control``.

A caller with scopes sees the runs that it asked for and those that have a server of its
scopes, with a row or without one yet; their counts are of those servers alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import msgspec
import sqlalchemy as sa

from volact.client.wire import RunInfo, RunSpec, RunState, Verb
from volact.errors import InputError
from volact.model.report import Summary
from volact.model.text import raw, say
from volact.queries.choices import RunCountsQuery
from volact.queries.filters import ServerFilter, names_within
from volact.queries.pages import Order, Page, PageRequest, Reader, page_of
from volact.service.database.tables import RUN_SERVERS, RUNS
from volact.store.tables import ROWS, begins

COLUMNS = [RUNS.c[name] for name in RunInfo.__struct_fields__]
_ORDER = Order((RUNS.c.requested, RUNS.c.id), newest_first=True)
Scopes = tuple[str, ...] | None


class RunListQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The runs, the newest first; only in some states or of some verbs, if given.

    ``RunListQuery(states=("running",)).page(store, PageRequest(limit=20))``
    """

    states: tuple[RunState, ...] = ()
    verbs: tuple[Verb, ...] = ()
    schedule: str = ""
    user: str = ""  # the caller, who sees each run of their own
    scopes: Scopes = None

    def page(self, reader: Reader, request: PageRequest) -> Page[RunInfo]:
        """One page; ``ValueError`` for a wrong limit or cursor."""
        found = reader.ask(
            lambda connection: page_of(
                connection, self._query(connection), _ORDER, request, info_of
            )
        )
        return Page(items=tuple(self._counted(reader, found.items)), next=found.next)

    def find(self, reader: Reader, run: str) -> RunInfo | None:
        """One run by its id; ``None`` for none that is seen."""

        def read(connection: sa.Connection) -> RunInfo | None:
            row = connection.execute(self._query(connection).where(RUNS.c.id == run)).one_or_none()
            return None if row is None else info_of(row)

        found = reader.ask(read)
        return None if found is None else self._counted(reader, [found])[0]

    def states_of(self, reader: Reader) -> dict[str, int]:
        """How many runs are in each state."""

        def read(connection: sa.Connection) -> dict[str, int]:
            state = self._query(connection).subquery().c.state
            query = sa.select(state, sa.func.count()).group_by(state).order_by(state)
            return dict(connection.execute(query).all())

        return reader.ask(read)

    def sees_all_of(self, reader: Reader, run: RunInfo) -> bool:
        """Whether the caller sees all servers of another's run, which ``find`` gave it."""
        whole = RunListQuery().find(reader, run.id)
        return whole is not None and whole.servers <= run.servers

    def _query(self, connection: sa.Connection) -> sa.Select[Any]:
        query = sa.select(*COLUMNS)
        if self.states:
            query = query.where(RUNS.c.state.in_(self.states))
        if self.verbs:
            query = query.where(sa.or_(*(begins(RUNS.c.spec, _begin(verb)) for verb in self.verbs)))
        if self.schedule:
            query = query.where(begins(RUNS.c.schedule, f"{self.schedule}@"))
        if self.scopes is not None:
            query = query.where(
                sa.or_(RUNS.c.requested_by == self.user, seen(RUNS.c.id, connection, self.scopes))
            )
        return query

    def _counted(self, reader: Reader, found: Sequence[RunInfo]) -> list[RunInfo]:
        """The runs with the counts of the servers that are seen."""
        others = tuple(run.id for run in found if run.requested_by != self.user)
        if self.scopes is None or not others:
            return [*found]
        filter = ServerFilter(scopes=self.scopes)
        counts = RunCountsQuery(runs=others, filter=filter).ask(reader)
        servers = reader.ask(partial(_members, runs=others, scopes=self.scopes))
        return [
            _narrowed(run, counts.get(run.id, Summary()), servers.get(run.id, 0))
            if run.id in others
            else run
            for run in found
        ]


def find_run(connection: sa.Connection, run: str) -> RunInfo:
    """The run of that id, whole, for the engine; ``InputError`` for none."""
    row = connection.execute(sa.select(*COLUMNS).where(RUNS.c.id == run)).one_or_none()
    if row is None:
        raise InputError(say("there is no run {text}", text=raw(run)))
    return info_of(row)


def _members(
    connection: sa.Connection, runs: tuple[str, ...], scopes: tuple[str, ...]
) -> dict[str, int]:
    """How many servers of these scopes the runs have, with a row or without one yet."""
    names = names_within(scopes, connection.dialect.name)
    of = sa.and_(RUN_SERVERS.c.run.in_(runs), RUN_SERVERS.c.server.in_(names))
    query = sa.select(RUN_SERVERS.c.run, sa.func.count()).where(of).group_by(RUN_SERVERS.c.run)
    return dict(connection.execute(query).all())


def _narrowed(run: RunInfo, counts: Summary, servers: int) -> RunInfo:
    named = msgspec.structs.asdict(counts)
    verdicts = {word.replace("_", "-"): n for word, n in named.items() if n}
    for word in ("servers", "changed"):
        verdicts.pop(word, None)
    # The words that it was asked for with may name servers of others, as its note does.
    return msgspec.structs.replace(
        run,
        spec=msgspec.structs.replace(run.spec, targets=(), limit=(), only=()),
        servers=max(servers, counts.servers),
        done=counts.servers,
        counts=verdicts,
        note="",
    )


def _begin(verb: str) -> str:
    """How the JSON of a specification with a verb begins: the first field is the verb."""
    return f'{{"verb":"{verb}"'


def seen(
    run: sa.ColumnElement[str], connection: sa.Connection, scopes: tuple[str, ...]
) -> sa.ColumnElement[bool]:
    """Whether a run has a server of these scopes, with a row or without one yet."""
    names = names_within(scopes, connection.dialect.name)
    return sa.or_(
        *(
            sa.exists().where(table.c.run == run, table.c.server.in_(names))
            for table in (RUN_SERVERS, ROWS)
        )
    )


def info_of(row: Sequence[Any]) -> RunInfo:
    """A line of the table, in the order of the fields."""
    values = dict(zip(RunInfo.__struct_fields__, row, strict=True))
    spec = msgspec.json.decode(values.pop("spec"), type=RunSpec)
    counts = msgspec.json.decode(values.pop("counts"), type=dict[str, int])
    return msgspec.convert({**values, "spec": spec, "counts": counts}, RunInfo)
