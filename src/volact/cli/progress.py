"""Progress on standard error: a bar on a terminal, a line a minute elsewhere.

The caller uses ``start``, ``done`` for each server, and ``stop``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, TextIO

from volact.cli.failure import discard_stream
from volact.core.main_cause import cause
from volact.model.report import ServerReport
from volact.model.text import listed, say
from volact.report.run_counts import RunCounts
from volact.report.terminal_safe import plain
from volact.report.words import COUNTED, VERDICTS, phrases, titled, verdict_counts
from volact.words import tr

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID


_EVERY_S = 60


class Progress:
    """A progress display; this one shows nothing."""

    def start(self, doing: str, total: int) -> None:
        """Begin with a number of servers."""

    def done(self, server: ServerReport) -> None:
        """One server is finished."""

    def stop(self) -> None:
        """End, and leave the terminal as it was."""


@contextmanager
def shown(progress: Progress, doing: str, total: int) -> Iterator[Progress]:
    """Start a progress display, and stop it at the end of the block."""
    progress.start(doing, total)
    try:
        yield progress
    finally:
        progress.stop()


def make_progress(stream: TextIO, *, wanted: bool, live: bool, verbose: bool = False) -> Progress:
    """The display that fits: none, a bar, or lines."""
    if not wanted:
        return Progress()
    return ProgressBar(stream) if live else ProgressLines(stream, verbose=verbose)


class ProgressLines(Progress):
    """The counts so far, once a minute; verbose, also each server that is not healthy."""

    def __init__(
        self, stream: TextIO, *, verbose: bool = False, clock: Callable[[], float] = monotonic
    ) -> None:
        self._stream = stream
        self._verbose = verbose
        self._clock = clock
        self._total = 0
        self._run = RunCounts()
        self._said = 0.0  # when the counts were printed
        self._unread = False

    def start(self, doing: str, total: int) -> None:
        """Print the first line."""
        self._total, self._run, self._said = total, RunCounts(), self._clock()
        if total > 1:
            self._line(tr(say("{doing} {n} servers", doing=doing, n=total)))

    def done(self, server: ServerReport) -> None:
        """Count a server; print what is due."""
        self._run.add(server)
        place = f"[{self._run.verdicts.total()}/{self._total}]"
        if self._total == 1 or server.verdict == "not-started":
            return  # its row says it, and thousands may not have begun
        if self._verbose and server.verdict != "healthy":
            why = cause(server).removeprefix("error:")
            said = phrases([tr(VERDICTS[server.verdict]), why])
            self._line(f"{place} {titled(plain(server.name), said)}")
        elif self._clock() - self._said >= _EVERY_S:
            self._said = self._clock()
            self._line(f"{place} {tr(listed(verdict_counts(self._run.summary())))}")

    def _line(self, line: str) -> None:
        if self._unread:
            return
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except OSError:  # a closed standard error does not stop the run
            self._unread = True
            discard_stream(self._stream)


_TONES = {
    "healthy": "green",
    "attention": "yellow",
    "failed": "red",
    "unreachable": "magenta",
    "not-started": "dim",
}


class ProgressBar(Progress):
    """A bar with the counts of the verdicts so far."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._bar: RichProgress | None = None
        self._task: TaskID | None = None
        self._run = RunCounts()

    def start(self, doing: str, total: int) -> None:
        """Show the bar."""
        from rich import console, progress, table  # noqa: PLC0415 - only a terminal needs rich

        self._run = RunCounts()
        self._bar = progress.Progress(
            progress.TextColumn("{task.description}"),
            progress.BarColumn(bar_width=None),
            progress.MofNCompleteColumn(),
            progress.TimeElapsedColumn(table_column=table.Column(no_wrap=True, min_width=7)),
            progress.TextColumn("{task.fields[counts]}"),
            console=console.Console(file=self._stream),
            expand=True,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._task = self._bar.add_task(tr(doing), total=total, counts="")
        self._bar.start()

    def done(self, server: ServerReport) -> None:
        """Move the bar by one server."""
        self._run.add(server)
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, advance=1, counts=self._shown_counts())

    def stop(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _shown_counts(self) -> str:
        return " ".join(
            f"[{_TONES[verdict]}]{self._run.verdicts[verdict]} {tr(VERDICTS[verdict])}[/]"
            for verdict in COUNTED
            if self._run.verdicts[verdict]
        )
