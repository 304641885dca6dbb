"""``/servers``: lists, one server, its facts, its history, its changes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency, Provide
from litestar.exceptions import NotFoundException
from litestar.params import FromQuery, PathParameter

from volact.client.answers import ServerDetail, ServerFacts, ServerItem, ServerPage, StepPage
from volact.core.facts import read_facts
from volact.errors import AnswerError
from volact.queries.filters import ServerFilter
from volact.queries.history import HistoryQuery
from volact.queries.pages import PageRequest
from volact.queries.runs import StepsQuery
from volact.queries.servers import ServersQuery, status_row
from volact.queries.values import History, ServerState
from volact.service.access import Permission
from volact.service.api.asked import page_of_chosen, paged, plain_name, shared
from volact.service.caller import Asked, parts_of, server_of

_READ = {"permission": Permission.READ}
ServerName = Annotated[
    str,
    PathParameter(
        description="The server's name; `/` is written `~1` in it, `~` is `~0`.", max_length=255
    ),
]


def item_of(state: ServerState, now: datetime) -> ServerItem:
    """A server's state as of now, as the API shows it."""
    row = msgspec.structs.asdict(status_row(state, now))
    return ServerItem(**row, tags=state.tags, overdue=state.overdue)


@get(
    "/servers",
    opt=_READ,
    tags=["servers"],
    dependencies={"page": Provide(page_of_chosen, sync_to_thread=False)},
)
async def servers(
    request: Asked,
    chosen: NamedDependency[ServerFilter],
    page: NamedDependency[PageRequest],
    order: FromQuery[Literal["name", "ends", "seen"]] = "name",
) -> Response[ServerPage]:
    """The servers that the filters mean, each in its current state.

    Values of one filter are alternatives; different filters must all hold.  The order
    `ends` has only servers whose licence ends at a known time.
    """
    parts = parts_of(request)

    def make() -> ServerPage:
        now = parts.now()
        query = ServersQuery(now=now, filter=chosen, order=order)
        found = paged(lambda: query.page(parts.store, page))
        items = tuple(item_of(state, now) for state in found.items)
        return ServerPage(items=items, next=found.next)

    return await shared(request, make)


@get("/servers/{name:str}", opt=_READ, sync_to_thread=True, tags=["servers"])
def server(request: Asked, name: ServerName) -> ServerDetail:
    """One server, with the report of its newest examination."""
    name = plain_name(name)
    state, parts = server_of(request, name), parts_of(request)
    latest = next(iter(parts.store.latest([name])), None)
    row = latest and (latest.examined or latest.newest)
    return ServerDetail(
        server=item_of(state, parts.now()),
        report=row.report if row else None,
        report_run=row.run if row else "",
        report_at=row.at if row else "",
    )


@get("/servers/{name:str}/facts", opt=_READ, sync_to_thread=True, tags=["servers"])
def facts(request: Asked, name: ServerName) -> ServerFacts:
    """The facts of its newest examination, each known, absent or unreadable."""
    name = plain_name(name)
    state = server_of(request, name)
    run = state.examined_run or ""
    raw = parts_of(request).store.facts(run, name)
    if raw is None:
        raise NotFoundException("no facts of this server are kept")
    try:
        read = msgspec.to_builtins(read_facts(raw, None))
    except AnswerError:
        read = {}  # of a version that wrote them otherwise; ``raw`` has them
    return ServerFacts(run=run, facts=read, raw=raw)


@get("/servers/{name:str}/history", opt=_READ, sync_to_thread=True, tags=["servers"])
def history(
    request: Asked,
    name: ServerName,
    page: NamedDependency[PageRequest],
    since: FromQuery[datetime | None] = None,
) -> History:
    """Its examinations, the newest first, with what came and went since the one before."""
    name = plain_name(name)
    server_of(request, name)
    store = parts_of(request).store
    return paged(lambda: HistoryQuery(server=name, since=since).ask(store, page))


@get("/servers/{name:str}/changes", opt=_READ, sync_to_thread=True, tags=["servers"])
def changes(request: Asked, name: ServerName, page: NamedDependency[PageRequest]) -> StepPage:
    """Every step that was sent to it, with the values before and after, the newest first."""
    name = plain_name(name)
    server_of(request, name)
    store = parts_of(request).store
    found = paged(lambda: StepsQuery(server=name).page(store, page))
    return StepPage(items=found.items, next=found.next)


HANDLERS = [servers, server, facts, history, changes]
