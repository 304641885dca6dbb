"""The JSON documents of the verbs that read the store: a contract, like ``model.report``.

Names only; how they are filled is in the digest of each verb.  Changing a name
here is a change of contract (CHANGELOG.md).  Moments are ISO 8601, UTC.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from volact.core.change import Kind, Snapshot
from volact.core.ending import EndState
from volact.model.report import Cluster, ErrorRow, Summary, Word
from volact.model.undo import UndoRow
from volact.store.values import RunRow


class RunsDocument(msgspec.Struct, frozen=True, kw_only=True):
    """``volact runs``, the newest first."""

    volact: str
    command: Literal["runs"]
    now: str
    runs: tuple[RunRow, ...]


class StatusRow(msgspec.Struct, frozen=True, kw_only=True):
    """A server as far as it is known; ``verdict`` is as of now."""

    name: str
    address: str
    provider: str | None
    verdict: Word
    cause: str  # a finding's id, or error:<kind>; "" where nothing is wrong
    release: str | None
    kms_host: str | None
    status: str | None
    ending: EndState
    expires: str | None
    days_left: float | None
    examined: str | None  # the newest look that succeeded
    looked: str  # the newest look
    run: str


class Ends(msgspec.Struct, frozen=True, kw_only=True):
    """One bar of the histogram; the days only where the licence ends in time to come."""

    ending: EndState
    from_days: int | None = None
    below_days: int | None = None
    servers: int = 0


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Servers that have one value in common; ``null``: not known."""

    value: str | None
    servers: int
    healthy: int
    attention: int
    failed: int
    unreachable: int


class Age(msgspec.Struct, frozen=True, kw_only=True):
    """Servers whose newest good look is this old; no days: never examined."""

    from_days: int | None
    below_days: int | None
    servers: int


class Stale(msgspec.Struct, frozen=True, kw_only=True):
    """Servers without a good look for long."""

    after_days: float
    servers: int
    names: tuple[str, ...]  # some of them, the longest unseen first


class StatusDocument(msgspec.Struct, frozen=True, kw_only=True):
    """``volact status``."""

    volact: str
    command: Literal["status"]
    now: str
    servers: tuple[StatusRow, ...]
    summary: Summary
    expired_since: int  # of them: looked healthy, and the licence has run out since
    endings: tuple[Ends, ...]
    providers: tuple[Group, ...]
    releases: tuple[Group, ...]
    kms_hosts: tuple[Group, ...]
    clusters: tuple[Cluster, ...]
    ages: tuple[Age, ...]
    stale: Stale
    last_run: RunRow | None


class StepRow(msgspec.Struct, frozen=True, kw_only=True):
    """A step that was applied."""

    do: str
    ok: bool
    changed: bool
    hresult: int | None = None
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    note: str = ""


class LookRow(msgspec.Struct, frozen=True, kw_only=True):
    """One look at a server, and what had come and gone since the one before it."""

    at: str
    run: str
    command: str
    verdict: Word
    status: str | None
    kms_host: str | None
    expires: str | None
    cause: str
    said: str  # the leading finding's own sentence
    came: tuple[str, ...]
    went: tuple[str, ...]
    stands: tuple[str, ...]
    steps: tuple[StepRow, ...]
    refused: tuple[str, ...]  # what volact would not do: ids of findings
    error: ErrorRow | None
    elapsed_s: float
    undo: UndoRow | None = None  # of ``volact undo``: what of an earlier run was put back


class HistoryDocument(msgspec.Struct, frozen=True, kw_only=True):
    """``volact history SERVER``, the newest look first."""

    volact: str
    command: Literal["history"]
    now: str
    server: str
    looks: tuple[LookRow, ...]


class ChangeRow(msgspec.Struct, frozen=True, kw_only=True):
    """A server that differs between two runs; ``null`` where a run has no look at it."""

    name: str
    kind: Kind
    before: Snapshot | None
    after: Snapshot | None
    appeared: tuple[str, ...]
    resolved: tuple[str, ...]
    fields: tuple[str, ...]


class DiffSummary(msgspec.Struct, frozen=True, kw_only=True):
    """How many servers changed in which way; ``findings`` come and gone, by id."""

    worse: int = 0
    lost: int = 0
    changed: int = 0
    gone: int = 0
    regained: int = 0
    new: int = 0
    better: int = 0
    same: int = 0
    appeared: dict[str, int] = {}
    resolved: dict[str, int] = {}


class DiffDocument(msgspec.Struct, frozen=True, kw_only=True):
    """``volact diff RUN RUN``; servers that are the same are only counted."""

    volact: str
    command: Literal["diff"]
    now: str
    before: RunRow
    after: RunRow
    servers: tuple[ChangeRow, ...]
    summary: DiffSummary


# overdue: the licence ends later, but its renewal has not happened when it should.
Expiring = Literal["expired", "ends", "overdue", "unknown"]


class ExpiringRow(msgspec.Struct, frozen=True, kw_only=True):
    """A server whose licence ends soon, or of which that is not known."""

    name: str
    address: str
    provider: str | None
    state: Expiring
    expires: str | None
    days_left: float | None
    overdue: bool
    status: str | None
    kms_host: str | None
    examined: str | None
    why: str  # of "unknown": never-examined, no-status, no-end


class ExpiringSummary(msgspec.Struct, frozen=True, kw_only=True):
    """All servers, by what is known of their licence's end."""

    expired: int = 0
    ends: int = 0
    overdue: int = 0
    unknown: int = 0
    later: int = 0
    never: int = 0
    unlicensed: int = 0


class ExpiringDocument(msgspec.Struct, frozen=True, kw_only=True):
    """``volact expiring``, the earliest end first."""

    volact: str
    command: Literal["expiring"]
    now: str
    within_days: float
    servers: tuple[ExpiringRow, ...]
    unknown: tuple[ExpiringRow, ...]
    summary: ExpiringSummary
