"""Conducting a run: rows from the fleet to the reports, and the exit code at the end.

The verbs say what is to be done; here it is watched, counted and written.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from types import TracebackType

import msgspec

from volact.cli.console import columns_of, use_stdout, wants_colour
from volact.cli.failure import FAILED, INTERRUPTED, tell
from volact.cli.fleet_options import Fleet
from volact.cli.keeping import Keeping, keeping
from volact.cli.notify import Channel, channels_of, tell_everyone
from volact.cli.options.servers import ServerOptions
from volact.cli.progress import Progress, Showing, make_progress
from volact.cli.rollout import Rollout, say_finishing, without_rollout
from volact.cli.rollout_options import control_of
from volact.cli.runtime import stoppable, untold
from volact.cli.sinks import Sinks, parse_reports
from volact.core.clusters import Clusters
from volact.fleet import Control, apply_fleet, run_fleet
from volact.model.report import RunReport, ServerReport
from volact.model.text import say
from volact.pipeline.job import CHANGING, Outcome
from volact.report.base import Invocation, Writer
from volact.report.make import Look, make_writer
from volact.report.message import message_of
from volact.report.tally import ALL_WELL, Tally

Rows = AsyncGenerator[ServerReport, None]
_DOING = {
    "check": say("looking at"),
    "plan": say("planning for"),
    "activate": say("activating"),
    "undo": say("undoing"),
}


@dataclass(frozen=True, kw_only=True)
class Ears:
    """Who hears of a run beside its reports."""

    end: Callable[[RunReport, Tally], bool]  # when it is over; whether everyone could be told
    row: Callable[[ServerReport], object] = lambda row: None  # whatever becomes of the reports


class Conductor:
    """One run: its reports, its counts, its time and its end."""

    def __init__(  # noqa: PLR0913  (one argument for each that is told of it)
        self,
        fleet: Fleet,
        sinks: Sinks,
        progress: Progress,
        control: Control,
        *,
        ears: Ears,
        keep: Keeping,
    ) -> None:
        self.fleet = fleet
        self._keep = keep
        self.progress = progress
        self._ears = ears
        self.tally = Tally()
        self._clusters = Clusters()
        self._sinks = sinks
        self._control = control
        self._begun = time.monotonic()
        self._stop, self._drain = asyncio.Event(), asyncio.Event()
        self._rollout = Rollout()
        self._unread = False
        self._notes: list[str] = []

    def __enter__(self) -> Conductor:
        self._keep.begin()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Whatever happened, no half report stays."""
        self._sinks.discard()
        self._keep.abandon()

    @contextmanager
    def listening(self, *, looking: bool = False) -> Iterator[Control]:
        """Meanwhile Ctrl-C stops the run, and every server still gets its row.

        Looks are given up at once.  Changes under way are finished first; the
        second Ctrl-C gives them up.
        """
        changing = self.fleet.job.mode in CHANGING and not looking
        steps = (self._drain, self._stop) if changing else (self._stop,)
        control = self._control if changing else without_rollout(self._control)
        with stoppable(*steps, tell=say_finishing if changing else untold):
            yield msgspec.structs.replace(
                control, stop=self._stop, drain=self._drain, on_event=self._rollout.hear
            )

    @property
    def stopped(self) -> bool:
        """Whether somebody stopped the run."""
        return self._stop.is_set() or self._drain.is_set()

    def interrupt(self) -> None:
        """Somebody ends the run where nothing is under way."""
        self._stop.set()

    def take(self, row: ServerReport) -> None:
        """Count and write a finished row."""
        self.tally.add(row)
        self._clusters.add(row)
        self._sinks.add(row)
        self._keep.row(row)
        self._rollout.count(row)
        self._ears.row(row)
        if not self._sinks.reading and self.fleet.job.mode not in CHANGING:
            self._unread = True  # looking on would be for nobody; a change under way is finished
            self._stop.set()

    def note(self, text: str) -> None:
        """Something to be said of the run itself, once, in every report."""
        if text not in self._notes:
            self._notes.append(text)

    def rollout(self, words: str, *, keeps: bool) -> None:
        """What has to be typed again to go on with this rollout."""
        self._rollout.typed(words, keeps=keeps)

    async def show(self, total: int, rows: Rows) -> None:
        """Take every row, with progress."""
        doing = _DOING[self.fleet.job.mode]
        async with aclosing(rows):
            with Showing(self.progress, doing, total) as progress:
                async for row in rows:
                    self.take(row)
                    progress.done(row)
                    await self._keep.room()

    def finish(self) -> int:
        """Write the end of every report; the exit code."""
        how, summary = self.fleet.how, self.tally.summary()
        run = RunReport(
            volact=how.volact,
            command=how.command,
            run=how.run,
            started=how.started,
            elapsed_s=round(time.monotonic() - self._begun, 3),
            servers=(),
            summary=summary,
            clusters=self._clusters.clusters(),
            notes=tuple(self._notes),
        )
        if how.command == "activate":
            run = self._rollout.told(run, how)
        if trouble := self._keep.finish(run):
            run = msgspec.structs.replace(run, notes=(*run.notes, trouble))
        whole = self._sinks.finish(run)
        whole = self._keep.say_so() and whole
        if self._unread:
            return FAILED
        whole = self._ears.end(run, self.tally) and whole
        if self.stopped:
            tell(say("interrupted; the rows above are those finished or given up"))
            return INTERRUPTED
        return self.tally.exit_code() or (ALL_WELL if whole else FAILED)


def conductor(
    options: ServerOptions,
    fleet: Fleet,
    output: str,
    writer: Writer | None = None,
    ears: Ears | None = None,
) -> Conductor:
    """Open every report of a run; nothing has been started yet.

    Rows that stream to the same terminal are progress enough.
    """
    ears = ears or to_channels(channels_of(options.notify))
    reports = parse_reports(options.report)
    rows = writer or stdout_writer(output, fleet.how, options)
    streams = output != "text" and sys.stdout.isatty()
    progress = make_progress(
        sys.stderr,
        wanted=not options.no_progress and not streams,
        live=wants_colour(sys.stderr),
    )
    control = control_of(options)
    keep = keeping(options.store, options.no_store, fleet.how, fleet.servers)
    job = msgspec.structs.replace(fleet.job, recorder=keep.recorder)
    fleet = msgspec.structs.replace(fleet, job=job)
    sinks = Sinks(rows, reports, fleet.how)
    return Conductor(fleet, sinks, progress, control, ears=ears, keep=keep)


def to_channels(channels: Sequence[Channel]) -> Ears:
    """Tell of every run that has ended."""

    def end(run: RunReport, tally: Tally) -> bool:
        return not channels or tell_everyone(
            channels, message_of(run, tally.causes, tally.repaired)
        )

    return Ears(end=end)


def stdout_writer(format_: str, how: Invocation, options: ServerOptions) -> Writer:
    """The report on standard output."""
    out = use_stdout(format_)
    look = Look(columns=columns_of(out), colour=wants_colour(out), everything=options.verbose)
    return make_writer(format_, out, how, look)


async def run_through(run: Conductor) -> int:
    """Check or activate in one pass over every server."""
    fleet = run.fleet
    with run.listening() as control:
        rows = run_fleet(fleet.servers, fleet.opener, fleet.job, control)
        await run.show(len(fleet.servers), rows)
    return run.finish()


async def apply_pending(run: Conductor, pending: list[Outcome]) -> None:
    """Apply exactly what was planned, and shown where somebody was asked."""
    fleet = run.fleet
    with run.listening() as control:
        rows = apply_fleet(pending, fleet.opener, fleet.job, control)
        await run.show(len(pending), rows)
