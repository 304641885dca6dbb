"""``/runs/{run}/events``: the progress of a run as server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated

import msgspec
from litestar import get
from litestar.exceptions import ValidationException
from litestar.params import HeaderParameter
from litestar.response import Stream

from volact.client.answers import RunProgress
from volact.queries.filters import ServerFilter
from volact.queries.pages import MOST, PageRequest
from volact.queries.servers import RunServersQuery
from volact.service.access import Permission
from volact.service.api.runs import RunId
from volact.service.caller import Asked, is_same_caller, parts_of, run_of, scopes_of
from volact.service.run_feed import frame, newest_row, overlap_start, rows_since
from volact.service.run_waves import waves_of

# nginx and those that follow it pass each event on at once.
_UNBUFFERED = {"X-Accel-Buffering": "no"}


@get("/runs/{run:str}/events", opt={"permission": Permission.READ}, tags=["runs"])
async def events(
    request: Asked,
    run: RunId,
    last: Annotated[
        str,
        HeaderParameter(
            name="Last-Event-ID", max_length=64, description="`id` of the last event that came."
        ),
    ] = "",
) -> Stream:
    """The run's progress, as `text/event-stream`.

    `progress` has the run and the rows that are new, as `RunProgress`; the first comes at
    once, without rows, or with those since `Last-Event-ID`.  `end` is the last event of a run
    that is over.  A row may come twice.  The stream ends without it when the caller is signed
    out or has other rights.
    """
    if last:
        _moment(last)
    await asyncio.to_thread(run_of, request, run)
    frames = _frames(request, run, last)
    return Stream(frames, media_type="text/event-stream", headers=_UNBUFFERED)


def _moment(text: str) -> None:
    try:
        overlap_start(text)
    except (OverflowError, ValueError) as error:
        raise ValidationException("Last-Event-ID: no id of an event") from error


async def _frames(request: Asked, run: str, last: str) -> AsyncIterator[bytes]:
    newest: RunProgress | None = None
    async with aclosing(parts_of(request).feeds.read(run)) as found:
        async for progress in found:
            if not await is_same_caller(request):
                return
            if progress is None:
                yield frame(None)
            elif newest is None:  # what is stored after this comes by the feed
                first, id = await asyncio.to_thread(_first, request, progress, last)
                newest = await _seen(request, first)
                yield frame(newest, id=id)
            else:
                newest = await _seen(request, progress)
                yield frame(newest)
    if newest is not None:
        yield frame(msgspec.structs.replace(newest, rows=(), missed=False), "end")


def _first(request: Asked, progress: RunProgress, last: str) -> tuple[RunProgress, str]:
    """With the rows since ``last``, and the id from which a new connection goes on."""
    with parts_of(request).store.snapshot() as snapshot:
        rows = rows_since(snapshot, progress.run.id, last) if last else ()
        id = newest_row(snapshot, progress.run)
    return msgspec.structs.replace(progress, rows=tuple(rows)), id


async def _seen(request: Asked, progress: RunProgress) -> RunProgress:
    """The progress as far as the caller may see it."""
    if request.user.scopes is None:
        return progress
    return await asyncio.to_thread(_narrowed, request, progress)


def _narrowed(request: Asked, progress: RunProgress) -> RunProgress:
    run, names = progress.run.id, [row.name for row in progress.rows]
    seen: set[str] = set()
    for at in range(0, len(names), MOST):
        some = tuple(_exactly(name) for name in names[at : at + MOST])
        filter = ServerFilter(names=some, scopes=scopes_of(request))
        query = RunServersQuery(run=run, filter=filter)
        page = query.page(parts_of(request).store, PageRequest(limit=MOST))
        seen.update(row.name for row in page.items)
    info = run_of(request, run)
    waves = waves_of(parts_of(request).store, info, scopes_of(request))
    rows = tuple(row for row in progress.rows if row.name in seen)
    return msgspec.structs.replace(progress, run=info, rows=rows, waves=waves)


def _exactly(name: str) -> str:
    """A word of ``names`` that means this server, and perhaps others that are not in the list."""
    return name.replace("[", "?").replace("*", "?").replace("!", "?")


HANDLERS = [events]
