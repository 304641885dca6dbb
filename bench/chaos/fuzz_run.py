"""A run of the fuzz: every target, a number of inputs in all, from one seed.

    python bench/chaos/fuzz_run.py [--inputs 1000000] [--seed 5] [--workers 2] [--only NAME]

Prints a line per target and every crash once, by where it happened; the
inputs that crashed are kept in a folder that the last line names.  Exit code
1 when there was any.
"""

from __future__ import annotations

import argparse
import hashlib
import math
import multiprocessing
import os
import random
import sys
import tempfile
import time
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent)]

import fuzz_answers  # noqa: E402  (after the path)
import fuzz_clouds  # noqa: E402
import fuzz_inventories  # noqa: E402
import fuzz_services  # noqa: E402
import fuzz_words  # noqa: E402
from fuzz_base import Crash, Target, judge  # noqa: E402
from mutate import mutated, mutated_json  # noqa: E402

TARGETS: dict[str, Target] = {
    target.name: target
    for module in (fuzz_answers, fuzz_inventories, fuzz_services, fuzz_clouds, fuzz_words)
    for target in module.TARGETS
}
_CHUNK = 4000
_FEW = 20  # crashes of one chunk that are kept


@dataclass
class Counts:
    """What came of the inputs of one target."""

    target: str
    taken: int = 0
    refused: int = 0
    cpu_s: float = 0.0
    slowest_s: float = 0.0
    crashes: list[Crash] = field(default_factory=list)

    @property
    def inputs(self) -> int:
        """How many inputs there were."""
        return self.taken + self.refused + len(self.crashes)

    def add(self, other: Counts) -> None:
        """Count another part of the same target."""
        self.taken += other.taken
        self.refused += other.refused
        self.cpu_s += other.cpu_s
        self.slowest_s = max(self.slowest_s, other.slowest_s)
        self.crashes += other.crashes


Chunk = tuple[str, int, str]  # target, how many inputs, seed


def inputs(target: Target, count: int, seed: str) -> Iterator[bytes]:
    """Inputs of a target: each a real one, changed."""
    chance, seeds = random.Random(seed), list(target.seeds())
    change = mutated_json if target.kind == "json" else mutated
    for _ in range(count):
        yield change(chance.choice(seeds), seeds, chance)


def work(chunk: Chunk) -> Counts:
    """Feed one chunk."""
    warnings.filterwarnings("ignore", r"(?s).* fileds are useless")  # the SDK's, as volact does
    name, count, seed = chunk
    target, counts = TARGETS[name], Counts(name)
    for data in inputs(target, count, seed):
        outcome, took = judge(target, data)
        counts.cpu_s += took
        counts.slowest_s = max(counts.slowest_s, took)
        if isinstance(outcome, Crash):
            counts.crashes.append(outcome)
        elif outcome == "taken":
            counts.taken += 1
        else:
            counts.refused += 1
        if len(counts.crashes) >= _FEW:
            break
    return counts


def chunks(total: int, seed: int, names: Iterable[str]) -> list[Chunk]:
    """The work of a run, cut up; every target gets its share of the inputs."""
    chosen = [TARGETS[name] for name in names]
    whole = sum(target.share for target in chosen)
    made: list[Chunk] = []
    for target in chosen:
        left, part = math.ceil(total * target.share / whole), 0
        while left > 0:
            made.append((target.name, min(left, _CHUNK), f"{seed}/{target.name}/{part}"))
            left, part = left - _CHUNK, part + 1
    return made


def run(total: int, seed: int, workers: int, names: Iterable[str] = ()) -> dict[str, Counts]:
    """All of it; ``workers`` 0 stays in this process."""
    todo = chunks(total, seed, names or TARGETS)
    found: dict[str, Counts] = {name: Counts(name) for name, _, _ in todo}
    if not workers:
        for chunk in todo:
            found[chunk[0]].add(work(chunk))
        return found
    context = multiprocessing.get_context("spawn")
    with context.Pool(workers) as pool:
        for counts in pool.imap_unordered(work, todo):
            found[counts.target].add(counts)
            sys.stderr.write(".")
            sys.stderr.flush()
    sys.stderr.write("\n")
    return found


def table(found: dict[str, Counts], wall_s: float) -> str:
    """The run as a table of Markdown."""
    lines = [
        "| target | what is fed | inputs | taken | refused | crashes | slowest, ms |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, c in found.items():
        numbers = f"{c.inputs:,} | {c.taken:,} | {c.refused:,} | {len(c.crashes)}"
        lines.append(f"| `{name}` | {TARGETS[name].what} | {numbers} | {c.slowest_s * 1000:.0f} |")
    total, crashes = sum(c.inputs for c in found.values()), all_crashes(found)
    cpu = sum(c.cpu_s for c in found.values())
    lines.append(f"| **all** | | **{total:,}** | | | **{len(crashes)}** | |")
    rate = f"{total / wall_s:,.0f} inputs a second of wall time, {total / cpu:,.0f} a second of CPU"
    return "\n".join([*lines, "", f"{wall_s:.0f} s; {rate}."])


def all_crashes(found: dict[str, Counts]) -> list[Crash]:
    """Every crash of a run."""
    return [crash for counts in found.values() for crash in counts.crashes]


def keep(crashes: list[Crash]) -> None:
    """Print each kind of crash once and keep its input."""
    folder = Path(tempfile.mkdtemp(prefix="volact-fuzz-crashes-"))
    kinds: set[str] = set()
    for crash in crashes:
        kind = crash.why.strip()[-160:]
        if kind not in kinds:
            kinds.add(kind)
            path = folder / f"{crash.target}-{hashlib.sha256(crash.data).hexdigest()[:12]}"
            path.write_bytes(crash.data)
            print(f"\n{path}\n{crash.why}")
    print(f"{len(crashes)} crashes of {len(kinds)} kinds; inputs in {folder}")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", action="append", choices=sorted(TARGETS), default=[])
    wanted = parser.parse_args()
    begun = time.perf_counter()
    found = run(wanted.inputs, wanted.seed, wanted.workers, wanted.only)
    print(table(found, time.perf_counter() - begun))
    crashes = all_crashes(found)
    if crashes:
        keep(crashes)
    return int(bool(crashes))


if __name__ == "__main__":
    sys.exit(main())
