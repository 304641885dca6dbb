"""What was sent to servers, and its result."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa

from volact.queries.filters import named
from volact.queries.pages import Order, Page, PageRequest, page_of
from volact.queries.reader import Reader
from volact.queries.values import SentStep
from volact.store.encoding import decode_text
from volact.store.tables import STEPS

_JSON = ("params", "because", "before", "seen_before", "after")
_COLUMNS = [STEPS.c[name] for name in SentStep.__struct_fields__]


class StepsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The steps of one run, by server and then by time; only of some servers or kinds.

    ``StepsQuery(run=id, steps=("install-key",)).page(store, PageRequest())``
    """

    run: str
    names: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()

    def page(self, reader: Reader, request: PageRequest) -> Page[SentStep]:
        """One page, by one statement; ``ValueError`` for a wrong limit or cursor."""
        order = Order((STEPS.c.server, STEPS.c.at, STEPS.c.position))
        return reader.ask(
            lambda connection: page_of(connection, self._query(connection), order, request, _step)
        )

    def _query(self, connection: sa.Connection) -> sa.Select[Any]:
        query = sa.select(*_COLUMNS).where(STEPS.c.run == self.run)
        if self.names:
            query = query.where(named(STEPS.c.server, self.names, connection.dialect.name))
        return query.where(STEPS.c.step.in_(self.steps)) if self.steps else query


def _step(row: Any) -> SentStep:
    values = dict(zip(SentStep.__struct_fields__, row, strict=True))
    because = msgspec.json.decode(values["because"], type=tuple[str, ...])
    read = {name: decode_text(values[name]) for name in _JSON if name != "because"}
    return SentStep(**{**values, **read, "because": because})
