"""A finding: one thing about a server that is wrong or notable."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

import msgspec

Severity = Literal["error", "warning", "info", "accepted"]
Repair = Literal["automatic", "needs-consent", "manual"]


class Acceptance(msgspec.Struct, frozen=True, kw_only=True):
    """The operator accepts a finding on a server: why, and the last day (UTC) on which."""

    finding: str
    reason: str = ""
    until: date | None = None

    def __str__(self) -> str:
        until = f" until {self.until}" if self.until else ""
        return f"{self.finding}{until}{f': {self.reason}' if self.reason else ''}"


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """``accepted`` of a finding: its severity otherwise, the reason, and the last day (UTC)."""

    severity: Severity
    reason: str = ""
    until: date | None = None


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """``id`` is stable and has a page ``docs/findings/<id>.md``.

    ``evidence`` holds the facts the finding rests on (JSON values only).
    ``remedy`` is what is left for a person when volact does not repair it.
    A finding that the operator accepts has the severity ``accepted``.
    """

    id: str
    severity: Severity
    summary: str
    evidence: dict[str, Any] = {}
    repair: Repair = "manual"
    remedy: str = ""
    accepted: Accepted | msgspec.UnsetType = msgspec.UNSET  # of severity "accepted" only

    @property
    def own_severity(self) -> Severity:
        """How severe it is, whether it is accepted or not."""
        return self.accepted.severity if self.accepted else self.severity
