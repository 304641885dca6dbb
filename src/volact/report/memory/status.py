"""The fleet at a glance: counts of what is known of every server, as of now.

Fed a server at a time; holds counts and a few names, never rows.
"""

from __future__ import annotations

import heapq
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from volact.core.clusters import Clusters
from volact.core.ending import EndState, LicenceEnd, days_until, licence_end
from volact.model.report import Cluster, ServerReport, Summary, Word
from volact.report.memory.documents import Age, Ends, Group, Stale, StatusRow
from volact.report.words import cause
from volact.store.values import Latest

# Upper bounds in days; the last has none.
END_DAYS: tuple[int | None, ...] = (7, 30, 90, 150, None)
AGE_DAYS: tuple[int | None, ...] = (1, 7, 30, 90, None)
_OTHER_ENDS: tuple[EndState, ...] = ("never", "unlicensed", "unknown")
_NAMES = 10


class StatusDigest:
    """Counts of a fleet as it stands at ``now``."""

    def __init__(self, now: datetime, stale: timedelta) -> None:
        self.now = now
        self.verdicts: Counter[Word] = Counter()
        self.expired_since = 0
        self._ends: Counter[tuple[EndState, int | None]] = Counter()
        self._ages: Counter[int | None] = Counter()
        self._never = 0
        self._groups: dict[str, dict[str | None, Counter[str]]] = {
            name: {} for name in ("providers", "releases", "kms_hosts")
        }
        self._clusters = Clusters()
        self._stale_days = stale.total_seconds() / 86400
        self._stale = 0
        self._oldest: list[tuple[float, str]] = []

    def add(self, latest: Latest) -> StatusRow:
        """Count a server; its own row."""
        row = status_row(latest, self.now)
        self.verdicts[row.verdict] += 1
        self.expired_since += row.verdict != known(latest).verdict
        self._ends[row.ending, _bound(row.days_left, END_DAYS, row.ending == "ends")] += 1
        self._age(row)
        for name, value in (
            ("providers", row.provider),
            ("releases", row.release),
            ("kms_hosts", row.kms_host),
        ):
            self._groups[name].setdefault(value or None, Counter())[row.verdict] += 1
        self._clusters.add(known(latest))
        return row

    def rest(self) -> dict[str, Any]:
        """Everything of the document that is not a server's."""
        return {
            "summary": self.summary(),
            "expired_since": self.expired_since,
            "endings": self.endings(),
            "providers": self.groups("providers"),
            "releases": self.groups("releases"),
            "kms_hosts": self.groups("kms_hosts"),
            "clusters": self.clusters(),
            "ages": self.ages(),
            "stale": self.stale(),
        }

    def summary(self) -> Summary:
        """The counts by verdict."""
        return Summary(
            servers=self.verdicts.total(),
            healthy=self.verdicts["healthy"],
            attention=self.verdicts["attention"],
            failed=self.verdicts["failed"],
            unreachable=self.verdicts["unreachable"],
        )

    def clusters(self) -> tuple[Cluster, ...]:
        """What many of them have in common, by each server's newest look."""
        return self._clusters.clusters()

    def endings(self) -> tuple[Ends, ...]:
        """The histogram of days to the end, the most pressing first; every bar is there."""
        bars = [Ends(ending="expired", servers=self._ends["expired", None])]
        bars += [
            Ends(ending="ends", from_days=low, below_days=high, servers=self._ends["ends", high])
            for low, high in _ranges(END_DAYS)
        ]
        bars += [Ends(ending=state, servers=self._ends[state, None]) for state in _OTHER_ENDS]
        return tuple(bars)

    def groups(self, name: str) -> tuple[Group, ...]:
        """The servers by one thing they have in common, the largest group first."""
        made = [
            Group(
                value=value,
                servers=counts.total(),
                healthy=counts["healthy"],
                attention=counts["attention"],
                failed=counts["failed"],
                unreachable=counts["unreachable"],
            )
            for value, counts in self._groups[name].items()
        ]
        return tuple(sorted(made, key=lambda group: (-group.servers, group.value or "\uffff")))

    def ages(self) -> tuple[Age, ...]:
        """How old the knowledge is; last, without days: never examined."""
        bars = [
            Age(from_days=low, below_days=high, servers=self._ages[high])
            for low, high in _ranges(AGE_DAYS)
        ]
        return (*bars, Age(from_days=None, below_days=None, servers=self._never))

    def stale(self) -> Stale:
        """Those not seen for long."""
        oldest = sorted(self._oldest, key=lambda item: (-item[0], item[1]))
        names = tuple(name for _, name in oldest)
        return Stale(after_days=self._stale_days, servers=self._stale, names=names)

    def _age(self, row: StatusRow) -> None:
        left = days_until(row.examined, self.now)
        age = float("inf") if left is None else max(0.0, -left)
        if left is None:
            self._never += 1
        else:
            self._ages[_bound(age, AGE_DAYS, True)] += 1
        if age >= self._stale_days:
            self._stale += 1
            keep = heapq.heappush if len(self._oldest) < _NAMES else heapq.heappushpop
            keep(self._oldest, (age, row.name))


def known(latest: Latest) -> ServerReport:
    """The row that says where the server stands: a run that never got to it says nothing."""
    newest = latest.newest.report
    not_begun = newest.error is not None and newest.error.kind == "not-begun"
    return latest.examined.report if not_begun and latest.examined else newest


def status_row(latest: Latest, now: datetime) -> StatusRow:
    """A server as it stands at ``now``, as far as it is known."""
    report, seen = known(latest), latest.examined
    license = seen.report.license if seen else None
    end = licence_end(license, now)
    verdict = verdict_now(report.verdict, end)
    return StatusRow(
        name=report.name,
        address=report.address,
        provider=report.provider or (seen.report.provider if seen else None),
        verdict=verdict,
        cause=_cause(report, verdict),
        release=seen.report.os.release if seen else None,
        kms_host=license.kms_host if license else None,
        status=license.status if license else None,
        ending=end.state,
        expires=license.expires if license else None,
        days_left=None if end.days is None else round(end.days, 1),
        examined=seen.at if seen else None,
        looked=latest.newest.at,
        run=latest.newest.run,
    )


def verdict_now(seen: Word, end: LicenceEnd) -> Word:
    """A verdict, unless the licence has run out since."""
    return "attention" if seen == "healthy" and end.state == "expired" else seen


def _cause(report: ServerReport, verdict: Word) -> str:
    if report.verdict == "healthy":
        return "" if verdict == "healthy" else "not-licensed"
    return cause(report)


def _bound(days: float | None, bounds: tuple[int | None, ...], wanted: bool) -> int | None:
    """The upper bound of the range that the days fall into."""
    if not wanted or days is None:
        return None
    return next((bound for bound in bounds if bound is not None and days < bound), None)


def _ranges(bounds: tuple[int | None, ...]) -> list[tuple[int, int | None]]:
    return list(zip((0, *(bound or 0 for bound in bounds)), bounds, strict=False))
