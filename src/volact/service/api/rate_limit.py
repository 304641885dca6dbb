"""How many requests a caller may send in a minute; ``429`` with ``Retry-After`` beyond that.

Each process counts by itself: of N processes a caller gets at most N times as many.  A
count in the database would be a write for every read.
"""

from __future__ import annotations

from math import ceil

from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.exceptions import TooManyRequestsException
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from volact.service.app import Parts

_WINDOW_S = 60


class RateLimits(ASGIMiddleware):
    """Counts requests by caller: a session or token, else an address."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """See ``ASGIMiddleware``."""
        state = scope["litestar_app"].state
        parts: Parts = state.parts
        now = parts.now().timestamp()
        window, counts = state.get("requests", (0, {}))
        if window != now // _WINDOW_S:
            window, counts = now // _WINDOW_S, {}
            state["requests"] = window, counts
        caller = _caller(ASGIConnection(scope))
        counts[caller] = counts.get(caller, 0) + 1
        if counts[caller] > parts.settings.requests_a_minute:
            left = str(ceil((window + 1) * _WINDOW_S - now))
            raise TooManyRequestsException(
                "too many requests in this minute", headers={"Retry-After": left}
            )
        await next_app(scope, receive, send)


def _caller(connection: ASGIConnection) -> str:  # type: ignore[type-arg]
    actor = connection.scope.get("user")
    if actor is not None:
        return f"{actor.user} {actor.session}"
    return connection.client.host if connection.client else ""
