"""What a rollout says of itself: that it stopped, why, and how it goes on.

When it stops is decided in ``volact.fleet``; here it is heard and told.
"""

from __future__ import annotations

import msgspec

from volact.cli.failure import tell
from volact.fleet import Control, Event, Stop, Stopped
from volact.model.report import RunReport, ServerReport, StopRow
from volact.model.text import Text, count, say
from volact.report.base import Invocation
from volact.report.next_step import same_servers


class Rollout:
    """Hears of a run's end before its time, and counts those that had no turn."""

    def __init__(self) -> None:
        self._stop: Stop | None = None
        self._not_begun = 0
        self._words = ""
        self._keeps = False

    def typed(self, words: str, *, keeps: bool) -> None:
        """The options that the next run needs again; whether it can resume this one."""
        self._words, self._keeps = words, keeps

    def hear(self, event: Event) -> None:
        """Keep why no more servers are begun."""
        if isinstance(event, Stopped) and self._stop is None:
            self._stop = event.stop

    def count(self, row: ServerReport) -> None:
        """Count a finished row."""
        self._not_begun += row.error is not None and row.error.kind == "not-begun"

    def told(self, run: RunReport, how: Invocation) -> RunReport:
        """The report with what there is to say."""
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
            note = say("{what}; go on with: {command}", what=note, command=command)
        return msgspec.structs.replace(run, stopped=stopped, notes=(note, *run.notes))

    def _command(self, how: Invocation) -> str:
        command = same_servers("undo" if how.command == "undo" else "activate", how)
        resume = f"--resume {how.run}" if self._keeps else ""
        return " ".join(word for word in (command, self._words, resume) if word) if command else ""


def _message(stop: Stop, not_begun: int, servers: int) -> Text:
    return count(
        not_begun,
        "the rollout was stopped: {why}; {n} of {servers} servers was not begun",
        "the rollout was stopped: {why}; {n} of {servers} servers were not begun",
        why=stop.sentence,
        servers=servers,
    )


def without_rollout(control: Control) -> Control:
    """The same for looks: nothing is changed, so nobody goes first."""
    return msgspec.structs.replace(control, canary=None, max_failures=None)


def say_finishing(heard: int) -> None:
    """What an interrupt does, at once: it may be a while until it is over."""
    if heard == 1:
        tell(say("finishing what is being worked on; once more gives that up, too"))
