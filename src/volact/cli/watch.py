"""A watch: one run after another, with a message only when something changed.

The verb is ``verbs/watch.py``; changes are found in ``volact.report.watch_changes``.
"""

from __future__ import annotations

import gc
import random
import secrets
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from volact.cli.console import columns_of, use_stdout
from volact.cli.failure import INTERRUPTED, report_error, tell
from volact.cli.fleet_options import Fleet
from volact.cli.options.servers import FleetOptions
from volact.cli.plan_first import unattended
from volact.cli.rollout import rollout_words
from volact.cli.run_controller import (
    RunController,
    RunListeners,
    open_run,
    run_through,
)
from volact.cli.runtime import StopSignal, run_async
from volact.cli.sinks import stdout_writer
from volact.cli.watch_channels import WatchedChannels
from volact.cli.watch_state import WatchStateFile
from volact.errors import InputError, VolactError
from volact.model.error_text import error_text
from volact.model.report import ServerReport
from volact.model.text import say
from volact.notify.channels import Channel
from volact.report.base import Writer
from volact.report.watch_changes import ServerStanding, WatchWriter

# The least pause between two runs.
_REST_S = 1.0


@dataclass(frozen=True, kw_only=True)
class WatchInterval:
    """The time between the starts of two runs."""

    every: timedelta
    jitter: timedelta
    rng: random.Random = field(default_factory=secrets.SystemRandom)

    def wait_s(self, taken_s: float) -> float:
        """Seconds to wait after a run that took ``taken_s``."""
        whole = self.every.total_seconds() + self.rng.uniform(0, self.jitter.total_seconds())
        return max(_REST_S, whole - taken_s)


class Watch:
    """Runs over the same servers again and again, and sends what changed."""

    def __init__(  # noqa: PLR0913  (one argument for each part)
        self,
        options: FleetOptions,
        make_fleet: Callable[[], Fleet],
        channels: tuple[Channel, ...],
        *,
        within: timedelta,
        before: Mapping[str, ServerStanding],
        file: WatchStateFile | None = None,
    ) -> None:
        self._options = options
        self._make_fleet = make_fleet
        self._channels = WatchedChannels(channels, within=within, before=before, file=file)
        self._run: RunController | None = None

    def once(self) -> int:
        """One run; its exit code."""
        fleet = self._make_fleet()
        how = fleet.how

        def add(row: ServerReport) -> None:
            self._channels.add(row, how.started)

        with open_run(
            self._options,
            fleet,
            self._options.output,
            self._writer(fleet),
            RunListeners(end=self._channels.send, row=add, outlast_reports=self._channels.any),
        ) as run:
            if self._channels.failing:
                run.note(say("the servers can be checked again"))
            self._run = run
            activates = fleet.job.mode == "activate"
            run.rollout(rollout_words(self._options), keeps=not self._options.no_store)
            code = unattended(run) if activates else run_async(run_through(run))
        self._run = None
        self._channels.end([server.name for server in fleet.servers])
        return code

    def single(self) -> int:
        """One run, and no other after it; an error is told to the channels, too."""
        return self._run_safely(first=False)

    def forever(self, interval: WatchInterval) -> int:
        """Run until a signal stops it; 0 between runs, 130 during one."""
        signals = StopSignal(lambda: self._run is not None and self._run.stopped)
        first = True
        with signals.installed():
            while True:
                begun = time.monotonic()
                code = self._run_safely(first=first)
                if code == INTERRUPTED:
                    return code
                first = False
                gc.collect()  # no run is under way
                if signals.wait(interval.wait_s(time.monotonic() - begun)):
                    tell(say("the watch has ended"))
                    return 0

    def _run_safely(self, *, first: bool) -> int:
        """One run; an error is reported and the watch goes on.

        An input error in the first run ends the watch.
        """
        try:
            return self.once()
        except Exception as error:
            if first and isinstance(error, InputError):
                raise
            code = report_error(error)
            why = error_text(error) if isinstance(error, VolactError) else type(error).__name__
            self._channels.failed(why)
            return code

    def _writer(self, fleet: Fleet) -> Writer:
        """One line for text; the usual report for other formats and with ``--verbose``."""
        output = self._options.output
        if output == "text" and not self._options.verbose:
            out = use_stdout(output)
            columns = columns_of(out) if out.isatty() else sys.maxsize
            return WatchWriter(out, self._channels.printed, columns=columns)
        return stdout_writer(output, fleet.how, self._options.verbose)
