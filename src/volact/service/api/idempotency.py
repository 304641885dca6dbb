"""``Idempotency-Key``: a changing request that is sent twice is done once.

The first answer is kept for a day and given again.  A request with the same key that comes
while the first is at work gets 409, one with another content 422.  Errors of the service
itself are not kept, so that the request can be repeated; nor are answers of routes with
``secret`` in ``opt``: a second request gets 409 there.
"""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any, cast

import msgspec
from litestar.datastructures import Headers
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from volact.service.access import Actor
from volact.service.app import Parts
from volact.service.kept_answer import KeptAnswer

MOST_BODY = 10 * 1024 * 1024
_NOT_KEPT = (401, 403, 429)
_LONGEST = 255


class _Answer(msgspec.Struct, frozen=True, array_like=True):
    """An answer as it is kept."""

    headers: list[tuple[bytes, bytes]]
    body: bytes


class Idempotency(ASGIMiddleware):
    """Does a changing request with a key once."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """See ``ASGIMiddleware``."""
        key = Headers.from_scope(scope).get("idempotency-key", "")
        actor = cast(Actor | None, scope.get("user"))
        if (
            cast(HTTPScope, scope)["method"] in ("GET", "HEAD", "OPTIONS")
            or not key
            or actor is None
        ):
            await next_app(scope, receive, send)
            return
        if len(key) > _LONGEST or not key.isascii() or not key.isprintable():
            raise HTTPException("Idempotency-Key: 1 to 255 printable characters", status_code=400)
        body = await _whole(receive)
        parts: Parts = scope["litestar_app"].state.parts
        secret = bool(cast(HTTPScope, scope)["route_handler"].opt.get("secret"))
        digest = _digest(scope, actor, b"" if secret else body)  # it may hold a password
        request = _Request(parts, key, actor.user, digest, secret)
        kept = await asyncio.to_thread(request.begin)
        if kept is not None:
            await _replay(kept, send)
            return
        await _first(request, next_app, scope, _again(body, receive), send)


class _Request:
    """A request with a key."""

    def __init__(self, parts: Parts, key: str, user: str, digest: str, secret: bool) -> None:
        self._secret = secret
        self._digest = digest
        self._line = KeptAnswer(parts, key, user, digest)

    def begin(self) -> tuple[int, _Answer] | None:
        """The answer that is kept; ``None``: this request is the first."""
        return None if self._line.begin() else self._kept()

    def _kept(self) -> tuple[int, _Answer]:
        row = self._line.row()
        if row is not None and row.request != self._digest:
            raise HTTPException(
                "this Idempotency-Key was used for another request", status_code=422
            )
        if row is None or row.status is None:
            detail = "a request with this Idempotency-Key is at work, or its answer is not kept"
            raise HTTPException(detail, status_code=409, headers={"Retry-After": "1"})
        return row.status, msgspec.msgpack.decode(row.body, type=_Answer)

    def end(self, status: int, answer: _Answer) -> None:
        """Keep the answer, or forget the request where it may be repeated."""
        if status >= 500 or status in _NOT_KEPT:
            self._line.forget()
        elif status >= 400 or not self._secret:
            self._line.keep(status, msgspec.msgpack.encode(answer))


async def _first(
    request: _Request, next_app: ASGIApp, scope: Scope, receive: Receive, send: Send
) -> None:
    start: Any = {"status": 500, "headers": []}
    body = bytearray()

    async def heard(message: Message) -> None:
        nonlocal start
        if message["type"] == "http.response.start":
            start = message
        elif message["type"] == "http.response.body":
            body.extend(message["body"])
        await send(message)

    try:
        await next_app(scope, receive, heard)
    finally:
        answer = _Answer([*start["headers"]], bytes(body))
        await asyncio.to_thread(request.end, start["status"], answer)


async def _replay(kept: tuple[int, _Answer], send: Send) -> None:
    status, answer = kept
    headers = [*answer.headers, (b"idempotency-replayed", b"true")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body, "more_body": False})


async def _whole(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise HTTPException("the request ended early", status_code=400)
        body += message["body"]
        if len(body) > MOST_BODY:
            raise HTTPException("the body is too large", status_code=413)
        if not message.get("more_body"):
            return bytes(body)


def _again(body: bytes, receive: Receive) -> Receive:
    """The body that was read, once more; then what comes after it."""
    sent = False

    async def again() -> Any:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _digest(scope: Scope, actor: Actor, body: bytes) -> str:
    """The request; a narrower token of the same user asks for something else."""
    query = scope["query_string"].decode("latin-1")
    target = (
        f"{cast(HTTPScope, scope)['method']} {scope['path']}?{query}\n{actor.role} {actor.scopes}\n"
    )
    return hashlib.sha256(target.encode() + body).hexdigest()
