"""The JSON contract: one row per server, and a run over many.

``msgspec.json.encode`` of these values *is* the document of the README.
Changing a name here is a change of contract (CHANGELOG.md).
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Literal, get_args

import msgspec

from volact.errors import ErrorKind
from volact.model.finding import Finding
from volact.model.undo import UndoRow

Verdict = Literal["healthy", "attention", "failed", "unreachable", "not-started"]


UNSEEN: tuple[Verdict, ...] = ("unreachable", "not-started")  # the server was not examined


class OsRow(msgspec.Struct, frozen=True, kw_only=True):
    """``os`` of the document; every field is null when not known."""

    release: str | None = None
    build: int | None = None
    edition: str | None = None
    language: str | None = None  # BCP 47, from the LCID


class LicenseRow(msgspec.Struct, frozen=True, kw_only=True):
    """``license`` of the document; every field is null when not known."""

    status: str | None = None  # unlicensed licensed initial-grace ... (core.licensing)
    channel: str | None = None
    partial_key: str | None = None
    kms_host: str | None = None
    kms_source: str | None = None  # policy product service lookup-domain dns cached
    expires: str | None = None
    cmid: str | None = None


class ErrorRow(msgspec.Struct, frozen=True, kw_only=True):
    """Why a server could not be examined.

    ``command`` is what is typed where volact runs before the next attempt, if one
    command repairs it.
    """

    kind: ErrorKind
    message: str
    command: str = ""


class ServerReport(msgspec.Struct, frozen=True, kw_only=True):
    """The state of one server at the end of a run."""

    name: str
    address: str
    provider: str | None
    verdict: Verdict
    os: OsRow = OsRow()
    license: LicenseRow = LicenseRow()
    findings: tuple[Finding, ...] = ()
    plan: tuple[dict[str, Any], ...] = ()  # {"do": ..., "because": [...], **params}
    refusals: tuple[dict[str, Any], ...] = ()
    reason: str = ""  # why nothing is planned
    results: tuple[dict[str, Any], ...] = ()
    resolved: tuple[str, ...] = ()
    error: ErrorRow | None = None
    executions: int = 0  # how often the agent ran there
    elapsed_s: float = 0.0
    addresses: tuple[str, ...] = ()  # the server's own
    clock_skew_s: int | None = None  # how far its clock is ahead; null when not measured
    undo: UndoRow | msgspec.UnsetType = msgspec.UNSET  # of ``volact undo`` only, else left out

    @property
    def examined(self) -> bool:
        """Whether this row shows how the server stands."""
        return self.verdict not in UNSEEN

    @property
    def changed(self) -> bool:
        """Whether a step changed something there.

        Where the answer to the steps was lost, what they resolved or undid shows it.
        """
        if self.results:
            return any(result.get("changed") for result in self.results)
        undone = self.undo.undone if self.undo and self.undo.word != "planned" else ()
        return bool(self.plan and (self.resolved or undone))

    @property
    def carried(self) -> bool:
        """Whether it is an earlier run's row: the server was not asked in this one."""
        return self.error is None and self.executions == 0


class Cluster(msgspec.Struct, frozen=True, kw_only=True):
    """Servers of a run that fail for one cause, and what else they have in common.

    ``where`` holds ``subnet``, ``kms_host``, ``release``, ``provider`` where all
    of them have the same and others of the run do not; ``of`` counts the servers
    of the run that have it, in any state.
    """

    cause: str  # a finding's id, or error:<kind>
    detail: str = ""  # what is the same in their evidence
    summary: str
    servers: int
    of: int
    where: dict[str, str] = {}
    names: tuple[str, ...] = ()  # some of them


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of a run; ``changed`` counts servers on which a step changed something.

    ``not_started`` are those whose turn never came: they are not ``unreachable``.
    """

    servers: int = 0
    healthy: int = 0
    attention: int = 0
    failed: int = 0
    unreachable: int = 0
    not_started: int = 0
    changed: int = 0


def counts_of(verdicts: Counter[Any]) -> dict[str, int]:
    """Counts by verdict as the fields of a ``Summary``, or of any struct with the same."""
    each = {verdict.replace("-", "_"): verdicts[verdict] for verdict in get_args(Verdict)}
    return {"servers": verdicts.total(), **each}


def count_of(counts: object, verdict: Verdict) -> int:
    """One verdict's count in a ``Summary``, or in any struct with the same fields."""
    found: int = getattr(counts, verdict.replace("-", "_"))
    return found


class StopRow(msgspec.Struct, frozen=True, kw_only=True):
    """Why a run began no more servers before all had their turn, and how it goes on."""

    why: str  # canary unproven failures interrupted run-time
    message: str
    not_begun: int
    command: str = ""  # what is typed to go on


class RunReport(msgspec.Struct, frozen=True, kw_only=True):
    """One invocation over many servers: the whole document."""

    volact: str
    command: str
    run: str
    started: str
    elapsed_s: float
    servers: tuple[ServerReport, ...]
    summary: Summary
    clusters: tuple[Cluster, ...] = ()
    notes: tuple[str, ...] = ()  # notes on the run itself
    stopped: StopRow | None = None  # then the first of the notes is about it, too
