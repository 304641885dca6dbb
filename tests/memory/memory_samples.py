"""Rows of a store, built: servers as a run left them, at moments that a test chooses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
from report_samples import attention, failed, healthy, unreachable

from volact.model.finding import Finding
from volact.model.report import ErrorRow, LicenseRow, ServerReport, Summary
from volact.store.values import Latest, RunRow, StoredRow

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
OVERDUE = Finding(id="renewal-overdue", severity="warning", summary="The renewal is overdue")


def iso(days: float) -> str:
    """The moment so many days after now."""
    return f"{NOW + timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}"


def stored(report: ServerReport, *, days: float = 0, run: str = "b") -> StoredRow:
    """A row that was finished so many days after now (before: negative)."""
    return StoredRow(run=run, at=iso(days), report=report)


def latest(report: ServerReport, *, days: float = 0, before: StoredRow | None = None) -> Latest:
    """A server whose newest row this is; ``before`` is its newest good look, if this is none."""
    row = stored(report, days=days)
    return Latest(newest=row, examined=row if report.examined else before)


def licensed(name: str, days: float | None, *findings: Finding, host: str = "") -> ServerReport:
    """A healthy server whose licence ends so many days after now."""
    row = healthy(name)
    license = msgspec.structs.replace(
        row.license,
        expires=None if days is None else iso(days),
        kms_host=host or row.license.kms_host,
    )
    return msgspec.structs.replace(row, license=license, findings=findings)


def channelled(name: str, channel: str) -> ServerReport:
    """A licensed server whose licence has no end that was read."""
    row = licensed(name, None)
    license = LicenseRow(status="licensed", channel=channel)
    return msgspec.structs.replace(row, license=license)


def not_begun(name: str) -> ServerReport:
    """A server whose turn never came."""
    error = ErrorRow(kind="not-begun", message="the run ended before its turn")
    return msgspec.structs.replace(unreachable(name), verdict="not-started", error=error)


def run_row(id: str = "b", **given: object) -> RunRow:
    """A run as the store lists it."""
    row = RunRow(
        id=id,
        command="check",
        started=iso(-1),
        elapsed_s=4.2,
        volact="0.1.0",
        finished=True,
        summary=Summary(servers=3, healthy=2, attention=1),
        words="volact check -i fleet.toml",
    )
    return msgspec.structs.replace(row, **given)


__all__ = [
    "NOW", "OVERDUE", "attention", "channelled", "failed", "healthy", "iso", "latest", "licensed",
    "not_begun", "run_row", "stored", "unreachable",
]  # fmt: skip
