"""What handlers of the API share: the parts, the caller's scopes, filters, pages."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from contextlib import suppress
from datetime import datetime
from functools import cache
from typing import Annotated, Any, TypeVar

import msgspec
from litestar import Response
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException, ValidationException
from litestar.handlers.base import BaseRouteHandler
from litestar.params import FromQuery, PathParameter, QueryParameter
from litestar.serialization import encode_json

from volact.errors import ErrorKind, InputError
from volact.model.report import Verdict
from volact.queries.filters import ServerFilter
from volact.queries.pages import MOST, PageRequest
from volact.service.api.middleware import tag_of
from volact.service.caller import Asked, parts_of, scopes_of
from volact.service.language import speak
from volact.service.request_text import check_address
from volact.store.clock import moment
from volact.words import language

T = TypeVar("T")
_MOMENTS = ("_from", "_before", "since")
_NUMBER = re.compile(r"[+-]?[0-9.]+(e[+-]?[0-9]+)?", re.IGNORECASE)
Limit = Annotated[int, QueryParameter(ge=1, le=MOST, description="Items of a page.")]
Cursor = Annotated[str, QueryParameter(max_length=2000, description="`next` of the page before.")]
Id = Annotated[str, PathParameter(max_length=64)]
Words = list[Annotated[str, msgspec.Meta(min_length=1, max_length=255)]]


def page_request(limit: Limit = 100, cursor: Cursor = "") -> PageRequest:
    """Which page of a list."""
    return PageRequest(limit=limit, cursor=cursor)


def page_of_chosen(
    chosen: NamedDependency[ServerFilter],  # so that one follows the other: both at once cost tasks
    limit: Limit = 100,
    cursor: Cursor = "",
) -> PageRequest:
    """Which page of a list of servers."""
    return PageRequest(limit=limit, cursor=cursor)


def server_filter(  # noqa: PLR0913, PLR0917 - each is a parameter of the request
    request: Asked,
    name: Annotated[
        Words | None, QueryParameter(description="Name or glob; `!NAME`: without.")
    ] = None,
    tag: FromQuery[Words | None] = None,
    verdict: FromQuery[list[Verdict] | None] = None,
    finding: Annotated[Words | None, QueryParameter(description="Id of a finding.")] = None,
    cause: Annotated[
        Words | None, QueryParameter(description="Main cause: id of a finding, or `error:KIND`.")
    ] = None,
    error: FromQuery[list[ErrorKind] | None] = None,
    provider: Annotated[str, QueryParameter(max_length=255)] = "",
    kms_host: FromQuery[Words | None] = None,
    release: FromQuery[Words | None] = None,
    status: Annotated[Words | None, QueryParameter(description="Status of the licence.")] = None,
    ends_from: FromQuery[datetime | None] = None,
    ends_before: FromQuery[datetime | None] = None,
    overdue: FromQuery[bool | None] = None,
    examined_from: FromQuery[datetime | None] = None,
    examined_before: FromQuery[datetime | None] = None,
    seen_from: FromQuery[datetime | None] = None,
    seen_before: FromQuery[datetime | None] = None,
) -> ServerFilter:
    """The part of the fleet that a request means, within the caller's scopes."""
    return ServerFilter(
        names=tuple(name or ()),
        tags=tuple(tag or ()),
        verdicts=tuple(verdict or ()),
        findings=tuple(finding or ()),
        causes=tuple(cause or ()),
        errors=tuple(error or ()),
        provider=provider,
        kms_hosts=tuple(kms_host or ()),
        releases=tuple(release or ()),
        statuses=tuple(status or ()),
        ends_from=ends_from,
        ends_before=ends_before,
        overdue=overdue,
        examined_from=examined_from,
        examined_before=examined_before,
        seen_from=seen_from,
        seen_before=seen_before,
        scopes=scopes_of(request),
    )


