"""Two runs side by side: which servers changed, and how.

The first run is held in small snapshots, the second streams past it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from volact.core.change import KINDS, Change, Kind, compare, snapshot
from volact.report.memory.documents import ChangeRow, DiffSummary
from volact.store.values import StoredRow

ALL_WELL = 0
WORSE = 3
UNEXAMINED = 4


class Diff(msgspec.Struct, frozen=True):
    """Servers that differ, the most pressing first, and the counts of all."""

    servers: tuple[ChangeRow, ...]
    summary: DiffSummary

    @property
    def exit_code(self) -> int:
        """3: something got worse.  4: not that, but something could not be examined any more."""
        if self.summary.worse:
            return WORSE
        return UNEXAMINED if self.summary.lost else ALL_WELL


def diff(
    before: Iterable[StoredRow], after: Iterable[StoredRow], names: set[str] | None = None
) -> Diff:
    """What is different; only of these servers where names are given."""
    old = {row.report.name: snapshot(row.report) for row in before if _meant(row, names)}
    kinds: Counter[Kind] = Counter()
    appeared: Counter[str] = Counter()
    resolved: Counter[str] = Counter()
    rows: list[ChangeRow] = []

    def take(name: str, change: Change) -> None:
        kinds[change.kind] += 1
        appeared.update(change.appeared)
        resolved.update(change.resolved)
        if change.kind != "same":
            rows.append(_row(name, change))

    for row in after:
        if _meant(row, names):
            name = row.report.name
            was, is_ = old.pop(name, None), snapshot(row.report)
            if was is not None or is_ is not None:
                take(name, compare(was, is_))
    for name, was in old.items():
        if was is not None:
            take(name, compare(was, None))
    rows.sort(key=lambda row: (KINDS.index(row.kind), row.name))
    summary = DiffSummary(
        **{kind: kinds[kind] for kind in KINDS},
        appeared=_ranked(appeared),
        resolved=_ranked(resolved),
    )
    return Diff(tuple(rows), summary)


def _meant(row: StoredRow, names: set[str] | None) -> bool:
    return names is None or row.report.name in names


def _ranked(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _row(name: str, change: Change) -> ChangeRow:
    return ChangeRow(
        name=name,
        kind=change.kind,
        before=change.before,
        after=change.after,
        appeared=change.appeared,
        resolved=change.resolved,
        fields=change.fields,
    )
