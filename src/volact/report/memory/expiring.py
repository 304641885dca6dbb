"""Which licences end soon, as of now; those of which nobody knows stand apart.

Holds the rows that are shown, counts the rest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from volact.core.ending import LicenceEnd, licence_end
from volact.report.memory.documents import Expiring, ExpiringRow, ExpiringSummary
from volact.report.memory.status import known
from volact.store.values import Latest, StoredRow

ALL_WELL = 0
SOME_END = 3
SOME_UNKNOWN = 4
_OVERDUE = "renewal-overdue"


class Endings(msgspec.Struct, frozen=True):
    """What ends, the earliest first; what is not known; the counts of all."""

    servers: tuple[ExpiringRow, ...]
    unknown: tuple[ExpiringRow, ...]
    summary: ExpiringSummary

    @property
    def exit_code(self) -> int:
        """3: some licence ends.  4: none that is known of, but not all are known."""
        if self.servers:
            return SOME_END
        return SOME_UNKNOWN if self.unknown else ALL_WELL


def expiring(fleet: Iterable[Latest], now: datetime, within: timedelta) -> Endings:
    """The servers whose licence ends within a span, or whose renewal is overdue."""
    counts: Counter[str] = Counter()
    servers: list[ExpiringRow] = []
    unknown: list[ExpiringRow] = []
    for latest in fleet:
        seen = latest.examined
        end = licence_end(seen.report.license if seen else None, now)
        state = _state(seen, end, within)
        counts[state or ("later" if end.state == "ends" else end.state)] += 1
        if state:
            (unknown if state == "unknown" else servers).append(_row(latest, state, end))
    servers.sort(key=lambda row: (row.expires or "\uffff", row.name))
    unknown.sort(key=lambda row: row.name)
    return Endings(tuple(servers), tuple(unknown), ExpiringSummary(**counts))


def _state(seen: StoredRow | None, end: LicenceEnd, within: timedelta) -> Expiring | None:
    """Why the server is shown, if it is."""
    if end.state in ("unlicensed", "never"):
        return None
    if end.state == "expired":
        return "expired"
    if end.days is not None and end.days * 86400 <= within.total_seconds():
        return "ends"
    if seen and _overdue(seen):
        return "overdue"
    return "unknown" if end.days is None else None


def _overdue(seen: StoredRow) -> bool:
    return any(finding.id == _OVERDUE for finding in seen.report.findings)


def _row(latest: Latest, state: Expiring, end: LicenceEnd) -> ExpiringRow:
    seen, report = latest.examined, known(latest)
    license = seen.report.license if seen else None
    return ExpiringRow(
        name=report.name,
        address=report.address,
        provider=report.provider or (seen.report.provider if seen else None),
        state=state,
        expires=license.expires if license else None,
        days_left=None if end.days is None else round(end.days, 1),
        overdue=seen is not None and _overdue(seen),
        status=license.status if license else None,
        kms_host=license.kms_host if license else None,
        examined=seen.at if seen else None,
        why=_why(seen) if state == "unknown" else "",
    )


def _why(seen: StoredRow | None) -> str:
    """Why the end is not known."""
    if seen is None:
        return "never-examined"
    return "no-status" if seen.report.license.status is None else "no-end"
