"""The columns of ``--output csv``; only ever added at the end, people count them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from volact.queries.values import ChangeRow, LookRow
from volact.report.csv_rows import fields
from volact.store.values import RunRow

STATUS = fields(
    "name", "address", "provider", "verdict", "cause", "release", "kms_host", "status", "ending",
    "expires", "days_left", "examined", "looked", "run",
)  # fmt: skip

EXPIRING = fields(
    "name", "address", "provider", "state", "expires", "days_left", "overdue", "status",
    "kms_host", "examined", "why",
)  # fmt: skip

RUNS: dict[str, Callable[[RunRow], object]] = {
    **fields("id", "command", "started", "elapsed_s", "finished", "volact"),
    **fields("servers", "healthy", "attention", "failed", "unreachable", "changed", of="summary."),
    **fields("words", "note"),
    **fields("not_started", of="summary."),
}

HISTORY: dict[str, Callable[[LookRow], object]] = {
    **fields("at", "run", "command", "verdict", "status", "kms_host", "expires", "cause"),
    **fields("came", "went", "stands"),
    "steps": lambda row: [step.do for step in row.steps],
    **fields("changed"),
    "error_kind": lambda row: row.error and row.error.kind,
    "error": lambda row: row.error and row.error.message,
    **fields("elapsed_s"),
    "undo": lambda row: row.undo and row.undo.word,
    **fields("accepted"),
}


def _side(side: str, name: str) -> Callable[[ChangeRow], object]:
    def read(row: ChangeRow) -> Any:
        found = getattr(row, side)
        return None if found is None else getattr(found, name)

    return read


DIFF: dict[str, Callable[[ChangeRow], object]] = {
    **fields("name", "kind"),
    **{
        f"{side}_{name}": _side(side, name)
        for name in ("verdict", "status", "kms_host", "expires", "error")
        for side in ("before", "after")
    },
    **fields("appeared", "resolved", "fields"),
}
