"""Whether the test suite can be trusted: complete runs in a row, and how many failed.

    python bench/suite_proof.py [--plain 10] [--busy 5] [--random 5] [--first-seed 1] [--jobs 6]
                                 [--beside PROCESS]

Plain runs have the order of the files.  During busy runs every core is kept busy by
programs that this one starts and ends, or by a process that is named.  Random runs have
an order of their own each, whose seed is printed.  The output of a run that fails is kept.
Prints a Markdown table, and exits with 1 when any run failed.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

ROOT = Path(__file__).resolve().parents[1]
Kind = Literal["plain", "busy", "random"]
# What shares a core with an endless loop gets half of it.
_BUSY = "while True: pass"
_COUNTS = re.compile(r"^(?:=+ )?(\d+ .*) in [\d.]+s", re.MULTILINE)


@dataclass(frozen=True)
class Outcome:
    """One run of the suite."""

    number: int
    kind: Kind
    seed: int | None
    exit_code: int
    counts: str  # as pytest prints them
    wall_s: float
    log: Path

    @property
    def row(self) -> str:
        """A line of the table."""
        order = "of the files" if self.seed is None else f"seed {self.seed}"
        word = "passed" if self.exit_code == 0 else f"failed, see {self.log}"
        cells = (self.number, self.kind, order, self.counts, f"{self.wall_s:.0f}", word)
        return "| " + " | ".join(map(str, cells)) + " |"


@contextmanager
def busy_cores(beside: int | None) -> Iterator[None]:
    """Programs that keep every core busy and end with the block; or a process that does."""
    if beside is not None:
        os.kill(beside, 0)
        yield
        os.kill(beside, 0)
        return
    count = os.cpu_count() or 1
    programs = [subprocess.Popen([sys.executable, "-c", _BUSY]) for _ in range(count)]
    try:
        yield
        assert all(program.poll() is None for program in programs), "a busy program has ended"
    finally:
        for program in programs:
            program.kill()
            program.wait()


def run(number: int, kind: Kind, seed: int | None, jobs: int, rest: Sequence[str]) -> Outcome:
    """One complete run; its output goes to a file of its own."""
    order = ["-p", "no:randomly"] if seed is None else ["-p", "randomly", f"--randomly-seed={seed}"]
    command = [sys.executable, "-m", "pytest", "-q", "-n", str(jobs)]
    command += ["--dist", "loadgroup", "--no-loadscope-reorder"]
    log = Path(tempfile.gettempdir()) / f"volact-suite-{os.getpid()}-{number:02}-{kind}.txt"
    begun = time.monotonic()
    with log.open("w", encoding="utf-8") as out:
        code = subprocess.run(
            [*command, *order, *rest], cwd=ROOT, stdout=out, stderr=subprocess.STDOUT, check=False
        ).returncode
    wall = time.monotonic() - begun
    counts = _COUNTS.findall(log.read_text("utf-8", "replace"))
    outcome = Outcome(number, kind, seed, code, counts[-1] if counts else "no count", wall, log)
    if code == 0:
        log.unlink()
    return outcome


def runs(plain: int, busy: int, seeds: Sequence[int]) -> Iterator[tuple[Kind, int | None]]:
    """What kind of run comes when."""
    yield from (("plain", None) for _ in range(plain))
    yield from (("busy", None) for _ in range(busy))
    yield from (("random", seed) for seed in seeds)


def _commit() -> str:
    """What is tested; with ``-dirty`` where files differ from it."""
    words = ["git", "describe", "--always", "--dirty", "--abbrev=8"]
    return subprocess.check_output(words, cwd=ROOT, text=True).strip()


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--plain", type=int, default=10)
    parser.add_argument("--busy", type=int, default=5)
    parser.add_argument("--random", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=6)
    parser.add_argument("--beside", type=int, metavar="PROCESS")
    parser.add_argument("rest", nargs="*", help="what else pytest is told, after --")
    asked = parser.parse_args()
    print(f"commit {_commit()}, begun {time.strftime('%Y-%m-%d %H:%M')}\n")
    print("| run | kind | order | tests | s | |", "|---|---|---|---|---|---|", sep="\n", flush=True)
    found: list[Outcome] = []
    seeds = range(asked.first_seed, asked.first_seed + asked.random)
    for number, (kind, seed) in enumerate(runs(asked.plain, asked.busy, seeds), 1):
        with busy_cores(asked.beside) if kind == "busy" else nullcontext():
            found.append(run(number, kind, seed, asked.jobs, asked.rest))
        print(found[-1].row, flush=True)
    failed = [outcome for outcome in found if outcome.exit_code]
    print(f"\n{len(found)} complete runs in a row, {len(failed)} with a failure")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
