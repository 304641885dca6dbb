"""The API below ``/api/v1``: everything that the console does, for programs.

Handlers read a request, ask ``volact.queries`` or steer through ``run_control``, and answer
with structs of ``volact.client.wire``.  Who may call is ``access``'s and ``identity``'s.
"""

from litestar import Router
from litestar.di import Provide

from volact.service.api import inventories, openapi, planning, runs, servers
from volact.service.api.asked import page_request, server_filter
from volact.service.api.problems import PROBLEMS

HANDLERS = [
    Router(
        path=openapi.PATH,
        route_handlers=[openapi.openapi, *servers.HANDLERS, *runs.HANDLERS, *inventories.HANDLERS, *planning.HANDLERS],
        dependencies={
            "chosen": Provide(server_filter, sync_to_thread=False),
            "page": Provide(page_request, sync_to_thread=False),
        },
        exception_handlers=PROBLEMS,
    )
]

__all__ = ["HANDLERS"]
