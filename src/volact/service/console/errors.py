"""Errors as pages: what happened, and what to do next."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Any
from urllib.parse import quote, urlsplit

from litestar import Response
from litestar.exceptions import HTTPException, NotAuthorizedException
from litestar.response import Redirect
from litestar.routes import HTTPRoute

from volact.errors import InputError, StoreError
from volact.model.error_text import message_text
from volact.model.text import Text, say
from volact.service.caller import Asked, parts_of
from volact.service.console.page import page
from volact.service.language import language_of
from volact.service.logs import under_way
from volact.words import use

_LOG = logging.getLogger(__name__)
_SAID: dict[int, tuple[Text, Text]] = {
    400: (say("This request cannot be read"), say("Go back, correct it, and send it again.")),
    403: (
        say("Your role does not allow this"),
        say("Ask an administrator for a role that does, or for the servers in your scope."),
    ),
    404: (
        say("There is no such page"),
        say("It may have been deleted, or it is outside of your scope. Start at the fleet."),
    ),
    429: (say("Too many requests"), say("Wait a minute, then try again.")),
    503: (
        say("The database cannot be asked"),
        say("Nothing was changed. Check the database, then load the page again."),
    ),
}
_OTHER = (
    say("volact failed"),
    say("This is an error of volact. The log of the service says what happened."),
)


def _titled(status: int) -> tuple[Text, Text]:
    return _SAID.get(status) or (_SAID[400] if 400 <= status < 500 else _OTHER)


def on_http_error(request: Asked, error: HTTPException) -> Response[Any]:
    """The page of a status; who is not signed in goes to the sign-in page."""
    if isinstance(error, NotAuthorizedException):
        wanted = _wanted(request)
        return Redirect(f"/sign-in?next={quote(wanted, safe='')}", status_code=303)
    return _page(request, error.status_code, "")


def _wanted(request: Asked) -> str:
    """The page to show after the sign-in: of what was to be changed, the one it was asked from."""
    path = quote(request.scope["path"])
    query = request.scope["query_string"].decode("latin-1")
    if request.method not in ("GET", "HEAD"):
        query = ""
        own = {
            request.headers.get("host", ""),
            urlsplit(parts_of(request).settings.public_url).netloc,
        }
        with suppress(ValueError):
            came = urlsplit(request.headers.get("referer", ""))
            if came.netloc in own - {""}:
                path, query = came.path, came.query
    asked = path
    while path != "/" and not _is_page(request, path):
        path = path.rpartition("/")[0] or "/"
    return f"{path}?{query}" if query and path == asked else path


def _is_page(request: Asked, path: str) -> bool:
    words = path.split("/")
    pages = (
        route.path_format.split("/")
        for route in request.app.routes
        if isinstance(route, HTTPRoute) and "GET" in route.methods
    )
    return any(
        len(parts) == len(words)
        and all(part == word or part[:1] == "{" for part, word in zip(parts, words, strict=True))
        for parts in pages
    )


def on_input_error(request: Asked, error: InputError) -> Response[Any]:
    """What the user can mend, in volact's words."""
    return _page(request, 400, message_text(error), error.hint)


def on_store_error(request: Asked, error: StoreError) -> Response[Any]:
    """The database does not answer."""
    return _page(request, 503, message_text(error), error.hint)


def on_defect(request: Asked, error: Exception) -> Response[Any]:
    """An error of volact: the log has it, the page does not."""
    _LOG.error("%s %s", request.method, request.scope["path"], exc_info=error)
    return _page(request, 500, "")


def _page(request: Asked, status: int, detail: str, hint: str = "") -> Response[Any]:
    use(language_of(request))
    title, todo = _titled(status)
    return page(
        request,
        "error.html.j2",
        code=status,
        title=title,
        todo=hint or todo,
        detail=detail,
        logged=under_way("request") if status == 500 else "",
    )


HANDLERS_OF_ERRORS: Any = {
    HTTPException: on_http_error,
    InputError: on_input_error,
    StoreError: on_store_error,
    500: on_defect,
}
