"""What was sent to servers, and its result."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa

from volact.queries.filters import named, names_within
from volact.queries.pages import Order, Page, PageRequest, Reader, page_of
from volact.queries.values import SentStep
from volact.store.encoding import decode_text
from volact.store.tables import RUNS, STEPS

_JSON = ("params", "because", "before", "seen_before", "after")
_COLUMNS = [STEPS.c[name] for name in SentStep.__struct_fields__]


class StepsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The steps of one run, by server and then by time, or of one server, the newest first.

    ``names`` narrows to servers, ``steps`` to kinds, ``scopes`` as in ``ServerFilter``.

    ``StepsQuery(run=id, steps=("install-key",)).page(store, PageRequest())``
    """

    run: str = ""
    server: str = ""
    names: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
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
        if self.names:
            query = query.where(named(STEPS.c.server, self.names, dialect))
        if self.scopes is not None:
            query = query.where(STEPS.c.server.in_(names_within(self.scopes, dialect)))
        return query.where(STEPS.c.step.in_(self.steps)) if self.steps else query


def _step(row: Any) -> SentStep:
    values = dict(zip(SentStep.__struct_fields__, row, strict=True))
    because = msgspec.json.decode(values["because"], type=tuple[str, ...])
    read = {name: decode_text(values[name]) for name in _JSON if name != "because"}
    return SentStep(**{**values, **read, "because": because})
