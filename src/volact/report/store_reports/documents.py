"""The JSON documents of the verbs that read the store: a contract, like ``model.report``.

Names only; their parts are answers of ``volact.queries``.  Changing a name here is a
change of contract (CHANGELOG.md).  Moments are ISO 8601, UTC.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from volact.model.report import Cluster, Summary
from volact.queries.values import (
    Age,
    ChangeRow,
    DiffSummary,
    Ends,
    ExpiringRow,
    ExpiringSummary,
    FindingCount,
    FleetStatus,
    Group,
    LookRow,
    Stale,
    StatusRow,
)
from volact.store.values import RunRow


class RunsDocument(msgspec.Struct, frozen=True, kw_only=True):
    """``volact runs``, the newest first."""

    volact: str
    command: Literal["runs"]
    now: str
    runs: tuple[RunRow, ...]


class StatusDocument(msgspec.Struct, frozen=True, kw_only=True):
    """``volact status``."""

    volact: str
    command: Literal["status"]
    now: str
    servers: tuple[StatusRow, ...]
    summary: Summary
    expired_since: int  # of them: examined as healthy, and the licence has run out since
    endings: tuple[Ends, ...]
    providers: tuple[Group, ...]
    releases: tuple[Group, ...]
    kms_hosts: tuple[Group, ...]
    clusters: tuple[Cluster, ...]
    ages: tuple[Age, ...]
    stale: Stale
    accepted: tuple[FindingCount, ...]
    last_run: RunRow | None


def status_fields(status: FleetStatus) -> dict[str, Any]:
    """Everything of the document that is not one server's, in its order."""
    names = [field.name for field in msgspec.structs.fields(FleetStatus)]
    return {name: getattr(status, name) for name in names if name != "troubled"}


class HistoryDocument(msgspec.Struct, frozen=True, kw_only=True):
    """``volact history SERVER``, the newest examination first."""

    volact: str
    command: Literal["history"]
    now: str
    server: str
    looks: tuple[LookRow, ...]


class DiffDocument(msgspec.Struct, frozen=True, kw_only=True):
    """``volact diff RUN RUN``; servers that are the same are only counted."""

    volact: str
    command: Literal["diff"]
    now: str
    before: RunRow
    after: RunRow
    servers: tuple[ChangeRow, ...]
    summary: DiffSummary


class ExpiringDocument(msgspec.Struct, frozen=True, kw_only=True):
    """``volact expiring``, the earliest end first."""

    volact: str
    command: Literal["expiring"]
    now: str
    within_days: float
    servers: tuple[ExpiringRow, ...]
    unknown: tuple[ExpiringRow, ...]
    summary: ExpiringSummary
