"""The controller of a run: rows go to reports and store, signals stop it, an exit code ends it.

The verbs choose what is done; here it is shown, counted and written.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass

import msgspec
import typer

from volact.cli.console import wants_colour
from volact.cli.failure import FAILED, INTERRUPTED, tell
from volact.cli.fleet_options import Fleet, files_read
from volact.cli.options.servers import ServerOptions
from volact.cli.progress import Progress, make_progress, shown
from volact.cli.rollout import RolloutSummary, announce_drain, control_of
from volact.cli.run_store import RunStore, open_run_store
from volact.cli.runtime import ignore_signal, on_signals, stop_on_signals, unhandled_signals
from volact.cli.sinks import Sinks, parse_reports, stdout_writer
from volact.core.clusters import Clusters
from volact.fleet import Control, needs_plans_first, run_fleet
from volact.fleet.runs import Rows
from volact.model.report import RunReport, ServerReport
from volact.model.text import Text, say
from volact.notify.channels import Channel, open_channels, send_to_all
from volact.pipeline.job import CHANGING
from volact.report.base import Writer
from volact.report.message import message_of
from volact.report.run_counts import ALL_WELL, RunCounts
from volact.words import tr

DOING = {
    "check": say("checking"),
    "plan": say("planning for"),
    "activate": say("activating"),
    "undo": say("undoing"),
}


@dataclass(frozen=True, kw_only=True)
class RunListeners:
    """Callbacks of a run, beside its reports."""

    end: Callable[
        [RunReport, RunCounts], bool
    ]  # at the end; returns whether all messages were sent
    row: Callable[[ServerReport], object] = lambda row: None  # for each row
    outlast_reports: bool = False  # the run goes on for them when no report is read any more


class RunController:
    """One run, from its first row to its exit code."""

    def __init__(  # noqa: PLR0913  (one argument for each part)
        self,
        fleet: Fleet,
        sinks: Sinks,
        progress: Progress,
        control: Control,
        *,
        listeners: RunListeners,
        store: RunStore,
    ) -> None:
        self.fleet = fleet
        self._store = store
        self.progress = progress
        self._listeners = listeners
        self.counts = RunCounts()
        self._clusters = Clusters()
        self._sinks = sinks
        self._control = control
        self._begun = time.monotonic()
        self._stop, self._drain = asyncio.Event(), asyncio.Event()
        self._rollout = RolloutSummary()
        self._unread = False
        self._changing = False
        self._notes: list[str] = []

    @contextmanager
    def stoppable(self, *, probing: bool = False) -> Iterator[Control]:
        """Stop the run on Ctrl-C inside the block; every server still gets its row.

        Probes are cancelled at once.  Changes under way are finished first; the second
        Ctrl-C cancels them.
        """
        changing = self.fleet.job.mode in CHANGING and not probing
        steps = (self._drain, self._stop) if changing else (self._stop,)
        self._changing |= changing
        control = self._control if changing else self._control.without_rollout()
        with stop_on_signals(*steps, on_signal=announce_drain if changing else ignore_signal):
            yield msgspec.structs.replace(
                control, stop=self._stop, drain=self._drain, on_event=self._rollout.on_event
            )

    @property
    def plans_first(self) -> bool:
        """Whether all servers are planned for before the first is changed."""
        return needs_plans_first(self.fleet.job, self._control)

    @property
    def stopped(self) -> bool:
        """Whether the run was stopped by a signal."""
        return self._stop.is_set() or self._drain.is_set()

    def on_signal(self, *_: object) -> None:
        """Stop the run while no server is worked on; the second time, end at once."""
        if self._stop.is_set():
            raise KeyboardInterrupt
        self._stop.set()

    def confirm(self, question: Text) -> bool:
        """Ask on standard error; a signal instead of an answer means no and stops the run.

        Rows that are finished by then still go to the reports and the store.
        """
        try:
            with on_signals(signal.default_int_handler):
                return not self.stopped and typer.confirm(tr(question), default=False, err=True)
        except (typer.Abort, KeyboardInterrupt):
            sys.stderr.write("\n")  # the line of the question is still open
            self._stop.set()
            return False

    def take(self, row: ServerReport) -> None:
        """Count and write a finished row."""
        self.counts.add(row)
        self._clusters.add(row)
        self._sinks.add(row)
        self._store.row(row)
        self._rollout.count(row)
        self._listeners.row(row)
        needed = self._sinks.reading or self._listeners.outlast_reports
        if not needed and self.fleet.job.mode not in CHANGING:
            self._unread = True  # no output is left to write to; a run that changes servers goes on
            self._stop.set()

    def note(self, text: str) -> None:
        """Add a note on the run itself to every report, once."""
        if text not in self._notes:
            self._notes.append(text)

    def rollout(self, words: str, *, keeps: bool) -> None:
        """The options that the next run needs to continue this rollout."""
        self._rollout.set_resume(words, keeps=keeps)

    async def show(self, total: int, rows: Rows) -> None:
        """Take every row and show progress."""
        doing = DOING[self.fleet.job.mode]
        async with aclosing(rows):
            with shown(self.progress, doing, total) as progress:
                async for row in rows:
                    self.take(row)
                    progress.done(row)
                    await self._store.room()

    def finish(self) -> int:
        """Complete every report; the exit code."""
        how = self.fleet.how
        end = how.end(self.counts.summary(), round(time.monotonic() - self._begun, 3))
        clusters, notes = self._clusters.clusters(), tuple(self._notes)
        run = msgspec.structs.replace(end, clusters=clusters, notes=notes)
        run = self._rollout.add_to(run, how)
        if trouble := self._store.finish(run):
            run = msgspec.structs.replace(run, notes=(*run.notes, trouble))
        whole = self._sinks.finish(run)
        whole = self._store.print_outcome() and whole
        if self._unread:
            return FAILED
        whole = self._listeners.end(run, self.counts) and whole
        if self.stopped:
            tell(self._interrupted())
            return INTERRUPTED
        return self.counts.exit_code() or (ALL_WELL if whole else FAILED)

    def _interrupted(self) -> Text:
        if self.fleet.job.mode in CHANGING and not self._changing:
            return say("interrupted; nothing was changed on the servers")
        return say("interrupted; the servers listed above are finished or were stopped")


@contextmanager
def open_run(
    options: ServerOptions,
    fleet: Fleet,
    output: str,
    writer: Writer | None = None,
    listeners: RunListeners | None = None,
) -> Iterator[RunController]:
    """Open reports, store and progress of a run; no server is contacted yet.

    Reports that are not complete at the end of the block are discarded.

    Args:
        options: the options of the verb.
        fleet: servers and job, as ``fleet_of`` makes them.
        output: the format on standard output.
        writer: instead of the usual report on standard output.
        listeners: instead of the channels of ``--notify``.

    Raises ``InputError`` for a report that cannot be written.
    """
    listeners = listeners or to_channels(open_channels(options.notify))
    reports = parse_reports(options.report, files_read(options))
    rows = writer or stdout_writer(output, fleet.how, options.verbose)
    streams = output != "text" and sys.stdout.isatty()
    progress = make_progress(
        sys.stderr,
        wanted=not options.no_progress and not streams,
        live=wants_colour(sys.stderr),
        verbose=options.verbose,
    )
    control = control_of(options)
    store = open_run_store(options.store, options.no_store, fleet.how, fleet.servers)
    job = msgspec.structs.replace(fleet.job, recorder=store.recorder)
    fleet = msgspec.structs.replace(fleet, job=job)
    sinks = Sinks(rows, reports, fleet.how)
    run = RunController(fleet, sinks, progress, control, listeners=listeners, store=store)
    store.begin()
    # Also while the run ends: its rows are not lost to a signal that comes then.
    with on_signals(run.on_signal, unhandled_signals()):
        try:
            yield run
        finally:
            sinks.discard()
            store.abandon()


def to_channels(channels: Sequence[Channel]) -> RunListeners:
    """Listeners that send a message at the end of the run."""

    def end(run: RunReport, counts: RunCounts) -> bool:
        message = message_of(run, counts.causes, counts.repaired)
        return not channels or send_to_all(channels, message, tell)

    return RunListeners(end=end)


async def run_through(run: RunController) -> int:
    """Run in one pass over every server; the exit code."""
    fleet = run.fleet
    with run.stoppable() as control:
        rows = run_fleet(fleet.servers, fleet.opener, fleet.job, control)
        await run.show(len(fleet.servers), rows)
    return run.finish()
