"""``/healthz``: the process answers.  ``/readyz``: it can work, too."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from litestar import Request, Response, get

from volact.errors import StoreError
from volact.service.access import Permission
from volact.service.app import Parts

_PUBLIC = {"permission": Permission.PUBLIC}


@get("/healthz", opt=_PUBLIC, sync_to_thread=False, media_type="text/plain")
def healthz() -> str:
    """The process answers."""
    return "ok"


@get("/readyz", opt=_PUBLIC, sync_to_thread=True, media_type="text/plain")
def readyz(request: Request[Any, Any, Any]) -> Response[str]:
    """The database answers; 503 where it does not.  The reason is in the log alone."""
    parts: Parts = request.app.state.parts
    try:
        parts.store.ask(lambda connection: connection.execute(sa.select(1)).scalar())
    except StoreError:
        return Response("the database cannot be asked", status_code=503, media_type="text/plain")
    return Response("ready", media_type="text/plain")


HANDLERS = [healthz, readyz]
