"""Forms that change something: one transaction, with its line of the audit.

A form about something that is stored carries a mark of it as it was shown: what was changed
since by another is not overwritten.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, get_args

import msgspec
import sqlalchemy as sa
from litestar import Response

from volact.client.wire import Verb
from volact.errors import InputError
from volact.model.error_text import error_text
from volact.model.text import Text, listed, say
from volact.service import caller
from volact.service.caller import Asked
from volact.service.console.once import once
from volact.service.console.page import Form, HtmlPage, RefusedForm, form_of, go_to
from volact.service.identity.audit import Change

T = TypeVar("T")
_PLACE = re.compile(r" - at `\$\.([^`]+)`$")
_FIELDS: dict[str, Text] = {
    "variable": say("write the name of a variable that holds the URL, never the URL"),
    "verbs": say("write some of {words}", words=listed(get_args(Verb))),
}
_SIGNS: tuple[tuple[str, Text], ...] = (
    ("Expected `int` <=", say("it is too large")),
    ("Expected `int", say("write a whole number, 0 or more")),
    ("of length >=", say("it is empty")),
    ("of length <=", say("it is too long")),
)


class StaleFormError(InputError):
    """What a form is about was changed since the form was shown."""


async def changed(request: Asked, work: Callable[[Change, Form], T]) -> T:
    """What a form asks for is done."""
    form = await form_of(request)
    return await change(request, lambda change: work(change, form))


async def change(request: Asked, work: Callable[[Change], T]) -> T:
    """The same for what was read already."""
    return await asyncio.to_thread(caller.changed, request, work)


async def saved(
    request: Asked, work: Callable[[Change, Form], str], again: Callable[[RefusedForm], HtmlPage]
) -> Response[Any]:
    """Do what a form asks for and go where ``work`` says; where it cannot be, its page again."""
    form = await form_of(request)
    return await done_once(request, form, lambda: change(request, lambda it: work(it, form)), again)


async def done_once(
    request: Asked,
    form: Form,
    work: Callable[[], Awaitable[str]],
    again: Callable[[RefusedForm], HtmlPage],
) -> Response[Any]:
    """The same for a form that was read already, and for work that is more than one change."""
    try:
        return go_to((await once(request, form, work))[0])
    except StaleFormError as error:
        refused = RefusedForm(problem=error_text(error), code=409)
    except InputError as error:
        refused = RefusedForm(problem=error_text(error), form=form)
    return await asyncio.to_thread(again, refused)


def mark_of(stored: Any) -> str:
    """What a form says of the values that it was filled with."""
    return hashlib.sha256(msgspec.json.encode(stored, order="deterministic")).hexdigest()[:32]


def check_mark(form: Form, stored: Any) -> None:
    """``StaleFormError`` where the form was filled with other values than these."""
    if form.text("mark") != mark_of(stored):
        raise StaleFormError(
            say("This was changed since the page was loaded"),
            say("look at it as it is now, then make your change"),
        )


def locked(change: Change, table: sa.Table, condition: sa.ColumnElement[bool]) -> Any:
    """The row, which nothing else changes before this change.  SQLite has one writer."""
    query = sa.select(table).where(condition).with_for_update()
    return change.connection.execute(query).one_or_none()


def checked(kind: type[T], values: dict[str, Any]) -> T:
    """The values of a form as a struct; ``InputError`` for one that it cannot have."""
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        place = _PLACE.search(str(error))
        field = re.findall(r"[a-z]\w*", place[1])[-1] if place else ""
        raise InputError(_wanted(field, str(error)), where=field) from error


def _wanted(field: str, told: str) -> Text:
    """What a field takes, which was told in words for programmers."""
    return _FIELDS.get(field) or next(
        (wanted for sign, wanted in _SIGNS if sign in told), say("it cannot have this value")
    )
