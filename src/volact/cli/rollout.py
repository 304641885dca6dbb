"""The note on a rollout that stopped early: why, and the command that continues it.

When it stops is decided in ``volact.fleet``.
"""

from __future__ import annotations

import msgspec

from volact.cli.failure import tell
from volact.fleet import Ended, Event, Stop, Stopped
from volact.model.report import RunReport, ServerReport, StopRow
from volact.model.text import Text, count, say
from volact.report.base import Invocation
from volact.report.next_step import same_servers


class RolloutSummary:
    """Keeps why a rollout stopped, and counts the servers that were not begun."""

    def __init__(self) -> None:
        self._stop: Stop | None = None
        self._not_begun = 0
        self._words = ""
        self._keeps = False

    def set_resume(self, words: str, *, keeps: bool) -> None:
        """Set the options that the next run needs, and whether it can resume this one."""
        self._words, self._keeps = words, keeps

    def on_event(self, event: Event) -> None:
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
        command = self._command(how)
        stopped = StopRow(
            why=self._stop.why,
            message=_message(self._stop, self._not_begun, run.summary.servers),
            not_begun=self._not_begun,
            command=command,
        )
        note = stopped.message
        if command:
            note = say("{what}; to continue: {command}", what=note, command=command)
        return msgspec.structs.replace(run, stopped=stopped, notes=(note, *run.notes))

    def _command(self, how: Invocation) -> str:
        command = same_servers("undo" if how.command == "undo" else "activate", how)
        resume = f"--resume {how.run}" if self._keeps else ""
        return " ".join(word for word in (command, self._words, resume) if word) if command else ""


def _message(stop: Stop, not_begun: int, servers: int) -> Text:
    return count(
        not_begun,
        "the rollout stopped: {why}; {n} of {servers} servers was not started",
        "the rollout stopped: {why}; {n} of {servers} servers were not started",
        why=stop.sentence,
        servers=servers,
    )


def announce_drain(signals: int) -> None:
    """Print on the first signal that changes under way are finished first."""
    if signals == 1:
        tell(say("finishing the servers in progress; press Ctrl-C again to stop at once"))
