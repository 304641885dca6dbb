"""What protects browsers: headers of every answer, and no changes asked for by other sites."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from litestar.exceptions import PermissionDeniedException
from litestar.handlers.base import BaseRouteHandler
from litestar.types import BeforeMessageSendHookHandler, Message, Scope

from volact.service.access import Actor
from volact.service.app import Connection, Parts
from volact.service.identity.authenticator import is_secure
from volact.service.settings import ServiceSettings

_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; font-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    # With "no-referrer" browsers hide the origin of forms, which same_origin needs.
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cache-control": "no-store",
}
_HSTS = {"strict-transport-security": "max-age=31536000"}
_READING = ("GET", "HEAD", "OPTIONS")


def secure_headers(settings: ServiceSettings) -> BeforeMessageSendHookHandler:
    """A hook that adds the headers; one that the answer has already stays."""
    headers = _HEADERS | (_HSTS if is_secure(settings) else {})
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]

    async def add(message: Message, scope: Scope) -> None:
        if message["type"] == "http.response.start":
            present = [*message["headers"]]
            names = {name.lower() for name, _ in present}
            message["headers"] = [*present, *(each for each in encoded if each[0] not in names)]

    return add


async def same_origin(connection: Connection, _: BaseRouteHandler) -> None:
    """A guard: browsers change something only from the service's own pages.

    They say where a request comes from, by ``Sec-Fetch-Site`` or ``Origin``, and pages of
    other sites cannot alter either; one that says neither is refused.  A token is in no
    browser, so a request with one needs neither.
    """
    actor: Actor | None = connection.scope.get("user")
    if connection.scope.get("method") in _READING or (actor and actor.via == "token"):
        return
    site = connection.headers.get("sec-fetch-site")
    if site is not None:
        own = site == "same-origin"
    else:
        own = _netloc(connection.headers.get("origin", "")) in _own(connection)
    if not own:
        raise PermissionDeniedException("this request comes from another site")


def _own(connection: Connection) -> set[str]:
    parts: Any | Parts = connection.app.state.parts
    return {connection.headers.get("host", ""), _netloc(parts.settings.public_url)} - {""}


def _netloc(url: str) -> str:
    try:
        return urlsplit(url).netloc
    except ValueError:
        return ""
