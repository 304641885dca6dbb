"""The console: pages for a team, rendered by the server.

They ask ``volact.queries`` and the service's own modules, as the API does; forms call the
same functions.  Without JavaScript every page can be read.
"""

from litestar import Router

from volact.service.console import (
    assets,
    findings,
    fleet,
    health,
    inventories,
    new_run,
    people,
    runs,
    schedules,
    server,
    servers,
)
from volact.service.console.errors import HANDLERS_OF_ERRORS
from volact.service.request_text import read_request

HANDLERS = [
    Router(
        path="/",
        route_handlers=[
            assets.asset,
            *fleet.HANDLERS,
            *servers.HANDLERS,
            *server.HANDLERS,
            *runs.HANDLERS,
            *new_run.HANDLERS,
            *people.HANDLERS,
            *health.HANDLERS,
            *inventories.HANDLERS,
            *schedules.HANDLERS,
            *findings.HANDLERS,
        ],
        before_request=read_request,
        exception_handlers=HANDLERS_OF_ERRORS,
    )
]

__all__ = ["HANDLERS"]
