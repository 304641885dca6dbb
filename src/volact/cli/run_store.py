"""What a run writes to the store, and the lines about it on standard error.

The store itself is ``volact.store``'s.
"""

from __future__ import annotations

from collections.abc import Iterable

from volact.cli.failure import tell
from volact.model.report import RunReport, ServerReport
from volact.model.server import Server
from volact.model.text import raw, say
from volact.pipeline.run_recorder import NO_RECORDER, RunRecorder
from volact.report.base import Invocation
from volact.store.address import chosen
from volact.store.store_writer import StoreWriter
from volact.store.values import RunStart, WriteOutcome


class RunStore:
    """Writes a run to the store, or nowhere with ``--no-store``."""

    def __init__(self, writer: StoreWriter | None, run: str) -> None:
        self._writer = writer
        self._run = run
        self._outcome: WriteOutcome | None = None

    def begin(self) -> None:
        """Begin writing."""
        if self._writer is not None:
            self._writer.start()

    @property
    def recorder(self) -> RunRecorder:
        """The recorder that the pipeline writes to."""
        return self._writer or NO_RECORDER

    def row(self, report: ServerReport) -> None:
        """Take a finished row."""
        if self._writer is not None:
            self._writer.row(report)

    async def room(self) -> None:
        """Wait while too many rows are unwritten."""
        if self._writer is not None:
            await self._writer.room()

    def finish(self, report: RunReport) -> str:
        """Write the run's end; the reason why something is missing, ``""`` if nothing is."""
        if self._writer is None:
            return ""
        self._outcome = self._writer.finish(report)
        return self._outcome.problem

    def print_outcome(self) -> bool:
        """Print what was stored, or was not; whether all of it was."""
        if self._outcome is None:
            return True
        if self._outcome.problem:
            tell(self._outcome.problem)
        if self._outcome.stored:
            tell(say("saved as run {run}", run=raw(self._run)))
        return not self._outcome.problem

    def abandon(self) -> None:
        """Stop writing without an end of the run; what was written stays."""
        if self._writer is not None and self._outcome is None:
            self._writer.abandon()


def open_run_store(
    url: str, no_store: bool, how: Invocation, servers: Iterable[Server] = ()
) -> RunStore:
    """Open the store that ``url`` means; ``InputError`` if it means none.

    The tags of ``servers`` are stored where a server has any.
    """
    address = None if no_store else chosen(url)
    if address is None:
        return RunStore(None, how.run)
    run = RunStart(
        id=how.run,
        command=how.command,
        started=how.started,
        volact=how.volact,
        words=typed(how),
        tags={server.name: server.tags for server in servers if server.tags} or None,
    )
    return RunStore(StoreWriter(address, run), how.run)


def typed(how: Invocation) -> str:
    """The command line as it could be typed again.

    Made of what the reports repeat, never of the command line itself: an option may hold
    a secret.
    """
    parts = ("volact", how.command, how.selector, how.targets, how.login, *how.consent)
    return " ".join(part for part in parts if part)
