"""The OpenAPI 3.1 document of the API, made from its handlers and structs."""

from __future__ import annotations

from inspect import cleandoc
from typing import Any, cast

import msgspec
from litestar import Litestar, Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme
from litestar.routes import HTTPRoute

from volact import __version__
from volact.service.access import Permission
from volact.service.api.problems import MEDIA_TYPE

PATH = "/api/v1"
_DESCRIPTION = """\
Everything that the console does.  Lists come by pages: `next` of a page is `cursor` of the
request for the next.  Errors are problem documents (RFC 9457).  `Idempotency-Key` makes a
changing request safe to repeat; `If-None-Match` spares an answer that has not changed."""
_SCHEMES = {
    "token": SecurityScheme(
        type="http", scheme="bearer", description="A token of the service, shown once when made."
    ),
    "session": SecurityScheme(
        type="apiKey",
        name="__Host-volact",
        security_scheme_in="cookie",
        description="The console's session; a change needs the service's own `Origin`, too.",
    ),
}
_PROBLEMS = {
    "400": "The request cannot be read.",
    "401": "No sign-in, or a token that is wrong, ended or too old.",
    "403": "The caller's role does not allow this.",
    "404": "There is nothing of this name that the caller may see.",
    "409": "The present state does not fit the request.",
    "413": "The body is too large.",
    "422": "Well-formed, but it cannot be done.",
    "429": "Too many requests; `Retry-After` says when the next is accepted.",
    "503": "The database cannot be asked.",
}


def document(handlers: Any) -> dict[str, Any]:
    """The document of these handlers; only paths of the API."""
    config = OpenAPIConfig(
        title="volact",
        version=__version__,
        description=_DESCRIPTION,
        components=Components(security_schemes=dict(_SCHEMES)),
        security=[{name: []} for name in _SCHEMES],
    )
    app = Litestar(route_handlers=[*handlers], openapi_config=config, signature_types=[])
    made = msgspec.to_builtins(app.openapi_schema.to_schema())
    made["paths"] = {path: item for path, item in made["paths"].items() if path.startswith(PATH)}
    made["components"]["schemas"]["Problem"] = _problem_schema()
    for item in made["paths"].values():
        for operation in item.values():
            if isinstance(operation, dict):
                _complete(operation)
                _close(operation.get("requestBody"), made["components"]["schemas"])
    for route in app.routes:
        for handler in route.route_handlers if isinstance(route, HTTPRoute) else ():
            for method in handler.http_methods:
                _describe(made["paths"].get(route.path_format, {}).get(method.lower(), {}), handler)
    return cast(dict[str, Any], made)


def _describe(operation: dict[str, Any], handler: HTTPRouteHandler) -> None:
    """The docstring; Litestar's own option takes the one of its wrapper for threads."""
    text = cleandoc(getattr(handler.fn, "func", handler.fn).__doc__ or "")
    operation["summary"], _, more = text.partition("\n\n")
    if more:
        operation["description"] = more
    if handler.opt.get("session"):
        operation["security"] = [{"session": []}]


def _complete(operation: dict[str, Any]) -> None:
    """What every operation has: its problems, beside the answer."""
    for parameter in operation.get("parameters", ()):  # what is left out is no null
        some = parameter["schema"].pop("oneOf", ())
        for schema in some:
            if schema != {"type": "null"}:
                parameter["schema"] |= schema
    responses = operation.setdefault("responses", {})
    responses.pop("400", None)
    schema = {"$ref": "#/components/schemas/Problem"}
    for status, description in _PROBLEMS.items():
        content = {MEDIA_TYPE: {"schema": schema}}
        responses.setdefault(status, {"description": description, "content": content})


def _close(part: Any, schemas: dict[str, Any]) -> None:
    """A body has no other fields than its structs."""
    if isinstance(part, list):
        for each in part:
            _close(each, schemas)
    elif isinstance(part, dict):
        if "properties" in part:
            part["additionalProperties"] = False
        for each in part.values():
            _close(each, schemas)
        if "$ref" in part:
            _close(schemas[part["$ref"].rpartition("/")[2]], schemas)


def _problem_schema() -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["title", "status"],
        "properties": {
            "type": {"type": "string", "default": "about:blank"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "hint": {"type": "string", "description": "What to do."},
        },
        "examples": [{"title": "Not Found", "status": 404, "detail": "there is no such server"}],
    }


@get(
    "/openapi.json",
    opt={"permission": Permission.PUBLIC},
    media_type="application/vnd.oai.openapi+json",
    include_in_schema=False,
    sync_to_thread=False,
)
def openapi(request: Request[Any, Any, Any]) -> Response[dict[str, Any]]:
    """The document.  Public: it holds what the source code says, and nothing of the fleet."""
    state = request.app.state
    if "openapi" not in state:
        state["openapi"] = document(state.handlers)
    return Response(state["openapi"])
