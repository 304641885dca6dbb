"""Looking again and again: one look after another, told of only when something changed.

The verb with its options is ``verbs/watch.py``; how servers stood and what is
otherwise, ``volact.report.standing``.
"""

from __future__ import annotations

import gc
import random
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from volact.cli.conduct import Conductor, Ears, conductor, run_through, stdout_writer
from volact.cli.console import use_stdout
from volact.cli.failure import INTERRUPTED, settle, tell
from volact.cli.fleet_options import Fleet
from volact.cli.notify import Channel, tell_everyone
from volact.cli.options.servers import FleetOptions
from volact.cli.runtime import run_async
from volact.cli.verbs.activate import unattended
from volact.cli.watch_stop import Stopping
from volact.errors import InputError, VolactError
from volact.model.report import RunReport
from volact.model.text import say
from volact.model.told import told
from volact.report.base import Writer
from volact.report.message import failure_message, message_of
from volact.report.standing import Standing, Watched
from volact.report.tally import Tally
from volact.report.watch_text import WatchWriter

# A long look leaves at least this much until the next begins.
_REST_S = 1.0


@dataclass(frozen=True, kw_only=True)
class Rhythm:
    """When looks begin."""

    every: timedelta
    jitter: timedelta
    chance: random.Random = field(default_factory=secrets.SystemRandom)

    def wait_s(self, taken_s: float) -> float:
        """How long to rest after a look that took so long."""
        whole = self.every.total_seconds() + self.chance.uniform(0, self.jitter.total_seconds())
        return max(_REST_S, whole - taken_s)


class Watch:
    """Looks at the same servers, and tells the channels what is otherwise."""

    def __init__(
        self,
        options: FleetOptions,
        make_fleet: Callable[[], Fleet],
        channels: tuple[Channel, ...],
        *,
        within: timedelta,
        before: Mapping[str, Standing],
    ) -> None:
        self._options = options
        self._make_fleet = make_fleet
        self._channels = channels
        self._watched = Watched(within, before)
        self._failing = False
        self._run: Conductor | None = None

    def once(self) -> int:
        """One look; its exit code."""
        fleet = self._make_fleet()
        how = fleet.how
        told_all = True

        def end(run: RunReport, tally: Tally) -> bool:
            nonlocal told_all
            changes = self._watched.changes()
            if changes or self._failing:
                message = message_of(run, tally.causes, tally.repaired, changes)
                told_all = tell_everyone(self._channels, message)
            return told_all

        with conductor(
            self._options,
            fleet,
            self._options.output,
            self._writer(fleet),
            Ears(end=end, row=lambda row: self._watched.add(row, how.started)),
        ) as run:
            if self._failing:
                run.note(say("the servers can be looked at again"))
            self._run = run
            code = _look(run)
        self._run = None
        if told_all:
            self._watched.next(server.name for server in fleet.servers)
        else:
            self._watched.again()  # nobody heard of the changes: the next look says them
        self._failing = self._failing and not told_all
        return code

    def forever(self, rhythm: Rhythm) -> int:
        """Look until somebody says stop; 0 between looks, 130 in the midst of one."""
        stopping = Stopping(lambda: self._run is not None and self._run.stopped)
        first = True
        with stopping.heard():
            while True:
                begun = time.monotonic()
                code = self._surviving(first=first)
                if code == INTERRUPTED:
                    return code
                first = False
                gc.collect()  # a rest is the time for it
                if stopping.within(rhythm.wait_s(time.monotonic() - begun)):
                    tell(say("the watch has ended"))
                    return 0

    def _surviving(self, *, first: bool) -> int:
        """A look; one that fails is said and costs no later one.

        Wrong input at the start is the person's to mend, so it ends the watch.
        """
        try:
            return self.once()
        except Exception as error:
            if first and isinstance(error, InputError):
                raise
            code = settle(error)
            self._watched.again()
            if not self._failing:
                why = told(error) if isinstance(error, VolactError) else type(error).__name__
                self._failing = tell_everyone(self._channels, failure_message(why))
            return code

    def _writer(self, fleet: Fleet) -> Writer:
        """A look in a line for people; the whole report where more is asked for."""
        output = self._options.output
        if output == "text" and not self._options.verbose:
            return WatchWriter(use_stdout(output), self._watched)
        return stdout_writer(output, fleet.how, self._options)


def _look(run: Conductor) -> int:
    return unattended(run) if run.fleet.job.mode == "activate" else run_async(run_through(run))
