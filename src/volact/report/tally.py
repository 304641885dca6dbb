"""Counting a run while it streams: the summary and the exit code.

Holds counts only, never rows, so that a run over ten thousand servers costs
no more memory than a run over ten.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from volact.model.report import ServerReport, Summary
from volact.report.words import ERROR_NAMES

ALL_WELL = 0
ATTENTION = 3
UNEXAMINED = 4


class Tally:
    """The counts of a run."""

    def __init__(self, servers: Iterable[ServerReport] = ()) -> None:
        self.verdicts: Counter[str] = Counter()
        self.repaired: Counter[str] = Counter()
        self.causes: Counter[str] = Counter()
        self.changed = 0
        for server in servers:
            self.add(server)

    def add(self, server: ServerReport) -> None:
        """Count one server."""
        self.verdicts[server.verdict] += 1
        self.changed += was_changed(server)
        if server.verdict == "healthy":
            self.repaired.update(server.resolved)
        self.causes.update(list(causes(server)))

    def summary(self) -> Summary:
        """The counts as the document has them."""
        return Summary(
            servers=self.verdicts.total(),
            healthy=self.verdicts["healthy"],
            attention=self.verdicts["attention"],
            failed=self.verdicts["failed"],
            unreachable=self.verdicts["unreachable"],
            changed=self.changed,
        )

    def exit_code(self) -> int:
        """What the run says to a script."""
        return exit_code(self.summary())


def causes(server: ServerReport) -> dict[str, str]:
    """Everything that stands against a server, each with its severity."""
    found = {
        finding.id: str(finding.severity)
        for finding in server.findings
        if finding.severity != "info"
    }
    if server.error is not None:
        found[ERROR_NAMES[server.error.kind]] = "error"
    return found


def was_changed(server: ServerReport) -> bool:
    """Whether any step changed something on this server."""
    return any(result.get("changed") for result in server.results)


def exit_code(summary: Summary) -> int:
    """What the run says to a script: unexamined outranks attention."""
    if summary.unreachable:
        return UNEXAMINED
    return ATTENTION if summary.attention or summary.failed else ALL_WELL
