"""Runs: the list, one run with its progress and its servers, and what steers it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from datetime import timedelta
from functools import partial
from typing import Any

from litestar import Response, get, post
from litestar.exceptions import NotFoundException, PermissionDeniedException
from litestar.params import FromPath
from litestar.response import ServerSentEvent, ServerSentEventMessage

from volact.client.wire import RunInfo
from volact.errors import InputError
from volact.model.error_text import error_text
from volact.queries.pages import PageRequest
from volact.queries.runs import RunReportQuery, RunsQuery
from volact.queries.servers import RunServersQuery
from volact.report.html_view import tiles
from volact.service.access import Actor, Permission
from volact.service.caller import (
    Asked,
    is_same_caller,
    may_steer,
    parts_of,
    run_of,
    scopes_of,
    seen_counts,
    seen_runs,
    stored_run,
    within,
)
from volact.service.console.once import once
from volact.service.console.page import HtmlPage, RefusedForm, form_of, fragment, go_to, page
from volact.service.console.planned import plan_groups
from volact.service.console.servers import one_page, search_of
from volact.service.console.words import ACTIVE, HALTED, actions_of
from volact.service.engine.control import EngineControl
from volact.service.run_waves import last_servers, waves_of
from volact.store.values import RunRow

_READ = {"permission": Permission.READ}
_RUN = {"permission": Permission.RUN}
_APPROVE = {"permission": Permission.APPROVE}


@get("/runs", opt=_READ, sync_to_thread=True)
def runs(request: Asked) -> HtmlPage:
    """What is at work, waits or ended early, then the runs that the store has, the newest first."""
    parts = parts_of(request)
    first = not request.query_params.get("cursor")
    found = one_page(request, partial(RunsQuery().page, parts.store))
    counts = seen_counts(request, found.items)
    active, ended = (
        seen_runs(request, states=states).page(parts.store, PageRequest(limit=50)).items
        for states in (ACTIVE, HALTED)
    )
    halted = [run for run in ended if run.requested > parts.now() - timedelta(days=1)]
    above = {run.id for run in (*active, *halted)} if first else set()
    shown = [run for run in found.items if run.id in counts and run.id not in above]
    return page(
        request,
        "runs.html.j2",
        active=active if first else (),
        halted=halted if first else (),
        waves=(),
        last=(),
        runs=[(run, counts[run.id]) for run in shown],
        next=found.next,
    )


@get("/reports", opt=_READ, sync_to_thread=True)
def reports(request: Asked) -> HtmlPage:
    """The formats that the report of a run can be downloaded in."""
    chosen = str(request.query_params.get("run", ""))
    found = one_page(request, partial(RunsQuery().page, parts_of(request).store))
    counts = seen_counts(request, found.items)
    return page(
        request,
        "reports.html.j2",
        chosen=known_run(request, chosen)[1] if chosen else None,
        runs=[(run, counts[run.id]) for run in found.items if run.id in counts],
        next=found.next,
    )


@get("/runs/{run:str}", opt=_READ, sync_to_thread=True)
def run(request: Asked, run: FromPath[str]) -> HtmlPage:
    """One run: how far it is, its counts, why it stopped, and its servers."""
    return run_page(request, run)


def run_page(request: Asked, run: str, refused: RefusedForm | None = None) -> HtmlPage:
    """The page of a run; ``refused`` is a request about it."""
    parts, search, filter = parts_of(request), search_of(request.query_params), within(request)
    info, stored = known_run(request, run)
    counts = stored and seen_counts(request, (stored,)).get(stored.id)
    actions = _actions(request, info) if info else ()
    # An approver may see all of its servers.
    only = info.spec.only if info and "approve" in actions else ()
    query = RunServersQuery(run=run, filter=within(request, search.filter(parts)))
    rows = one_page(request, partial(query.page, parts.store))
    return page(
        request,
        "run.html.j2",
        refused=refused,
        id=run,
        info=info,
        **(_far(request, info) if info else {}),
        stored=stored,
        actions=actions,
        planned=plan_groups(one.newest.report for one in parts.store.latest(only))[0],
        report=RunReportQuery(run=run).ask(parts.store) if filter.scopes is None else None,
        summary=counts,
        tiles=tiles(counts, None) if counts else [],
        rows=rows.items,
        next=rows.next,
        search=search,
    )


def _actions(request: Asked, info: RunInfo) -> tuple[str, ...]:
    """The buttons; who sees a part of the servers may retry these, and no more."""
    actions = actions_of(info, request.user)
    if not actions or may_steer(request, info):
        return actions
    return tuple(action for action in actions if action == "retry")


def known_run(request: Asked, run: str) -> tuple[RunInfo | None, RunRow | None]:
    """A run as the service and as the store know it; not found where the caller sees neither."""
    info, stored = seen_runs(request).find(parts_of(request).store, run), stored_run(request, run)
    if stored is not None and info is None and stored.id not in seen_counts(request, (stored,)):
        stored = None
    if info is None and stored is None:
        raise NotFoundException()
    return info, stored


@get("/runs/{run:str}/events", opt=_READ)
async def events(request: Asked, run: FromPath[str]) -> ServerSentEvent:
    """The progress of a run, each time that it changes, until its state is not the page's.

    Or until the caller is signed out or has other rights: the page is loaded again.
    """
    info = await asyncio.to_thread(run_of, request, run)
    return ServerSentEvent(_changes(request, info, request.query_params.get("state", info.state)))


async def _changes(
    request: Asked, info: RunInfo, state: str
) -> AsyncIterator[ServerSentEventMessage]:
    if info.state == state and state in ACTIVE:
        yield await _progress(request, info)
        async with aclosing(parts_of(request).feeds.read(info.id)) as found:
            async for progress in found:
                if not await is_same_caller(request):
                    break
                if progress is None:
                    yield ServerSentEventMessage(comment="nothing new")
                    continue
                before, info = info, await asyncio.to_thread(run_of, request, info.id)
                if info.state != state:
                    break
                if info != before:
                    yield await _progress(request, info)
    yield ServerSentEventMessage(data=info.state, event="end")


async def _progress(request: Asked, info: RunInfo) -> ServerSentEventMessage:
    far = await asyncio.to_thread(_far, request, info)
    html = fragment(request, "progress.html.j2", info=info, **far)
    return ServerSentEventMessage(data=html.replace("\n", " "), event="progress")


def _far(request: Asked, info: RunInfo) -> dict[str, Any]:
    """How far a run is, for ``progress.html.j2``."""
    store, scopes = parts_of(request).store, scopes_of(request)
    return {
        "waves": waves_of(store, info, scopes),
        "last": last_servers(store, info, scopes),
    }


async def _steered(
    request: Asked, run: str, work: Callable[[EngineControl, Actor], Awaitable[RunInfo]]
) -> Response[Any]:
    """What a button of the page does; the page again, with the reason, where it cannot be.

    Steering is for those who may reach all of the run's servers.
    """
    info = await asyncio.to_thread(run_of, request, run)
    if not await asyncio.to_thread(may_steer, request, info):
        raise PermissionDeniedException()
    return await _asked(request, run, work)


async def _asked(
    request: Asked, run: str, work: Callable[[EngineControl, Actor], Awaitable[RunInfo]]
) -> Response[Any]:
    async def steered() -> str:
        return f"/runs/{(await work(parts_of(request).runs, request.user)).id}"

    try:
        return go_to((await once(request, await form_of(request), steered))[0])
    except InputError as error:
        refused = RefusedForm(problem=error_text(error), code=409)
        return await asyncio.to_thread(run_page, request, run, refused)


@post("/runs/{run:str}/pause", opt=_RUN)
async def pause(request: Asked, run: FromPath[str]) -> Response[Any]:
    """Begin no more servers for now."""
    return await _steered(request, run, lambda control, actor: control.pause(run, actor))


@post("/runs/{run:str}/resume", opt=_RUN)
async def resume(request: Asked, run: FromPath[str]) -> Response[Any]:
    """Go on."""
    return await _steered(request, run, lambda control, actor: control.resume(run, actor))


@post("/runs/{run:str}/cancel", opt=_RUN)
async def cancel(request: Asked, run: FromPath[str]) -> Response[Any]:
    """Begin no more servers, and end."""
    return await _steered(request, run, lambda control, actor: control.cancel(run, actor))


@post("/runs/{run:str}/retry", opt=_RUN)
async def retry(request: Asked, run: FromPath[str]) -> Response[Any]:
    """A new run over what is not healthy, of the servers that the caller may reach."""
    await asyncio.to_thread(run_of, request, run)
    return await _asked(request, run, lambda control, actor: control.retry_failed(run, actor))


@post("/runs/{run:str}/approve", opt=_APPROVE)
async def approve(request: Asked, run: FromPath[str]) -> Response[Any]:
    """A second person agrees."""
    return await _steered(request, run, lambda control, actor: control.approve(run, actor))


@post("/runs/{run:str}/refuse", opt=_APPROVE)
async def refuse(request: Asked, run: FromPath[str]) -> Response[Any]:
    """A second person does not."""
    reason = (await form_of(request)).text("reason")[:1000]
    return await _steered(request, run, lambda control, actor: control.refuse(run, actor, reason))


HANDLERS = (runs, reports, run, events, pause, resume, cancel, retry, approve, refuse)
