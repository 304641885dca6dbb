"""The API below ``/api/v1``: everything that the console does, for programs.

Handlers read a request, ask ``volact.queries`` or steer through ``engine.control``, and answer
with structs of ``volact.client``.  Who may call is ``access``'s and ``identity``'s.
"""

from litestar import Router
from litestar.di import Provide

from volact.service.api import (
    events,
    fleet,
    inventories,
    openapi,
    people,
    planning,
    reports,
    runs,
    servers,
)
from volact.service.api.asked import page_request, readable, server_filter
from volact.service.api.idempotency import MOST_BODY, Idempotency
from volact.service.api.middleware import EntityTags, RateLimits
from volact.service.api.problems import PROBLEMS

HANDLERS = [
    Router(
        path=openapi.PATH,
        route_handlers=[
            openapi.openapi,
            *fleet.HANDLERS,
            *servers.HANDLERS,
            *runs.HANDLERS,
            *events.HANDLERS,
            *reports.HANDLERS,
            *inventories.HANDLERS,
            *planning.HANDLERS,
            *people.HANDLERS,
        ],
        dependencies={
            "chosen": Provide(server_filter, sync_to_thread=False),
            "page": Provide(page_request, sync_to_thread=False),
        },
        before_request=readable,
        exception_handlers=PROBLEMS,
        middleware=[RateLimits(), EntityTags(), Idempotency()],
        request_max_body_size=MOST_BODY,
    )
]

__all__ = ["HANDLERS"]
