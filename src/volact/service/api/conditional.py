"""ETags: an answer that the caller has already is not sent again."""

from __future__ import annotations

import hashlib
from typing import Any, cast

from litestar.datastructures import Headers, MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

_PRIVATE = "private, no-cache"  # kept by the caller alone, and asked for each time


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