def found(work: Callable[[], T]) -> T:
    """The answer; what is not there is not found."""
    try:
        return work()
    except InputError as error:
        raise NotFoundException(error.line()) from error


def paged(page: Callable[[], T]) -> T:
    """The page of a list; a cursor that is none of this list is the caller's mistake."""
    try:
        return page()
    except ValueError as error:
        raise ValidationException(str(error)) from error


async def shared(request: Asked, make: Callable[[], T]) -> Response[T]:
    """The answer of ``make``, made once for all who ask the same while nothing changes."""

    def made() -> tuple[Any, str]:
        body = encode_json(make())
        return body, tag_of(body)

    return _shared(await parts_of(request).shared.ask(_question(request), made))


def _question(request: Asked) -> Hashable:
    """What an answer depends on beside the database and the time."""
    scope = request.scope
    return scope["path"], scope["query_string"], request.user.scopes, language()


def _shared(answer: tuple[Any, str]) -> Response[Any]:
    body, tag = answer
    return Response(body, headers={"ETag": tag}, media_type="application/json")


def plain_name(part: str) -> str:
    """A name as it stands in a path: ``~1`` is a slash there, and ``~0`` a tilde."""
    return part.replace("~1", "/").replace("~0", "~")


@cache
def _parameters(handler: BaseRouteHandler) -> frozenset[str]:
    """The names of a route's query parameters."""
    model = handler.create_kwargs_model({})
    return frozenset(each.field_alias for each in model.expected_query_params)


async def readable(request: Asked) -> Response[Any] | None:
    """Refuse what is not as documented, and set the language of the answer.

    A ``before_request``; it answers what ``shared`` has an answer for.  Litestar alone passes over
    a filter or a field with a wrong name, which would mean the whole fleet, and takes 0 for false
    and 0.5 for a moment; what has a NUL no database keeps.
    """
    await speak(request)
    scope = request.scope
    if request.user is not None and scope["method"] == "GET":
        kept = await parts_of(request).shared.kept(_question(request))
        if kept is not None:
            return _shared(kept)
    check_address(request)
    known = _parameters(request.route_handler)
    for name, value in request.query_params.multi_items():
        if name not in known:
            raise ValidationException(f"{name[:100]}: there is no such parameter")
        if name.endswith(_MOMENTS):
            _require_moment(name, value)
    field = request.route_handler.parsed_data_field
    if field is None:
        return None
    body = await request.body()
    if b"\\u0000" in body:
        raise ValidationException("the body holds the character NUL")
    try:
        taken = msgspec.json.decode(body, type=field.annotation)
        given = msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise ValidationException(str(error)) from error
    taken = msgspec.to_builtins(taken, builtin_types=(datetime,))
    _require_fields(given, taken)
    return None


def _require_fields(given: Any, taken: Any, at: str = "") -> None:
    """Refuse what a body has and its structs have not: a wrong name would mean the default."""
    if isinstance(taken, datetime):
        _require_near(at, taken)
    elif isinstance(taken, dict):
        for name, value in given.items():
            if name not in taken:
                raise ValidationException(f"{at}{name[:100]}: there is no such field")
            _require_fields(value, taken[name], f"{at}{name}.")
    elif isinstance(taken, list | tuple):
        for value, known in zip(given, taken, strict=False):  # a set has each but once
            _require_fields(value, known, at)


def _require_moment(name: str, text: str) -> None:
    if _NUMBER.fullmatch(text):
        raise ValidationException(f"{name}: a number is no moment")
    with suppress(msgspec.ValidationError):  # which Litestar tells
        _require_near(name, msgspec.convert(text, datetime))


def _require_near(name: str, when: datetime) -> None:
    """A moment that is in no year from 1 to 9999 in UTC cannot be compared."""
    try:
        moment(when)
    except (OverflowError, ValueError) as error:
        raise ValidationException(
            f"{name.rstrip('.')}: not within the years 1 to 9999 of UTC"
        ) from error
