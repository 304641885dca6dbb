"""Health: workers, database, versions, and what waits."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa
from litestar import get

from volact import __version__
from volact.queries.reader import Reader
from volact.service.access import Permission
from volact.service.console.page import Asked, Page, page, parts_of
from volact.service.database.tables import RUNS, WORKERS


@get("/health", opt={"permission": Permission.READ}, sync_to_thread=True)
def health(request: Asked) -> Page:
    """What works, what does not, and what waits."""
    parts = parts_of(request)
    with parts.store.snapshot() as snapshot:
        return page(
            request,
            "health.html.j2",
            version=__version__,
            database=parts.store.address.shown,
            kind=parts.store.engine.dialect.name,
            workers=_workers(snapshot),
            runs=_runs(snapshot),
        )


def _workers(reader: Reader) -> list[dict[str, Any]]:
    query = sa.select(WORKERS).order_by(WORKERS.c.host, WORKERS.c.id)
    found = reader.ask(lambda connection: connection.execute(query).mappings().all())
    return [{**row, "labels": msgspec.json.decode(row["labels"], type=list[str])} for row in found]


def _runs(reader: Reader) -> list[tuple[str, int]]:
    query = sa.select(RUNS.c.state, sa.func.count()).group_by(RUNS.c.state).order_by(RUNS.c.state)
    return reader.ask(lambda connection: [(state, n) for state, n in connection.execute(query)])


HANDLERS = (health,)
