"""Findings that the operator accepts: shown, not counted against the server, not repaired.  Pure.

What an acceptance looks like in an inventory or on the command line is
``volact.inventory.expect``'s.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from msgspec.structs import replace

from volact.model.finding import Acceptance, Accepted, Finding


def accept(
    findings: Iterable[Finding], expected: Iterable[Acceptance], now: datetime
) -> tuple[Finding, ...]:
    """The findings, those that are accepted ``now`` marked so.

    Of several acceptances of one finding the first decides; its last day is a whole day in UTC.
    """
    first: dict[str, Acceptance] = {}
    for each in expected:
        first.setdefault(each.finding, each)
    return tuple(
        _accepted(finding, one)
        if (one := first.get(finding.id)) is not None and not is_over(one, now)
        else finding
        for finding in findings
    )


def is_over(acceptance: Acceptance, now: datetime) -> bool:
    """Whether its last day has passed."""
    return acceptance.until is not None and acceptance.until < now.astimezone(UTC).date()


def _accepted(finding: Finding, by: Acceptance) -> Finding:
    accepted = Accepted(severity=finding.severity, reason=by.reason, until=by.until)
    return replace(finding, severity="accepted", accepted=accepted)
