"""``/healthz``: the process answers.  ``/readyz``: it can work, too.  And who works."""

from __future__ import annotations

import logging
from typing import Any

import msgspec
import sqlalchemy as sa
from litestar import Request, Response, get

from volact import __version__
from volact.client.answers import Health
from volact.client.wire import WorkerInfo
from volact.errors import StoreError
from volact.service.access import Permission
from volact.service.app import Parts
from volact.service.database.tables import WORKERS
from volact.service.database.transaction import struct_of
from volact.service.run_list import RunListQuery
from volact.store.store import Store

_LOG = logging.getLogger("volact.service")
# A lock on no row: a PostgreSQL that is read-only refuses it, and nothing is written.
_WRITABLE = sa.select(WORKERS.c.id).where(sa.false()).with_for_update(read=True, key_share=True)
_PUBLIC = {"permission": Permission.PUBLIC}


@get("/healthz", opt=_PUBLIC, sync_to_thread=False, media_type="text/plain")
def healthz() -> str:
    """The process answers."""
    return "ok"


@get("/readyz", opt=_PUBLIC, sync_to_thread=True, media_type="text/plain")
def readyz(request: Request[Any, Any, Any]) -> Response[str]:
    """The database can be asked and written; 503 where not.  The reason is in the log alone."""
    parts: Parts = request.app.state.parts
    try:
        parts.store.ask(lambda connection: connection.execute(_WRITABLE).all())
    except StoreError as error:
        _LOG.warning("not ready: %s", error.line())
        return Response("the database cannot be used", status_code=503, media_type="text/plain")
    return Response("ready", media_type="text/plain")


def health_of(store: Store, seen: RunListQuery) -> Health:
    """The workers, and how many of the runs that are seen are in each state."""
    workers = sa.select(WORKERS).order_by(WORKERS.c.host, WORKERS.c.id)
    runs = seen.states_of(store)

    def ask(connection: sa.Connection) -> Health:
        return Health(
            volact=__version__,
            database=connection.dialect.name,
            workers=tuple(
                struct_of(row, WorkerInfo, labels=msgspec.json.decode(row.labels))
                for row in connection.execute(workers)
            ),
            runs=runs,
        )

    return store.ask(ask)


HANDLERS = [healthz, readyz]
