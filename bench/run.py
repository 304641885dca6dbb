"""volact beside what else people use, on one lab in one go.

    python bench/run.py                 the whole: 100, 1,000 and 10,000 servers
    python bench/run.py --quick         a few servers, to see that everything runs
    python bench/run.py --no-peers      volact and the bare loops alone

Peers are installed into ``.venv-bench`` first.  Writes ``results/bench.json``
(``quick.json`` for less than the whole) and, for the whole, the tables into README.md.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import growth
import peers_env
import pieces
import slow_line
import tables
from labs import Lab, LabFailedError, lab
from measure import CommandFailedError, measure
from results import Results, Row, machine
from visitors import ACTIVATE, FOUR, PYINFRA_FOUR, Visitor, about, visitors

HERE = Path(__file__).parent
SIZES, QUICK = (100, 1000), 12
LARGEST = 10_000
# Cheap ones several times, for a median; what changes servers once on a lab.
ROUNDS, ONCE = 3, (ACTIVATE, PYINFRA_FOUR, FOUR)
_ENOUGH_S = 60.0
_SECONDS_PER_SERVER = 0.35  # of all visitors and rounds on two cores, measured


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def compare(place: Lab, peers: Path | None, rounds: int) -> Iterator[Row]:
    """Every visitor at one lab; one that fails is left out and the others go on."""
    for visitor in visitors(place, peers):
        try:
            row = _visited(place, visitor, rounds)
        except CommandFailedError as error:
            say(f"  {visitor.name} FAILED: {error}")
            continue
        say(f"  {row.line()}")
        yield row


def _visited(place: Lab, visitor: Visitor, rounds: int) -> Row:
    """Round after round, but no more once it has had its time."""
    costs, before = [], place.cpu_s()
    for _ in range(1 if visitor.name in ONCE else rounds):
        costs.append(measure(visitor.command, visitor.accept, visitor.environment))
        if sum(cost.wall_s for cost in costs) > _ENOUGH_S:
            break
    return Row.of(visitor.name, place.servers, costs, place.cpu_s() - before)


class Stages:
    """What was measured so far; a stage that fails costs no other."""

    def __init__(self, peers: Path | None, rounds: int, folder: Path) -> None:
        self.peers = peers
        self.rounds = rounds
        self.folder = folder
        self.results = Results(machine(), about(peers) if peers else {})

    def sized(self, size: int) -> None:
        """All visitors at a lab of a size."""
        with lab(size, self.folder / str(size)) as place:
            self.results.rows.extend(compare(place, self.peers, self.rounds))

    def grown(self, largest: int) -> None:
        """The largest lab, and a tenth of it."""
        self.results.grown.extend(growth.measured(largest, self.folder, say))

    def trips(self) -> None:
        """Round trips."""
        found = slow_line.round_trips(self.peers, self.folder, self.rounds)
        self.results.trips.extend([*found, *pieces.round_trips(self.rounds)])

    def slow(self) -> None:
        """A fleet behind a slow line."""
        self.results.slow.extend(slow_line.fleet(self.peers, self.folder, say))

    def floor(self) -> None:
        """What a visit is made of."""
        self.results.pieces.extend(pieces.measured(self.folder, self.rounds))


def whole(sizes: tuple[int, ...], peers: Path | None, rounds: int, largest: int) -> Results:
    """Everything, in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="volact-bench-") as name:
        stages = Stages(peers, rounds, Path(name))
        plan: list[tuple[str, Callable[[], None]]] = [
            (f"{size:,} servers", partial(stages.sized, size)) for size in sizes
        ]
        plan += [("growth", partial(stages.grown, largest))] if largest else []
        plan += [("round trips", stages.trips), ("what a visit is made of", stages.floor)]
        plan += [("a slow line", stages.slow)] if rounds > 1 else []
        for title, work in plan:
            say(title)
            try:
                work()
            except (CommandFailedError, LabFailedError, subprocess.CalledProcessError) as error:
                say(f"  FAILED: {error}")
    return stages.results


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a few servers, one round")
    parser.add_argument("--no-peers", action="store_true", help="only what is installed already")
    parser.add_argument("--sizes", type=int, nargs="+", metavar="N", help="instead of 100 1000")
    parser.add_argument("--servers", type=int, default=QUICK, metavar="N", help="for --quick")
    parser.add_argument("--results", type=Path, metavar="FILE", help="instead of results/*.json")
    parser.add_argument("--largest", type=int, default=LARGEST, metavar="N", help="0: not at all")
    wanted = parser.parse_args()
    peers = None if wanted.no_peers else peers_env.ready(only_if_there=wanted.quick)
    sizes = tuple(wanted.sizes or ((wanted.servers,) if wanted.quick else SIZES))
    largest = 0 if wanted.quick else wanted.largest
    seconds = 240 + _SECONDS_PER_SERVER * sum(sizes) + 0.06 * largest
    say(f"about {max(1, round(seconds / 60))} minutes")
    results = whole(sizes, peers, 1 if wanted.quick else ROUNDS, largest)
    whole_one = peers is not None and sizes == SIZES and largest == LARGEST
    usual = HERE / "results" / ("bench.json" if whole_one else "quick.json")
    results.write(wanted.results or usual)
    if not results.complete:
        say("nothing to compare: volact or the bare loop did not get through")
        return 1
    print(tables.markdown(results))
    if whole_one:
        tables.into(HERE / "README.md", results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
