"""Precision and recall per finding, the confusion list, and the bar."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec
from judging import Judged

PRECISION_BAR = 0.98


class Row(msgspec.Struct, frozen=True):
    """One finding id over all cases."""

    id: str
    expected: int
    right: int
    extra: int

    @property
    def recall(self) -> float:
        """Of those that are there, the share that was found."""
        return self.right / self.expected if self.expected else 1.0

    @property
    def precision(self) -> float:
        """Of those that were found, the share that is there."""
        found = self.right + self.extra
        return self.right / found if found else 1.0


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """All cases together."""

    cases: int
    rows: tuple[Row, ...]
    error_recall: float
    precision: float
    plans_right: int
    unsafe: int
    confusion: tuple[str, ...]

    def failures(self) -> list[str]:
        """Which bars are missed, in words; none: the bar is met."""
        lines = []
        if self.error_recall < 1.0:
            lines.append(f"recall on errors is {self.error_recall:.2%}, not 100 %")
        if self.precision <= PRECISION_BAR:
            lines.append(f"precision is {self.precision:.2%}, not over {PRECISION_BAR:.0%}")
        if self.unsafe:
            lines.append(f"{self.unsafe} unsafe plans")
        if self.plans_right < self.cases:
            lines.append(f"{self.cases - self.plans_right} plans are not the expected ones")
        return lines


def score(judged: Iterable[Judged]) -> Score:
    """Count everything."""
    all_judged = tuple(judged)
    wanted, right, extra = _counts(all_judged)
    ids = sorted({id for _, id in (*wanted, *extra)})
    rows = tuple(
        Row(
            id,
            *(sum(c[s, id] for s in ("error", "warning", "info")) for c in (wanted, right, extra)),
        )
        for id in ids
    )
    errors = sum(count for (severity, _), count in wanted.items() if severity == "error")
    found = sum(count for (severity, _), count in right.items() if severity == "error")
    total_right, total_extra = sum(right.values()), sum(extra.values())
    return Score(
        cases=len(all_judged),
        rows=rows,
        error_recall=found / errors if errors else 1.0,
        precision=total_right / (total_right + total_extra) if total_right + total_extra else 1.0,
        plans_right=sum(not (one.wrong_plan() or one.wrong_refusals()) for one in all_judged),
        unsafe=sum(bool(one.answer.breaches) for one in all_judged),
        confusion=tuple(line for one in all_judged for line in one.complaints()),
    )


def table(found: Score) -> str:
    """The score as text: a line per finding, totals, the confusion list."""
    lines = [f"{'finding':<32}{'cases':>6}{'found':>7}{'extra':>7}{'recall':>9}{'precision':>11}"]
    lines += [
        f"{row.id:<32}{row.expected:>6}{row.right:>7}{row.extra:>7}"
        f"{row.recall:>9.1%}{row.precision:>11.1%}"
        for row in found.rows
    ]
    lines += [
        "",
        f"cases                    {found.cases}",
        f"recall on errors         {found.error_recall:.2%}",
        f"precision                {found.precision:.2%}",
        f"plans as expected        {found.plans_right} of {found.cases}",
        f"unsafe plans             {found.unsafe}",
    ]
    if found.confusion:
        lines += ["", "not as expected:", *(f"  {line}" for line in found.confusion)]
    return "\n".join(lines)


def _counts(
    judged: tuple[Judged, ...],
) -> tuple[Counter[tuple[str, str]], Counter[tuple[str, str]], Counter[tuple[str, str]]]:
    """Expected, found rightly, and found wrongly, by severity and id."""
    wanted: Counter[tuple[str, str]] = Counter()
    right: Counter[tuple[str, str]] = Counter()
    extra: Counter[tuple[str, str]] = Counter()
    for one in judged:
        expect = one.case.expect
        pairs = [("error", id) for id in expect.errors]
        pairs += [("warning", id) for id in expect.warnings]
        pairs += [("info", id) for id in expect.infos]
        missing = set(one.missing())
        wanted.update(pairs)
        right.update(pair for pair in pairs if pair not in missing)
        extra.update(one.extra())
    return wanted, right, extra
