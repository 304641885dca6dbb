"""``--output csv``: a row per server for spreadsheets, safe against formula injection.

Columns are only ever added at the end: people refer to them by number.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from typing import TextIO

from volact.model.report import RunReport, ServerReport
from volact.report.base import Invocation
from volact.report.next_step import next_step
from volact.report.run_counts import undo_of
from volact.report.step_lines import in_one_line
from volact.report.terminal_safe import csv_cell
from volact.words import speaking

_COLUMNS: tuple[tuple[str, Callable[[ServerReport], object]], ...] = (
    ("name", lambda s: s.name),
    ("address", lambda s: s.address),
    ("provider", lambda s: s.provider),
    ("verdict", lambda s: s.verdict),
    ("release", lambda s: s.os.release),
    ("build", lambda s: s.os.build),
    ("edition", lambda s: s.os.edition),
    ("language", lambda s: s.os.language),
    ("status", lambda s: s.license.status),
    ("channel", lambda s: s.license.channel),
    ("partial_key", lambda s: s.license.partial_key),
    ("kms_host", lambda s: s.license.kms_host),
    ("expires", lambda s: s.license.expires),
    ("cmid", lambda s: s.license.cmid),
    ("errors", lambda s: _ids(s, "error")),
    ("warnings", lambda s: _ids(s, "warning")),
    ("resolved", lambda s: " ".join(s.resolved)),
    ("planned", lambda s: " ".join(str(step.get("do")) for step in s.plan)),
    ("changed", lambda s: "yes" if s.changed else "no"),
    ("reason", lambda s: s.reason),
    ("error_kind", lambda s: s.error and s.error.kind),
    ("error", lambda s: s.error and s.error.message),
    ("elapsed_s", lambda s: f"{s.elapsed_s:.3f}"),
)


def _ids(server: ServerReport, severity: str) -> str:
    return " ".join(finding.id for finding in server.findings if finding.severity == severity)


HEAD = tuple(name for name, _ in _COLUMNS)
# After the column of the next step, because they came later.
LATER = ("undo", "clock_skew_s", "accepted")


def cells(server: ServerReport) -> list[str]:
    """A row's cells, each safe; they are data, so in English in every language."""
    with speaking("en"):
        found = [cell(server) for _, cell in _COLUMNS]
    return [csv_cell("" if cell is None else str(cell)) for cell in found]


def later_cells(server: ServerReport) -> tuple[str, int | None, str]:
    """The cells of ``LATER``; a number is no formula, even where it is negative."""
    undone = undo_of(server)
    return (undone.word if undone else "", server.clock_skew_s, _ids(server, "accepted"))


class CsvWriter:
    """A header, then a row per server as it finishes."""

    def __init__(self, out: TextIO, how: Invocation) -> None:
        self._out = out
        self._how = how
        self._rows = csv.writer(out, lineterminator="\r\n")
        self._rows.writerow([*HEAD, "next", *LATER])

    def add(self, server: ServerReport) -> None:
        """Write one server's row: data, so in English in every language."""
        with speaking("en"):
            following = in_one_line(next_step([server], self._how))
        self._rows.writerow([*cells(server), csv_cell(following), *later_cells(server)])

    def finish(self, run: RunReport) -> None:
        """Nothing: a CSV file has no summary."""
