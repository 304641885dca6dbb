"""Lists of runs, one run as a whole, and the steps that runs sent to servers."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa

from volact.model.report import RunReport
from volact.queries.filters import names_within
from volact.queries.pages import Order, Page, PageRequest, Reader, page_of
from volact.queries.values import SentStep
from volact.store.encoding import decode_text
from volact.store.reading import RUN_COLUMNS, run_rows
from volact.store.tables import RUNS, STEPS
from volact.store.values import RunRow

_ORDER = Order((RUNS.c.begun, RUNS.c.id), newest_first=True)


class RunsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The runs, the newest first; only of some verbs.

    ``RunsQuery(commands=("activate", "undo")).page(store, PageRequest(limit=20))``
    """

    commands: tuple[str, ...] = ()

    def page(self, reader: Reader, request: PageRequest) -> Page[RunRow]:
        """One page; ``ValueError`` for a wrong limit or cursor."""
        query = sa.select(*RUN_COLUMNS)
        if self.commands:
            query = query.where(RUNS.c.command.in_(self.commands))

        def read(connection: sa.Connection) -> Page[RunRow]:
            found: Page[Any] = page_of(connection, query, _ORDER, request, tuple)
            return Page(items=tuple(run_rows(connection, found.items)), next=found.next)

        return reader.ask(read)


class RunReportQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The report of a run without its servers: its clusters, notes, and why it stopped.

    ``RunReportQuery(run=id).ask(store)``
    """

    run: str

    def ask(self, reader: Reader) -> RunReport | None:
        """``None`` for a run that never came to its end, and for no such run."""
        query = sa.select(RUNS.c.closing).where(RUNS.c.id == self.run)
        data = reader.ask(lambda connection: connection.execute(query).scalar())
        return None if data is None else msgspec.json.decode(data, type=RunReport)


_JSON = ("params", "because", "before", "seen_before", "after")
_COLUMNS = [STEPS.c[name] for name in SentStep.__struct_fields__]


class StepsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The steps of one run, by server and then by time, or of one server, the newest first.

    ``scopes`` as in ``ServerFilter``.

    ``StepsQuery(run=id).page(store, PageRequest())``
    """

    run: str = ""
    server: str = ""
    scopes: tuple[str, ...] | None = None

    def page(self, reader: Reader, request: PageRequest) -> Page[SentStep]:
        """One page, by one statement; ``ValueError`` for a wrong limit or cursor."""
        keys = (STEPS.c.server, STEPS.c.at, STEPS.c.run, STEPS.c.position)
        order = Order(keys, newest_first=bool(self.server))
        return reader.ask(
            lambda connection: page_of(connection, self._query(connection), order, request, _step)
        )

    def _query(self, connection: sa.Connection) -> sa.Select[Any]:
        query = sa.select(*_COLUMNS)
        dialect = connection.dialect.name
        if self.run:
            query = query.where(STEPS.c.run == self.run)
        if self.server:  # the key begins with the run
            runs = sa.select(RUNS.c.id)
            query = query.where(STEPS.c.server == self.server, STEPS.c.run.in_(runs))
        if self.scopes is not None:
            query = query.where(STEPS.c.server.in_(names_within(self.scopes, dialect)))
        return query


def _step(row: Any) -> SentStep:
    values = dict(zip(SentStep.__struct_fields__, row, strict=True))
    because = msgspec.json.decode(values["because"], type=tuple[str, ...])
    read = {name: decode_text(values[name]) for name in _JSON if name != "because"}
    return SentStep(**{**values, **read, "because": because})
