"""The end of a run: its state, rows for servers that were not begun, its report in the store."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from msgspec.structs import replace

from volact import __version__
from volact.client.wire import RunInfo, RunState
from volact.core.clusters import Clusters
from volact.model.report import ErrorRow, ServerReport
from volact.model.text import raw
from volact.report.base import Invocation
from volact.report.run_counts import RunCounts
from volact.service.database.tables import RUN_SERVERS
from volact.service.engine import progress
from volact.service.engine.live_run import run_start
from volact.service.engine.progress import NOTE
from volact.service.run_list import find_run
from volact.store import reading
from volact.store.clock import moment
from volact.store.encoding import readable
from volact.store.events import RunEnded, ServerDone
from volact.store.statements import EventBatch, write


def end_run(connection: sa.Connection, run: str, attempt: int, at: str) -> None:
    """End this attempt.

    A run stays that is paused, that another attempt goes on with, or whose servers wait for
    workers that reach them.
    """
    if progress.standing(connection, run).attempt != attempt:
        return
    if not progress.unfinished(connection, run):
        progress.move(connection, run, ["running"], state="done", note="")
    progress.move(connection, run, ["cancelling"], state="cancelled")
    info = find_run(connection, run)
    if info.state in ("done", "stopped", "cancelled", "failed"):
        progress.move(connection, run, (info.state,), ended=at)
        write_end(connection, info, at)


def fail_run(connection: sa.Connection, run: str, attempt: int, at: str, why: str) -> None:
    """End a run in which volact itself failed."""
    if progress.standing(connection, run).attempt == attempt:
        leaving: tuple[RunState, ...] = ("queued", "running", "cancelling")
        progress.move(connection, run, leaving, state="failed", note=readable(why)[:NOTE])
        end_run(connection, run, attempt, at)


def write_end(connection: sa.Connection, info: RunInfo, at: str) -> None:
    """Complete the run in the store: a row for every server, and its report."""
    begun = info.begun or info.requested
    batch = EventBatch(run_start(info), moment(begun), [*_not_begun(connection, info, at)])
    write(connection, batch, first=True, now=at)
    counts, clusters = RunCounts(), Clusters()
    for stored in reading.rows(connection, info.id):
        counts.add(stored.report)
        clusters.add(stored.report)
    how = Invocation(volact=__version__, command=info.spec.verb, run=info.id, started=moment(begun))
    elapsed_s = round((datetime.fromisoformat(at) - begun).total_seconds(), 3)
    notes = (info.note,) if info.note else ()
    report = how.end(counts.summary(), elapsed_s)
    report = replace(report, clusters=clusters.clusters(), notes=notes)
    ended = EventBatch(batch.run_start, batch.begun, [RunEnded(report)])
    write(connection, ended, first=False, now=at)


def _not_begun(connection: sa.Connection, info: RunInfo, at: str) -> list[ServerDone]:
    query = sa.select(RUN_SERVERS.c.server).where(
        RUN_SERVERS.c.run == info.id, RUN_SERVERS.c.verdict == ""
    )
    error = ErrorRow(kind="not-begun", message=raw(info.note or info.state))
    return [
        ServerDone(
            at,
            ServerReport(name=name, address="", provider=None, verdict="not-started", error=error),
        )
        for name in connection.execute(query).scalars()
    ]
