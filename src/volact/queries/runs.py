"""Lists of runs, and one run as a whole."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from volact.model.report import RunReport
from volact.queries.pages import Order, Page, PageRequest, Reader, page_of
from volact.store.clock import moment
from volact.store.reading import RUN_COLUMNS, run_rows
from volact.store.tables import RUNS
from volact.store.values import RunRow

_ORDER = Order((RUNS.c.begun, RUNS.c.id), newest_first=True)


class RunsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The runs, the newest first; only of some verbs, or those that began in a time.

    ``RunsQuery(commands=("activate", "undo")).page(store, PageRequest(limit=20))``
    """

    commands: tuple[str, ...] = ()
    begun_from: datetime | None = None
    begun_before: datetime | None = None

    def page(self, reader: Reader, request: PageRequest) -> Page[RunRow]:
        """One page; ``ValueError`` for a wrong limit or cursor."""
        return reader.ask(self._reading(request))

    def _reading(self, request: PageRequest) -> Callable[[sa.Connection], Page[RunRow]]:
        def read(connection: sa.Connection) -> Page[RunRow]:
            found: Page[Any] = page_of(connection, self._query(), _ORDER, request, tuple)
            return Page(items=tuple(run_rows(connection, found.items)), next=found.next)

        return read

    def _query(self) -> sa.Select[Any]:
        query = sa.select(*RUN_COLUMNS)
        if self.commands:
            query = query.where(RUNS.c.command.in_(self.commands))
        if self.begun_from is not None:
            query = query.where(RUNS.c.begun >= moment(self.begun_from))
        if self.begun_before is not None:
            query = query.where(RUNS.c.begun < moment(self.begun_before))
        return query


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
