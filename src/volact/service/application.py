"""The whole application: every part's routes, behind the same headers and guards.

Browsers are protected by headers of every answer, and by no changes for other sites.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from litestar import Litestar, Request, Response, Router
from litestar.exceptions import PermissionDeniedException
from litestar.handlers.base import BaseRouteHandler
from litestar.types import BeforeMessageSendHookHandler, ControllerRouterHandler, Message, Scope

from volact.client.wire import Problem
from volact.service import api, console, health, metrics
from volact.service.access import Actor
from volact.service.api.problems import problem, unrouted
from volact.service.app import Connection, Parts, make_app
from volact.service.console.errors import HANDLERS_OF_ERRORS, on_http_error
from volact.service.identity import oidc_pages, pages
from volact.service.identity.authenticator import is_secure
from volact.service.request_text import read_request
from volact.service.settings import ServiceSettings

HANDLERS: Sequence[ControllerRouterHandler] = [
    *health.HANDLERS,
    *metrics.HANDLERS,
    Router(  # sign-in, and one's own account
        "/",
        route_handlers=[*pages.HANDLERS, *oidc_pages.HANDLERS],
        before_request=read_request,
        # Open without a sign-in: names, passwords and keys are small.
        request_max_body_size=64 * 1024,
        exception_handlers=HANDLERS_OF_ERRORS,
    ),
    *console.HANDLERS,
    *api.HANDLERS,
]


def application(parts: Parts, more: Sequence[ControllerRouterHandler] = ()) -> Litestar:
    """The application that ``volact serve`` runs."""
    return make_app(
        parts,
        [*HANDLERS, *more],
        guards=[same_origin],
        before_send=[secure_headers(parts.settings)],
        exception_handlers={**unrouted(on_http_error), RecursionError: _on_nested},
    )


def _on_nested(_: Request[Any, Any, Any], __: RecursionError) -> Response[Problem]:
    """A body whose lists are nested too deeply for the JSON reader."""
    return problem(400, "the body is nested too deeply")


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
