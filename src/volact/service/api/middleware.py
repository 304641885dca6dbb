"""What every request of the API passes: its count, and the mark of its answer.

Each process counts by itself: of N processes a caller gets at most N times as many.  A
count in the database would be a write for every read.
"""

from __future__ import annotations

import hashlib
from math import ceil
from typing import Any, cast

from litestar.connection import ASGIConnection
from litestar.datastructures import Headers, MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.exceptions import TooManyRequestsException
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from volact.service.app import Parts

_WINDOW_S = 60
_PRIVATE = "private, no-cache"  # kept by the caller alone, and asked for each time


class RateLimits(ASGIMiddleware):
    """Counts requests by caller: a session or token, else an address; 429 beyond the limit."""

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


class EntityTags(ASGIMiddleware):
    """Marks answers to reads; 304 for a mark that ``If-None-Match`` has.  Streams pass."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """See ``ASGIMiddleware``."""
        if cast(HTTPScope, scope)["method"] not in ("GET", "HEAD"):
            await next_app(scope, receive, send)
            return
        known = Headers.from_scope(scope).get("if-none-match", "")
        start: Any = None

        async def marked(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and message["status"] == 200:
                start = message
                return
            if start is not None and message["type"] == "http.response.body":
                begin, start = start, None
                if not message.get("more_body"):
                    message = _mark(begin, message, known)
                await send(begin)
            await send(message)

        await next_app(scope, receive, marked)


def tag_of(body: bytes) -> str:
    """The mark of an answer."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def _mark(start: Any, body: Any, known: str) -> Any:
    headers = MutableScopeHeaders(start)
    tag = headers.get("ETag") or headers.setdefault("ETag", tag_of(body["body"]))
    headers.setdefault("Cache-Control", _PRIVATE)
    wanted = {word.strip().removeprefix("W/") for word in known.split(",")}
    if tag not in wanted and "*" not in wanted:
        return body
    start["status"] = 304
    for name in ("content-length", "content-type"):
        if name in headers:
            del headers[name]
    return {**body, "body": b""}
