"""A rollout on the command line: its options as values, and the note on one that stopped early.

Their meaning, and when a rollout stops, is ``volact.fleet``'s.  Input errors are found here,
before a server is contacted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec

from volact.cli.failure import tell
from volact.cli.options.changes import KMS_CONCURRENCY, CautionOptions
from volact.cli.options.servers import RETRIES, ConnectOptions, ServerOptions
from volact.errors import InputError
from volact.fleet import Canary, Control, Ended, FleetEvent, Rate, Share, Stop, Stopped
from volact.fleet.machine_limits import most_at_a_time
from volact.model.report import RunReport, ServerReport, StopRow
from volact.model.text import Text, count, say
from volact.report.base import Invocation
from volact.report.next_step import same_servers
from volact.typed import quoted


class RolloutSummary:
    """Keeps why a run stopped, and counts the servers that were not begun."""

    def __init__(self) -> None:
        self._stop: Stop | None = None
        self._not_begun = 0
        self._words = ""
        self._keeps = False

    def set_resume(self, words: str, *, keeps: bool) -> None:
        """Set the options that the next run needs, and whether it can resume this one."""
        self._words, self._keeps = words, keeps

    def on_event(self, event: FleetEvent) -> None:
        """Keep the reason of a stop."""
        if isinstance(event, Stopped | Ended):
            self._stop = event.stop or self._stop

    def count(self, row: ServerReport) -> None:
        """Count a finished row."""
        self._not_begun += row.verdict == "not-started"

    def add_to(self, run: RunReport, how: Invocation) -> RunReport:
        """The report with the stop and its note, if there was one."""
        if self._stop is None or not self._not_begun:
            return run
        activates = how.command == "activate"
        command = self._command(how) if activates else ""
        stopped = StopRow(
            why=self._stop.why,
            message=_message(self._stop, self._not_begun, run.summary.servers, rollout=activates),
            not_begun=self._not_begun,
            command=command,
        )
        note = stopped.message
        if command:
            note = say("{what}; to continue: {command}", what=note, command=command)
        return msgspec.structs.replace(run, stopped=stopped, notes=(note, *run.notes))

    def _command(self, how: Invocation) -> str:
        command = same_servers("activate", how)
        resume = f"--resume {how.run}" if self._keeps else ""
        return " ".join(word for word in (command, self._words, resume) if word) if command else ""


def _message(stop: Stop, not_begun: int, servers: int, *, rollout: bool) -> Text:
    given = {"why": stop.sentence, "servers": servers}
    if rollout:
        return count(
            not_begun,
            "the rollout stopped: {why}; {n} of {servers} servers was not started",
            "the rollout stopped: {why}; {n} of {servers} servers were not started",
            **given,
        )
    return count(
        not_begun,
        "the run stopped: {why}; {n} of {servers} servers was not started",
        "the run stopped: {why}; {n} of {servers} servers were not started",
        **given,
    )


def announce_drain(signals: int) -> None:
    """Print on the first signal that changes under way are finished first."""
    if signals == 1:
        tell(say("finishing the servers in progress; press Ctrl-C again to stop at once"))


T = TypeVar("T")


def control_of(options: ConnectOptions) -> Control:
    """The settings of the run; ``InputError`` for a value that cannot be read."""
    rollout = options if isinstance(options, CautionOptions) else None
    return Control(
        concurrency=options.concurrency or most_at_a_time(),
        adaptive=True,
        processes=options.processes,
        pace=_read("--pace", options.pace, Rate.parse),
        canary=_read("--canary", rollout.canary, Canary.parse) if rollout else None,
        max_failures=_read("--max-failures", rollout.max_failures, Share.parse)
        if rollout
        else None,
        kms_concurrency=rollout.kms_concurrency if rollout else KMS_CONCURRENCY,
    )


def _read(option: str, word: str, parse: Callable[[str], T]) -> T | None:
    if not word:
        return None
    try:
        return parse(word)
    except ValueError as error:
        raise InputError(error.args[0], where=option) from error


def rollout_words(options: ServerOptions) -> str:
    """The options that a continued rollout needs again."""
    named = [
        ("--concurrency", str(options.concurrency or "")),
        ("--pace", options.pace),
        ("--retries", _unless(options.retries, RETRIES)),
    ]
    if isinstance(options, CautionOptions):
        named += [
            ("--canary", options.canary),
            ("--max-failures", options.max_failures),
            ("--kms-concurrency", _unless(options.kms_concurrency, KMS_CONCURRENCY)),
        ]
    return " ".join(f"{name} {quoted(value)}" for name, value in named if value)


def _unless(number: int, default: int) -> str:
    return "" if number == default else str(number)
