"""Runs: the list, and one run with its servers."""

from __future__ import annotations

from litestar import get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from volact.errors import InputError
from volact.model.report import Summary
from volact.queries.choices import RunCountsQuery
from volact.queries.runs import RunReportQuery, RunsQuery
from volact.queries.servers import RunServersQuery
from volact.report.html_view import tiles
from volact.service.access import Permission
from volact.service.console.page import Asked, Page, page, parts_of, within
from volact.service.console.servers import one_page, search_of
from volact.store.values import RunRow


@get("/runs", opt={"permission": Permission.READ}, sync_to_thread=True)
def runs(request: Asked) -> Page:
    """The runs, the newest first."""
    parts = parts_of(request)
    found = one_page(RunsQuery(), parts, request.query_params.get("cursor", ""))
    counts = seen_counts(request, found.items)
    return page(
        request,
        "runs.html.j2",
        runs=[(run, counts[run.id]) for run in found.items if run.id in counts],
        next=found.next,
        first=not request.query_params.get("cursor"),
    )


def seen_counts(request: Asked, found: tuple[RunRow, ...]) -> dict[str, Summary]:
    """The counts of runs, as far as the caller may see their servers."""
    filter = within(request)
    if filter.scopes is None:
        return {run.id: run.summary for run in found}
    ids = tuple(run.id for run in found)
    return RunCountsQuery(runs=ids, filter=filter).ask(parts_of(request).store)


@get("/runs/{run:str}", opt={"permission": Permission.READ}, sync_to_thread=True)
def run(request: Asked, run: FromPath[str]) -> Page:
    """One run: its counts, why it stopped, and its servers."""
    parts, search = parts_of(request), search_of(request.query_params)
    found = known_run(request, run)
    counts = seen_counts(request, (found,)).get(found.id)
    if counts is None:
        raise NotFoundException()
    filter = within(request, search.filter(parts))
    rows = one_page(
        RunServersQuery(run=found.id, filter=filter), parts, request.query_params.get("cursor", "")
    )
    return page(
        request,
        "run.html.j2",
        run=found,
        report=RunReportQuery(run=found.id).ask(parts.store) if filter.scopes is None else None,
        summary=counts,
        tiles=tiles(counts, None),
        rows=rows.items,
        next=rows.next,
        first=not request.query_params.get("cursor"),
        search=search,
    )


def known_run(request: Asked, run: str) -> RunRow:
    """A run by its whole id."""
    try:
        found = parts_of(request).store.find_run(run)
    except InputError as error:
        raise NotFoundException() from error
    if found.id != run:
        raise NotFoundException()
    return found


HANDLERS = (runs, run)
