"""``/runs``: lists, one run, its rows and changes; submitting and steering runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.datastructures import ResponseHeader
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException, PermissionDeniedException
from litestar.params import FromQuery, JSONBody, PathParameter, QueryParameter

from volact.client.answers import Reason, RunPage, RunServerPage, StepPage
from volact.client.wire import RunInfo, RunSpec, RunState, Verb
from volact.errors import InputError
from volact.queries.filters import ServerFilter
from volact.queries.pages import PageRequest
from volact.queries.runs import StepsQuery
from volact.queries.servers import RunServersQuery
from volact.service.access import Permission
from volact.service.api.asked import paged
from volact.service.caller import Asked, may_steer, parts_of, run_of, scopes_of, seen_runs
from volact.service.run_bounds import check_bounds

_READ = {"permission": Permission.READ}
_RUN = {"permission": Permission.RUN}
_APPROVE = {"permission": Permission.APPROVE}
RunId = Annotated[str, PathParameter(description="The run's id.", max_length=64)]


@get("/runs", opt=_READ, sync_to_thread=True, tags=["runs"])
def runs(
    request: Asked,
    page: NamedDependency[PageRequest],
    states: Annotated[list[RunState] | None, QueryParameter(name="state")] = None,
    verb: FromQuery[list[Verb] | None] = None,
    schedule: Annotated[str, QueryParameter(max_length=64)] = "",
) -> RunPage:
    """The service's runs, the newest first."""
    query = msgspec.structs.replace(
        seen_runs(request), states=tuple(states or ()), verbs=tuple(verb or ()), schedule=schedule
    )
    found = paged(lambda: query.page(parts_of(request).store, page))
    return RunPage(items=found.items, next=found.next)


@get("/runs/{run:str}", opt=_READ, sync_to_thread=True, tags=["runs"])
def run(request: Asked, run: RunId) -> RunInfo:
    """One run, and how far it is."""
    return run_of(request, run)


@get("/runs/{run:str}/rows", opt=_READ, sync_to_thread=True, tags=["runs"])
def rows(
    request: Asked,
    run: RunId,
    chosen: NamedDependency[ServerFilter],
    page: NamedDependency[PageRequest],
) -> RunServerPage:
    """The rows of its servers, by name.  `ends_…`, `examined_…` and `overdue` do not filter."""
    run_of(request, run)
    query = RunServersQuery(run=run, filter=chosen)
    found = paged(lambda: query.page(parts_of(request).store, page))
    return RunServerPage(items=found.items, next=found.next)


@get("/runs/{run:str}/changes", opt=_READ, sync_to_thread=True, tags=["runs"])
def run_changes(request: Asked, run: RunId, page: NamedDependency[PageRequest]) -> StepPage:
    """Every step that it sent to a server, with the values before and after."""
    run_of(request, run)
    query = StepsQuery(run=run, scopes=scopes_of(request))
    found = paged(lambda: query.page(parts_of(request).store, page))
    return StepPage(items=found.items, next=found.next)


@post(
    "/runs",
    opt=_RUN,
    tags=["runs"],
    response_headers=[ResponseHeader(name="Location", documentation_only=True)],
)
async def submit(request: Asked, data: JSONBody[RunSpec]) -> Response[RunInfo]:
    """Submit a run; it begins at once, unless a second person has to approve it."""
    check_bounds(data)
    made = await parts_of(request).runs.submit(data, request.user)
    return Response(made, headers={"Location": f"/api/v1/runs/{made.id}"})


def _whole(request: Asked, run: str) -> None:
    """Steering a run is for those who may reach all of its servers."""
    if not may_steer(request, run_of(request, run)):
        raise PermissionDeniedException("the run has servers outside of your scope")


async def _steered(work: Awaitable[RunInfo]) -> RunInfo:
    """The run after a request; one that its state does not fit is a conflict."""
    try:
        return await work
    except InputError as error:
        raise HTTPException(status_code=409, detail=error.line()) from error


@post("/runs/{run:str}/approve", opt=_APPROVE, status_code=200, tags=["runs"])
async def approve(request: Asked, run: RunId) -> RunInfo:
    """Agree to a run that awaits approval; not by who requested it."""
    await asyncio.to_thread(_whole, request, run)
    return await _steered(parts_of(request).runs.approve(run, request.user))


@post("/runs/{run:str}/refuse", opt=_APPROVE, status_code=200, tags=["runs"])
async def refuse(request: Asked, run: RunId, data: JSONBody[Reason]) -> RunInfo:
    """End a run that awaits approval."""
    await asyncio.to_thread(_whole, request, run)
    return await _steered(parts_of(request).runs.refuse(run, request.user, data.reason))


@post("/runs/{run:str}/pause", opt=_RUN, status_code=200, tags=["runs"])
async def pause(request: Asked, run: RunId) -> RunInfo:
    """Begin no more servers; those under way are finished."""
    await asyncio.to_thread(_whole, request, run)
    return await _steered(parts_of(request).runs.pause(run, request.user))


@post("/runs/{run:str}/resume", opt=_RUN, status_code=200, tags=["runs"])
async def resume(request: Asked, run: RunId) -> RunInfo:
    """Go on after a pause, or after a stop by its rules."""
    await asyncio.to_thread(_whole, request, run)
    return await _steered(parts_of(request).runs.resume(run, request.user))


@post("/runs/{run:str}/cancel", opt=_RUN, status_code=200, tags=["runs"])
async def cancel(request: Asked, run: RunId) -> RunInfo:
    """Begin no more servers and end; those under way are finished."""
    await asyncio.to_thread(_whole, request, run)
    return await _steered(parts_of(request).runs.cancel(run, request.user))


@post("/runs/{run:str}/retry", opt=_RUN, tags=["runs"])
async def retry(request: Asked, run: RunId) -> RunInfo:
    """A new run over the servers of this one that are not healthy."""
    await asyncio.to_thread(run_of, request, run)
    return await _steered(parts_of(request).runs.retry_failed(run, request.user))


HANDLERS = [
    runs, run, rows, run_changes, submit, approve, refuse, pause, resume, cancel, retry,
]  # fmt: skip
