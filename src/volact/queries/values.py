"""The answers: frozen values, a part of the JSON documents of the verbs that show them.

Names here are a contract, like ``model.report``; a change is one of CHANGELOG.md.
Moments are ISO 8601, UTC.  Nothing here reads a database.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from volact.core.change import ChangeKind, Snapshot
from volact.core.licence_end import EndState
from volact.model.report import Cluster, ErrorRow, ServerReport, Summary, Verdict
from volact.model.undo import UndoRow

ALL_WELL = 0
PRESSING = 3
NOT_KNOWN = 4


class ServerState(msgspec.Struct, frozen=True):
    """A server's current state, as the store keeps it: one item of a list.

    Up to ``provider`` it is the newest row's, from ``examined_at`` on the newest
    examination's; ``verdict`` is that of the row, ``status_row`` brings it up to now.
    """

    name: str
    tags: tuple[str, ...]
    address: str
    verdict: Verdict
    error_kind: str | None
    cause: str  # a finding's id, or error:<kind>; "" where nothing is wrong
    subnet: str
    first_seen: str
    last_seen: str
    last_run: str
    provider: str | None
    examined_at: str | None
    examined_run: str | None
    release: str | None
    kms_host: str | None
    status: str | None
    term: EndState  # never "expired": what holds at any time
    expires: str | None  # as the server reported it
    ends: str | None  # the same where it is a time
    overdue: bool
    lapses: str | None = None  # the end of an acceptance without which it is not healthy
    lapse_cause: str = ""


class RunServer(msgspec.Struct, frozen=True):
    """One server's row of a run: one item of a list."""

    name: str
    at: str
    address: str
    verdict: Verdict
    cause: str
    changed: bool
    error_kind: str | None
    provider: str | None
    release: str | None
    edition: str | None
    status: str | None
    channel: str | None
    partial_key: str | None
    expires: str | None
    kms_host: str | None
    findings: tuple[str, ...]  # severity:id


class SentStep(msgspec.Struct, frozen=True):
    """A step that was sent to a server, and what it answered; ``ok`` is null for no answer."""

    run: str
    server: str
    at: str
    position: int
    address: str
    provider: str
    step: str
    ok: bool | None
    changed: bool | None
    hresult: int | None
    params: dict[str, Any]
    because: tuple[str, ...]
    before: dict[str, Any]  # from the facts, recorded before the step was sent
    seen_before: dict[str, Any]  # as the step itself found it
    after: dict[str, Any]


class StatusRow(msgspec.Struct, frozen=True, kw_only=True):
    """A server as far as it is known; ``verdict`` is as of now."""

    name: str
    address: str
    provider: str | None
    verdict: Verdict
    cause: str  # a finding's id, or error:<kind>; "" where nothing is wrong
    release: str | None
    kms_host: str | None
    status: str | None
    ending: EndState
    expires: str | None
    days_left: float | None
    examined: str | None  # the newest successful examination
    looked: str  # the newest examination
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
    not_started: int


class Age(msgspec.Struct, frozen=True, kw_only=True):
    """Servers whose newest successful examination is this old; no days: never examined."""

    from_days: int | None
    below_days: int | None
    servers: int


class Stale(msgspec.Struct, frozen=True, kw_only=True):
    """Servers without a successful examination for long."""

    after_days: float
    servers: int
    names: tuple[str, ...]  # some of them, the longest unseen first


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
    """One examination of a server, and what had come and gone since the one before it."""

    at: str
    run: str
    command: str
    verdict: Verdict
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
    accepted: tuple[str, ...] = ()  # of ``stands``: what the operator accepted
    changed: bool = False  # a step changed something, also one whose answer was lost


class ChangeRow(msgspec.Struct, frozen=True, kw_only=True):
    """A server that differs between two runs; ``null`` where a run did not examine it."""

    name: str
    kind: ChangeKind
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


class FindingCount(msgspec.Struct, frozen=True):
    """How many servers have a finding, by their newest examination."""

    finding: str
    severity: str
    servers: int


class FleetStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The fleet in numbers; ``troubled`` are the first of those that need attention."""

    summary: Summary
    expired_since: int
    endings: tuple[Ends, ...]
    providers: tuple[Group, ...]
    releases: tuple[Group, ...]
    kms_hosts: tuple[Group, ...]
    clusters: tuple[Cluster, ...]
    ages: tuple[Age, ...]
    stale: Stale
    troubled: tuple[StatusRow, ...] = ()
    accepted: tuple[FindingCount, ...] = ()  # findings that the operator accepts


class History(msgspec.Struct, frozen=True, kw_only=True):
    """Examinations of one server, the newest first; ``next`` is the cursor of older ones.

    ``server`` is the newest of these reports with an examination of the server; ``None``
    where the store has none.
    """

    server: ServerReport | None
    looks: tuple[LookRow, ...]
    next: str = ""


class Diff(msgspec.Struct, frozen=True):
    """Servers that differ between two runs, the most pressing first, and the counts of all."""

    servers: tuple[ChangeRow, ...]
    summary: DiffSummary

    @property
    def exit_code(self) -> int:
        """3: something got worse.  4: not that, but something could not be examined any more."""
        if self.summary.worse:
            return PRESSING
        return NOT_KNOWN if self.summary.lost else ALL_WELL


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


class Endings(msgspec.Struct, frozen=True):
    """What ends, the earliest first; what is not known; the counts of all."""

    servers: tuple[ExpiringRow, ...]
    unknown: tuple[ExpiringRow, ...]
    summary: ExpiringSummary

    @property
    def exit_code(self) -> int:
        """3: some licence ends.  4: none that is known of, but not all are known."""
        if self.servers:
            return PRESSING
        return NOT_KNOWN if self.unknown else ALL_WELL
