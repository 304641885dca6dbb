"""Reports to download, plans by groups, stored runs, and two runs side by side."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import IO, Annotated, Literal, TextIO, cast

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromQuery, QueryParameter
from litestar.response import Stream

from volact import __version__
from volact.client.answers import PlanGroup, PlanGroups, PlanStep, StoredRunPage
from volact.core.main_cause import cause
from volact.model.report import ServerReport
from volact.queries.diff import DiffQuery
from volact.queries.pages import PageRequest
from volact.queries.runs import RunReportQuery, RunsQuery
from volact.queries.servers import RunServersQuery
from volact.queries.values import Diff
from volact.report.base import Invocation
from volact.report.make import make_writer
from volact.report.run_counts import RunCounts
from volact.report.words import step_words
from volact.service.access import Permission
from volact.service.api.asked import paged
from volact.service.api.runs import RunId
from volact.service.caller import Asked, parts_of, scopes_of, seen_counts, stored_run, within
from volact.store.values import RunRow

_READ = {"permission": Permission.READ}
_BLOCK = 64 * 1024
_MEMORY = 4 * 1024 * 1024
Format = Literal["json", "jsonl", "csv", "html", "junit", "prometheus"]
_TYPES: dict[Format, tuple[str, str]] = {
    "json": ("application/json", "json"),
    "jsonl": ("application/jsonl", "jsonl"),
    "csv": ("text/csv", "csv"),
    "html": ("text/html", "html"),
    "junit": ("application/xml", "xml"),
    "prometheus": ("text/plain; version=0.0.4", "prom"),
}


def _stored(request: Asked, run: str) -> RunRow:
    found = stored_run(request, run)
    if found is None or found.id not in seen_counts(request, (found,)):
        raise NotFoundException("no such run is stored")
    return found


def _counted(request: Asked, runs: tuple[RunRow, ...]) -> tuple[RunRow, ...]:
    """Those runs that have servers that the caller may see, with the counts of these."""
    if request.user.scopes is None:
        return runs
    counts = seen_counts(request, runs)
    return tuple(
        msgspec.structs.replace(run, summary=counts[run.id], note="", words="")
        for run in runs
        if run.id in counts
    )


@get("/stored-runs", opt=_READ, sync_to_thread=True, tags=["reports"])
def stored_runs(
    request: Asked,
    page: NamedDependency[PageRequest],
    command: FromQuery[list[Literal["check", "plan", "activate", "undo", "watch"]] | None] = None,
) -> StoredRunPage:
    """The runs of the store, those of the command line as well: the trend, by their counts."""
    store = parts_of(request).store
    found = paged(lambda: RunsQuery(commands=tuple(command or ())).page(store, page))
    return StoredRunPage(items=_counted(request, found.items), next=found.next)


@get("/stored-runs/{run:str}", opt=_READ, sync_to_thread=True, tags=["reports"])
def one_stored_run(request: Asked, run: RunId) -> RunRow:
    """One run of the store, by its whole id."""
    return _counted(request, (_stored(request, run),))[0]


@get("/diff", opt=_READ, sync_to_thread=True, tags=["reports"])
def diff(
    request: Asked,
    before: Annotated[str, QueryParameter(max_length=64, description="A run's id.")],
    after: Annotated[str, QueryParameter(max_length=64, description="The later run's id.")],
) -> Diff:
    """What changed from one run to another."""
    for run in (before, after):
        _stored(request, run)
    query = DiffQuery(before=before, after=after, scopes=scopes_of(request))
    return query.ask(parts_of(request).store)


@get("/runs/{run:str}/plan", opt=_READ, sync_to_thread=True, tags=["runs"])
def plan(request: Asked, run: RunId) -> PlanGroups:
    """What the run would change, or changed, by groups of servers with the same steps."""
    _stored(request, run)
    groups: dict[tuple[tuple[PlanStep, ...], str], list[str]] = {}
    healthy = 0
    for report in _rows(request, run):
        steps = tuple(map(_step, report.plan))
        if report.verdict == "healthy" and not steps:
            healthy += 1
            continue
        key = steps, "" if steps else cause(report)
        groups.setdefault(key, []).append(report.name)
    made = [
        PlanGroup(steps=steps, cause=why, count=len(names), servers=tuple(names))
        for (steps, why), names in groups.items()
    ]
    made.sort(key=lambda group: (not group.steps, -group.count))
    return PlanGroups(items=tuple(made), healthy=healthy)


def _step(step: dict[str, object]) -> PlanStep:
    because = step.get("because")
    words = tuple(map(str, because)) if isinstance(because, list | tuple) else ()
    do = str(step.get("do", ""))
    return PlanStep(do=do, label=step_words({"do": do}), because=words)


def _rows(request: Asked, run: str) -> Iterator[ServerReport]:
    """The reports of a run's servers that the caller may see, by name."""
    query = RunServersQuery(run=run, filter=within(request))
    return query.reports(parts_of(request).store)


@get("/runs/{run:str}/report", opt=_READ, sync_to_thread=True, tags=["reports"])
def report(
    request: Asked,
    run: RunId,
    format_: Annotated[Format, QueryParameter(name="format")] = "json",
) -> Stream:
    """The report of a run in a format of `--output` and `--report`."""
    found = _stored(request, run)
    media_type, suffix = _TYPES[format_]
    name = f"volact-{found.command}-{found.id}.{suffix}"
    return Stream(
        _blocks(_written(request, found, format_)),
        media_type=media_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _written(request: Asked, run: RunRow, format_: Format) -> IO[str]:
    """The report, in memory as long as it is small."""
    out = tempfile.SpooledTemporaryFile(  # noqa: SIM115 - closed by ``_blocks``
        max_size=_MEMORY, mode="w+", encoding="utf-8", newline=""
    )
    how = Invocation(volact=run.volact, command=run.command, run=run.id, started=run.started)
    writer, counts = make_writer(format_, cast(TextIO, out), how), RunCounts()
    for row in _rows(request, run.id):
        writer.add(row)
        counts.add(row)
    whole = scopes_of(request) is None
    end = RunReportQuery(run=run.id).ask(parts_of(request).store) if whole else None
    if end is None:
        end = how.end(counts.summary(), run.elapsed_s or 0.0)
        end = msgspec.structs.replace(end, volact=__version__)
    writer.finish(end)
    out.seek(0)
    return out


def _blocks(file: IO[str]) -> Iterator[str]:
    with file:
        while block := file.read(_BLOCK):
            yield block


HANDLERS = [stored_runs, one_stored_run, diff, plan, report]
