"""The list of servers: search, filters, pages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any, Literal, TypeVar, get_args

import msgspec
from litestar import get
from litestar.datastructures import MultiDict
from litestar.exceptions import NotFoundException

from volact.client.wire import ViewInfo
from volact.errors import ErrorKind, InputError
from volact.model.report import Verdict
from volact.model.text import say
from volact.queries.choices import Choices, ChoicesQuery
from volact.queries.filters import ServerFilter, is_glob
from volact.queries.pages import PageRequest
from volact.queries.servers import ServersQuery, status_row
from volact.service.access import Permission
from volact.service.app import Parts
from volact.service.caller import Asked, parts_of, within
from volact.service.console.page import Form, HtmlPage, RefusedForm, page
from volact.service.views import list_views

T = TypeVar("T")
_AT_ONCE = 50
_ORDERS: dict[str, Literal["ends", "seen"]] = {"ends": "ends", "seen": "seen"}
# What a view can say of the form's fields.
_FIELDS = {
    "search": ("names",),
    "verdict": ("verdicts",),
    "cause": ("causes", "errors"),
    "finding": ("findings",),
    "tag": ("tags",),
    "provider": ("provider",),
    "release": ("releases",),
    "kms_host": ("kms_hosts",),
}


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """What the form asks for, as it stands in the address."""

    search: str = ""
    verdict: str = ""
    cause: str = ""
    finding: str = ""
    tag: str = ""
    provider: str = ""
    release: str = ""
    kms_host: str = ""
    order: str = "name"
    ends_from: str = ""
    ends_before: str = ""

    @property
    def narrows(self) -> bool:
        """Whether it leaves servers out."""
        return msgspec.structs.replace(self, order="name") != Search()

    def filter(self, parts: Parts) -> ServerFilter:
        """The same as a filter; ``InputError`` for a wrong word."""
        now = parts.now()
        since, before = (_days(text) for text in (self.ends_from, self.ends_before))
        return ServerFilter(
            names=tuple(word if is_glob(word) else f"*{word}*" for word in self.search.split()),
            verdicts=(_verdict(self.verdict),) if self.verdict else (),
            tags=(self.tag,) if self.tag else (),
            provider=self.provider,
            releases=(self.release,) if self.release else (),
            kms_hosts=(self.kms_host,) if self.kms_host else (),
            ends_from=None if since is None else now + since,
            ends_before=None if before is None else now + before,
            findings=(self.finding,) if self.finding else (),
            causes=_causes(self.cause),
        )


def _causes(text: str) -> tuple[str, ...]:
    kind = text.removeprefix("error:")
    if kind != text and kind not in get_args(ErrorKind):
        raise InputError(say("there is no error {kind}", kind=kind))
    return (text,) if text else ()


def _verdict(text: str) -> Verdict:
    for word in get_args(Verdict):
        if word == text:
            return word  # type: ignore[no-any-return]
    raise InputError(say("there is no verdict {word}", word=text))


def _days(text: str) -> timedelta | None:
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 5:
        raise InputError(say("{text} is no number of days", text=text))
    return timedelta(days=int(text))


def search_of(query: MultiDict[Any]) -> Search:
    """What the address asks for."""
    words = [word for word in Search.__struct_fields__ if query.get(word)]
    return Search(**{word: str(query[word]).strip()[:255] for word in words})


def one_page(request: Asked, ask: Callable[[PageRequest], T], limit: int = _AT_ONCE) -> T:
    """A page of what is asked; ``InputError`` for a cursor that is not its own."""
    try:
        return ask(PageRequest(limit=limit, cursor=request.query_params.get("cursor", "")))
    except ValueError as error:
        raise InputError(say("this page does not exist"), say("Begin with the first.")) from error


@get("/servers", opt={"permission": Permission.READ})
async def servers(request: Asked) -> HtmlPage:
    """The servers that the form means, fifty at a time."""
    return await servers_page(request, search_of(request.query_params))


async def servers_page(
    request: Asked, search: Search, refused: RefusedForm | None = None
) -> HtmlPage:
    """The list of a search; ``refused`` is the form that would keep it as a view."""
    parts, whole = parts_of(request), within(request)

    def choose() -> Choices:
        return ChoicesQuery(now=parts.now(), filter=whole).ask(parts.store)

    choices = await parts.shared.ask(("choices", whole), choose)
    return await asyncio.to_thread(_servers, request, choices, search, refused)


def _servers(
    request: Asked, choices: Choices, search: Search, refused: RefusedForm | None
) -> HtmlPage:
    parts = parts_of(request)
    now, views = parts.now(), list_views(parts.store, request.user)
    view = _view(views, request.query_params.get("view", ""))
    asked = search.filter(parts)
    filter = within(request, narrowed(view.filter, asked) if view else asked)
    question = ServersQuery(now=now, filter=filter, order=_ORDERS.get(search.order, "name"))
    found = one_page(request, partial(question.page, parts.store))
    return page(
        request,
        "servers.html.j2",
        refused=refused,
        draft=(refused and refused.form) or Form({}),
        search=search,
        asked=msgspec.to_builtins(search) | {"view": view.id if view else ""},
        view=view,
        views=views,
        fixed=_fixed(view.filter) if view else (),
        rows=[(status_row(state, now), state.tags) for state in found.items],
        next=found.next,
        servers=question.count(parts.store),
        choices=choices,
    )


def _view(views: list[ViewInfo], id: str) -> ViewInfo | None:
    """The view of an address; not found where the caller sees none of that id."""
    if not id:
        return None
    for one in views:
        if one.id == id:
            return one
    raise NotFoundException("there is no such view")


def narrowed(view: ServerFilter, by: ServerFilter) -> ServerFilter:
    """Those of a view's servers that the form asks for; what the view says itself stays."""
    return msgspec.structs.replace(by, **{name: getattr(view, name) for name in _given(view)})


def _given(view: ServerFilter) -> list[str]:
    return [name for name in view.__struct_fields__ if getattr(view, name) not in ((), "", None)]


def _fixed(view: ServerFilter) -> tuple[str, ...]:
    """The fields of the form that the view says already."""
    given = _given(view)
    return tuple(word for word, names in _FIELDS.items() if {*names} & {*given})


HANDLERS = (servers,)
