"""What a watch writes for people: a line for each look, and what is otherwise since."""

from __future__ import annotations

from typing import TextIO

from volact.model.report import RunReport, ServerReport
from volact.model.text import Text, count, say
from volact.report.message import counts_line
from volact.report.safe import plain
from volact.report.standing import Watched
from volact.words import tr

_KINDS: dict[str, Text] = {
    "worse": say("worse"),
    "new": say("not as it should be"),
    "expiring": say("ends soon"),
    "other": say("otherwise"),
    "better": say("better"),
}


class WatchWriter:
    """The look in one line, then a line for each server that stands otherwise."""

    def __init__(self, out: TextIO, watched: Watched) -> None:
        self._out = out
        self._watched = watched

    def add(self, server: ServerReport) -> None:
        """Nothing: what is written is known at the end."""

    def finish(self, run: RunReport) -> None:
        """Write the look."""
        changes = self._watched.changes()
        when = run.started.replace("T", " ").replace("Z", " UTC")
        said = (
            count(len(changes), "{n} change", "{n} changes") if changes else say("nothing changed")
        )
        self._out.write(f"{when}  {run.command}: {counts_line(run)}; {tr(said)}\n")
        for change in changes:
            self._out.write(f"  {tr(_KINDS[change.kind])}: {plain(tr(change.summary))}\n")
        for note in run.notes:
            self._out.write(f"  {plain(tr(say('note: {text}', text=note)))}\n")
        self._out.flush()
