"""Errors of the API as ``application/problem+json`` (RFC 9457), never a traceback."""

from __future__ import annotations

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException

from volact.client.wire import Problem
from volact.errors import InputError, StoreError, one_line
from volact.model.text import Text, say
from volact.words import tr

_LOG = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"


def problem(
    status: int, detail: str = "", hint: str = "", headers: dict[str, str] | None = None
) -> Response[Problem]:
    """The answer for an error."""
    title = HTTPStatus(status).phrase
    return Response(
        Problem(title=title, status=status, detail=_told(detail), hint=_told(hint)),
        status_code=status,
        media_type=MEDIA_TYPE,
        headers=headers,
    )


def _told(text: str) -> str:
    return one_line(tr(text) if isinstance(text, Text) else text, 500)


def on_http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[Problem]:
    """What Litestar or a handler refuses."""
    detail, headers = error.detail, {**(error.headers or {})}
    if isinstance(error, ValidationException) and isinstance(error.extra, list):
        wrong = (f"{item.get('key', '')}: {item.get('message', '')}" for item in error.extra)
        detail = "; ".join(wrong) or detail
    if error.status_code == HTTPStatus.UNAUTHORIZED:
        headers.setdefault("WWW-Authenticate", "Bearer")
    return problem(error.status_code, detail, headers=headers)


def on_input_error(request: Request[Any, Any, Any], error: InputError) -> Response[Problem]:
    """What the caller can mend: well-formed, but it cannot be done."""
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, error.message, error.hint)


def on_store_error(request: Request[Any, Any, Any], error: StoreError) -> Response[Problem]:
    """The database cannot be asked; a moment later it may."""
    _LOG.warning("%s %s: %s", request.method, request.scope["path"], error.line())
    headers = {"Retry-After": "5"}
    return problem(HTTPStatus.SERVICE_UNAVAILABLE, error.message, error.hint, headers)


def on_defect(request: Request[Any, Any, Any], error: Exception) -> Response[Problem]:
    """An error of volact: the log has it, the answer does not."""
    _LOG.error("%s %s", request.method, request.scope["path"], exc_info=error)
    return problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        say("This is an error of volact. The log of the service says what happened."),
    )


PROBLEMS: Any = {
    HTTPException: on_http_error,
    InputError: on_input_error,
    StoreError: on_store_error,
    Exception: on_defect,
}


def unrouted(page: Callable[..., Any] | None = None) -> Any:
    """Handlers of the whole application for what meets no route.

    Problems below ``/api/``; ``page`` answers elsewhere.
    """

    def on_unrouted(request: Request[Any, Any, Any], error: HTTPException) -> Any:
        if page is None or request.scope["path"].startswith("/api/"):
            return on_http_error(request, error)
        return page(request, error)

    return {HTTPException: on_unrouted}
