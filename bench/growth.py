"""How time and memory grow with the number of servers: the largest lab, and what is written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from labs import Lab, lab
from measure import measure
from results import Row
from visitors import BARE, CHECK, EXAMINED, Visitor, store_of, visitors, volact

EVERYTHING = "volact check, store and six reports"
_REPORTS = ("html", "json", "jsonl", "csv", "junit", "prometheus")


def everything(place: Lab) -> Visitor:
    """A check that writes all that it can."""
    folder = place.inventory.parent
    reports = (word for name in _REPORTS for word in ("--report", f"{name}={folder / name}.out"))
    words = volact("check", place, "--store", f"{store_of(place)}.all", *reports)
    return Visitor(EVERYTHING, words, EXAMINED)


def measured(largest: int, folder: Path, tell: Callable[[str], None]) -> list[Row]:
    """A tenth of the largest lab, then the largest, whole."""
    rows = []
    for size in (largest // 10, largest):
        tell(f"{size:,} servers, for the growth")
        with lab(size, folder / f"grown-{size}") as place:
            tell(f"  the lab has {place.memory_kb() / 1024:.0f} MB")
            for visitor in (*_bare_and_check(place), everything(place)):
                before = place.cpu_s()
                cost = measure(visitor.command, visitor.accept)
                rows.append(Row.of(visitor.name, size, [cost], place.cpu_s() - before))
                tell(f"  {rows[-1].line()}")
            tell(f"  the lab has {place.memory_kb() / 1024:.0f} MB")
    return rows


def _bare_and_check(place: Lab) -> list[Visitor]:
    return [one for one in visitors(place, None) if one.name in (BARE, CHECK)]
