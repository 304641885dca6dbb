"""A run's way into the store, and what the person is told of it.

The store itself is ``volact.store``'s, the options are in ``store_options``.
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
from volact.store.keeper import Keeper
from volact.store.values import Kept, Opening


class Keeping:
    """A run's rows on their way into the store, or nowhere."""

    def __init__(self, keeper: Keeper | None, run: str) -> None:
        self._keeper = keeper
        self._run = run
        self._kept: Kept | None = None

    def begin(self) -> None:
        """The run begins."""
        if self._keeper is not None:
            self._keeper.start()

    @property
    def recorder(self) -> RunRecorder:
        """Who is told what happens to a server."""
        return self._keeper or NO_RECORDER

    def row(self, report: ServerReport) -> None:
        """Take a finished row."""
        if self._keeper is not None:
            self._keeper.row(report)

    async def room(self) -> None:
        """Wait while the store cannot follow."""
        if self._keeper is not None:
            await self._keeper.room()

    def finish(self, report: RunReport) -> str:
        """Write the run's end; why not all of it is kept, ``""`` when all is."""
        if self._keeper is None:
            return ""
        self._kept = self._keeper.finish(report)
        return self._kept.trouble

    def say_so(self) -> bool:
        """Tell the person what is kept, or is not; whether all went well."""
        if self._kept is None:
            return True
        if self._kept.trouble:
            tell(self._kept.trouble)
        if self._kept.anything:
            tell(say("kept as run {run}", run=raw(self._run)))
        return not self._kept.trouble

    def abandon(self) -> None:
        """The run ends without an end: what was seen so far stays."""
        if self._keeper is not None and self._kept is None:
            self._keeper.abandon()


def keeping(url: str, no_store: bool, how: Invocation, servers: Iterable[Server] = ()) -> Keeping:
    """The way into the store that is meant; ``InputError`` when the words name none.

    The tags of ``servers`` are kept where any of them has one.
    """
    address = None if no_store else chosen(url)
    if address is None:
        return Keeping(None, how.run)
    opening = Opening(
        id=how.run,
        command=how.command,
        started=how.started,
        volact=how.volact,
        words=typed(how),
        tags={server.name: server.tags for server in servers if server.tags} or None,
    )
    return Keeping(Keeper(address, opening), how.run)


def typed(how: Invocation) -> str:
    """The command line as it could be typed again.

    Made of what the reports repeat, never of the command line itself: an option may
    hold what is not to be kept.
    """
    parts = ("volact", how.command, how.selector, how.targets, how.login, *how.consent)
    return " ".join(part for part in parts if part)
