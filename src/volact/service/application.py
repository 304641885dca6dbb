"""The whole application: every part's routes, behind the same headers and guards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from litestar import Litestar, Request, Response
from litestar.types import ControllerRouterHandler

from volact.client.wire import Problem
from volact.service import api, console, health, metrics
from volact.service.api.problems import problem, unrouted
from volact.service.app import Parts, make_app
from volact.service.console.errors import on_http_error
from volact.service.identity import routes
from volact.service.security import same_origin, secure_headers

HANDLERS: Sequence[ControllerRouterHandler] = [
    *health.HANDLERS,
    *metrics.HANDLERS,
    *routes.HANDLERS,
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
