"""The columns of ``--output csv``; only ever added at the end, people count them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from volact.queries.values import ChangeRow, LookRow
from volact.report.store_reports.document import fields
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
    "servers": lambda run: run.summary.servers,
    "healthy": lambda run: run.summary.healthy,
    "attention": lambda run: run.summary.attention,
    "failed": lambda run: run.summary.failed,
    "unreachable": lambda run: run.summary.unreachable,
    "changed": lambda run: run.summary.changed,
    **fields("words", "note"),
    "not_started": lambda run: run.summary.not_started,
}

HISTORY: dict[str, Callable[[LookRow], object]] = {
    **fields("at", "run", "command", "verdict", "status", "kms_host", "expires", "cause"),
    **fields("came", "went", "stands"),
    "steps": lambda look: [step.do for step in look.steps],
    "changed": lambda look: any(step.changed for step in look.steps),
    "error_kind": lambda look: look.error and look.error.kind,
    "error": lambda look: look.error and look.error.message,
    "elapsed_s": lambda look: look.elapsed_s,
    "undo": lambda look: look.undo and look.undo.word,
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
