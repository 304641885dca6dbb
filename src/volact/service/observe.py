"""What a request leaves behind: an id, a line in the log, its duration in the metrics."""

from __future__ import annotations

import logging
import secrets
import time

from litestar.datastructures import MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from prometheus_client import CollectorRegistry, Histogram, Info, ProcessCollector

from volact import __version__
from volact.service.logs import context

_LOG = logging.getLogger("volact.service.requests")
OWN = CollectorRegistry()  # of this process
REQUESTS = Histogram(
    "volact_http_request_duration_seconds",
    "Time until a request was answered, by route and status.",
    ("method", "route", "status"),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
    registry=OWN,
)
Info("volact_build", "The version that runs.", registry=OWN).info({"version": __version__})
ProcessCollector(registry=OWN)
_QUIET = ("/healthz", "/readyz", "/metrics")


class Observer(ASGIMiddleware):
    """Observes every request that has a route.

    The log has the path alone: a query may hold the key of a one-time link.
    """

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Answer a request, and tell of it."""
        begun, status, id = time.perf_counter(), 500, secrets.token_hex(8)

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableScopeHeaders.from_message(message)["x-request-id"] = id
            await send(message)

        with context(request=id):
            try:
                await next_app(scope, receive, answer)
            except Exception as error:
                status = getattr(error, "status_code", 500)
                raise
            finally:
                _tell(scope, status, time.perf_counter() - begun)


def _tell(scope: Scope, status: int, taken_s: float) -> None:
    route, method = str(scope.get("path_template", "")), str(scope.get("method", ""))
    REQUESTS.labels(method, route, str(status)).observe(taken_s)
    client, user = scope.get("client"), scope.get("user")
    fields = {
        "route": route,
        "status": status,
        "duration_s": round(taken_s, 6),
        "address": client[0] if client else "",
        "actor": user.name if user else "",
    }
    level = logging.DEBUG if route in _QUIET else logging.INFO
    _LOG.log(level, "%s %s %d", method, scope["path"], status, extra={"fields": fields})
