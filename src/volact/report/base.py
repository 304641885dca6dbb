"""The protocol of a report format: a writer that takes servers one by one, then the end.

Only the protocol and the two values that all formats share.  The formats are
one module each; ``make.py`` chooses between them.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from volact.model.report import RunReport, ServerReport, Summary

DEADLINE_S = 120.0  # the default for one server


class Invocation(msgspec.Struct, frozen=True, kw_only=True):
    """How the run was started, as far as a report repeats it to the person.

    ``selector`` is the part of the command line that named the servers
    (``-i lab.toml``), ``""`` when targets were named one by one; ``login`` the
    options without which the next command could not log in; ``targets`` which
    of the servers were meant (``web-01 --limit db-*``); ``consent`` what the
    person allowed for them.  All are ready to be pasted.  ``by_service``: a service
    did it, and runs the next command too; it asks nothing.
    """

    volact: str
    command: str
    run: str = ""
    started: str = ""  # ISO 8601, UTC, "…Z"
    selector: str = ""
    login: str = ""
    targets: str = ""
    consent: tuple[str, ...] = ()
    by_service: bool = False
    undo: str = ""  # the run that is undone
    left_out: frozenset[str] = frozenset()  # servers of it that this command does not undo
    deadline_s: float = DEADLINE_S
    typed: dict[str, str] = {}  # address -> the target as the operator wrote it
    by_hand: str = ""  # the command that reads answers again, where volact cannot go
    before: Summary | None = None  # an earlier check of the same servers, for comparison

    def end(self, summary: Summary, elapsed_s: float = 0.0) -> RunReport:
        """The report of the run itself, without servers: their rows came one by one."""
        return RunReport(
            volact=self.volact,
            command=self.command,
            run=self.run,
            started=self.started,
            elapsed_s=elapsed_s,
            servers=(),
            summary=summary,
        )


class Writer(Protocol):
    """One report in one format."""

    def add(self, server: ServerReport) -> None:
        """Take one server's row as soon as it is known."""

    def finish(self, run: RunReport) -> None:
        """Write the end.  ``run.servers`` may be empty: the rows came by ``add``."""
