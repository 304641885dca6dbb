"""``--output csv``: a row per server for spreadsheets, safe against formula injection.

Columns are only ever added at the end: people refer to them by number.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any, TextIO, TypeVar

from volact.model.report import RunReport, ServerReport
from volact.report.base import Invocation
from volact.report.next_step import next_step
from volact.report.run_counts import undo_of
from volact.report.step_lines import in_one_line
from volact.report.terminal_safe import csv_cell
from volact.words import speaking

Row = TypeVar("Row")
Columns = Mapping[str, Callable[[Row], object]]


def fields(*names: str, of: str = "") -> dict[str, Callable[[Any], object]]:
    """Columns that are fields of the row, or ``of`` a part of it."""
    return {name: attrgetter(of + name) for name in names}


def cells_of(row: Row, columns: Columns[Row]) -> list[str]:
    """A row's cells, each safe; they are data, so in English in every language."""
    return [_cell(read(row)) for read in columns.values()]


def _cell(value: object) -> str:
    """One value for a spreadsheet; several stand with spaces between, numbers stay numbers."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, (list, tuple)):
        return csv_cell(" ".join(map(str, value)))
    return csv_cell(str(value))


def _ids(server: ServerReport, severity: str) -> list[str]:
    return [finding.id for finding in server.findings if finding.severity == severity]


COLUMNS: Columns[ServerReport] = {
    **fields("name", "address", "provider", "verdict"),
    **fields("release", "build", "edition", "language", of="os."),
    **fields("status", "channel", "partial_key", "kms_host", "expires", "cmid", of="license."),
    "errors": lambda s: _ids(s, "error"),
    "warnings": lambda s: _ids(s, "warning"),
    **fields("resolved"),
    "planned": lambda s: [step.get("do") for step in s.plan],
    **fields("changed", "reason"),
    "error_kind": lambda s: s.error and s.error.kind,
    "error": lambda s: s.error and s.error.message,
    "elapsed_s": lambda s: f"{s.elapsed_s:.3f}",
}
# After the column of the next step, because they came later.
LATER: Columns[ServerReport] = {
    "undo": lambda s: (undone := undo_of(s)) and undone.word,
    **fields("clock_skew_s"),
    "accepted": lambda s: _ids(s, "accepted"),
}


class CsvWriter:
    """A header, then a row per server as it finishes."""

    def __init__(self, out: TextIO, how: Invocation) -> None:
        self._out = out
        self._how = how
        self._rows = csv.writer(out, lineterminator="\r\n")
        self._rows.writerow([*COLUMNS, "next", *LATER])

    def add(self, server: ServerReport) -> None:
        """Write one server's row: data, so in English in every language."""
        with speaking("en"):
            following = in_one_line(next_step([server], self._how))
        ends = cells_of(server, LATER)
        self._rows.writerow([*cells_of(server, COLUMNS), csv_cell(following), *ends])

    def finish(self, run: RunReport) -> None:
        """Nothing: a CSV file has no summary."""
