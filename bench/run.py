"""volact beside what else people use, on one lab in one go.

    python bench/run.py                 the whole: 100, 1,000 and 10,000 servers
    python bench/run.py --quick         a few servers, to see that everything runs
    python bench/run.py --no-peers      volact and the bare loops alone

Peers are installed into ``.venv-bench`` first.  Writes ``results/bench.json``
(``quick.json`` for less than the whole) and, for the whole, the tables into README.md.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import growth
import peers_env
import pieces
import slow_line
import tables
from labs import Lab, lab
from measure import measure
from results import Results, Row, machine
from visitors import ACTIVATE, FOUR, PYINFRA_FOUR, Visitor, about, visitors

HERE = Path(__file__).parent
SIZES, QUICK = (100, 1000), 12
LARGEST = 10_000
# Cheap ones several times, for a median; what changes servers once on a lab.
ROUNDS, ONCE = 3, (ACTIVATE, PYINFRA_FOUR, FOUR)
_SECONDS_PER_SERVER = 0.35  # of all visitors and rounds on two cores, measured


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def compare(place: Lab, peers: Path | None, rounds: int) -> list[Row]:
    """Every visitor at one lab."""
    return [_visited(place, visitor, rounds) for visitor in visitors(place, peers)]


def _visited(place: Lab, visitor: Visitor, rounds: int) -> Row:
    costs, before = [], place.cpu_s()
    for _ in range(1 if visitor.name in ONCE else rounds):
        costs.append(measure(visitor.command, visitor.accept, visitor.environment))
    row = Row.of(visitor.name, place.servers, costs, place.cpu_s() - before)
    say(f"  {row.line()}")
    return row


def whole(sizes: tuple[int, ...], peers: Path | None, rounds: int, largest: int) -> Results:
    """Everything, in a folder that is gone afterwards."""
    rows: list[Row] = []
    where = machine()
    slow: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="volact-bench-") as name:
        for size in sizes:
            say(f"{size:,} servers")
            with lab(size, Path(name) / str(size)) as place:
                rows += compare(place, peers, rounds if size <= 1000 else 1)
        grown = growth.measured(largest, Path(name), say) if largest else []
        say("round trips, and a slow line")
        trips = [*slow_line.round_trips(peers, Path(name), rounds), *pieces.round_trips(rounds)]
        if rounds > 1:
            slow = slow_line.fleet(peers, Path(name), say)
        floor = pieces.measured(Path(name), rounds)
    versions = about(peers) if peers else {}
    return Results(where, versions, rows, grown, floor, trips, slow)


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
    print(tables.markdown(results))
    if whole_one:
        tables.into(HERE / "README.md", results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
