"""How much volact costs beyond the SSH that it needs.

    python bench/ssh_overhead.py [--servers N] [--rounds N]

Starts a lab of healthy servers in a process of its own and, round after
round in turn, lets ``volact check`` and a bare loop (``bare_loop.py``) visit
all of them.  Prints wall time and CPU time of each, and the ratios; then the
start-up of ``volact --version`` and ``--help`` beside ``python -c pass``.
Every visitor is a process by itself, so that starting it is counted too.
"""

from __future__ import annotations

import argparse
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
VOLACT = (sys.executable, "-m", "volact")
CONCURRENCY = "50"


@dataclass
class Runs:
    """What several runs of one command took, in seconds."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def add(self, wall: float, cpu: float) -> None:
        """One more run."""
        self.wall.append(wall)
        self.cpu.append(cpu)


def measure(command: Sequence[str], accept: tuple[int, ...] = (0,)) -> tuple[float, float]:
    """Wall and CPU seconds of a process with its children; its output is dropped."""
    with tempfile.TemporaryFile() as errors:
        begun = time.perf_counter()
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors)
        _, status, used = os.wait4(child.pid, 0)
        wall = time.perf_counter() - begun
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode not in accept:
            errors.seek(0)
            raise SystemExit(f"{' '.join(command)}: {errors.read().decode(errors='replace')}")
    return wall, used.ru_utime + used.ru_stime


@contextmanager
def lab(servers: int, scenario: str, folder: Path) -> Iterator[Path]:
    """A lab in its own process, and its inventory."""
    inventory, ready = folder / "lab.toml", folder / "up"
    command = [*VOLACT, "lab", "serve", "--servers", str(servers)]
    command += ["--scenario", scenario, "--seed", "7"]
    command += ["--inventory-out", str(inventory), "--ready-file", str(ready)]
    with (folder / "lab.log").open("w+b") as log:
        child = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            while not ready.exists():
                if child.poll() is not None:
                    log.seek(0)
                    raise SystemExit(f"the lab ended: {log.read().decode(errors='replace')}")
                time.sleep(0.05)
            yield inventory
        finally:
            child.send_signal(signal.SIGINT)
            child.wait(20)


def visitors(inventory: Path) -> dict[str, Sequence[str]]:
    """What visits every server of an inventory."""
    bare = (sys.executable, str(HERE / "bare_loop.py"), str(inventory))
    check = (*VOLACT, "check", "-i", str(inventory), "--output", "json", "--no-progress")
    return {
        "bare loop": bare,
        "bare loop, volact's SSH options": (*bare, "--tuned"),
        "bare loop that runs the agent": (*bare, "--agent"),
        "volact check": (*check, "--concurrency", CONCURRENCY),
    }


def rounds(commands: Mapping[str, Sequence[str]], count: int) -> dict[str, Runs]:
    """Run all commands in turn, ``count`` times, after one round that is not counted."""
    found = {name: Runs() for name in commands}
    for number in range(count + 1):
        for name, command in commands.items():
            wall, cpu = measure(command)
            if number:
                found[name].add(wall, cpu)
    return found


def table(found: Mapping[str, Runs], base: str, servers: int | None = None) -> str:
    """Medians, and the ratio of each to the base."""
    per = "" if servers is None else " ms/server |"
    lines = [f"| | wall s (median, range) | CPU s |{per} wall to {base} |"]
    lines.append("|---|---|---|" + ("" if servers is None else "---|") + "---|")
    reference = statistics.median(found[base].wall)
    for name, runs in found.items():
        wall, cpu = statistics.median(runs.wall), statistics.median(runs.cpu)
        row = f"| {name} | {wall:.3f} ({min(runs.wall):.3f} to {max(runs.wall):.3f}) | {cpu:.3f} |"
        row += "" if servers is None else f" {wall / servers * 1000:.1f} |"
        lines.append(f"{row} {wall / reference:.2f} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--servers", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scenario", default="healthy")
    wanted = parser.parse_args()
    print(f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} cores")
    with (
        tempfile.TemporaryDirectory() as folder,
        lab(wanted.servers, wanted.scenario, Path(folder)) as inventory,
    ):
        found = rounds(visitors(inventory), wanted.rounds)
    print(f"\n{wanted.servers} servers, {wanted.rounds} rounds\n")
    print(table(found, "bare loop", wanted.servers))
    starts = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "volact --version": [*VOLACT, "--version"],
        "volact --help": [*VOLACT, "--help"],
    }
    print("\nStart-up\n")
    print(table(rounds(starts, wanted.rounds * 3), "python -c pass"))


if __name__ == "__main__":
    main()
