"""How long volact takes before it does anything, beside a Python that does nothing.

    python bench/startup.py [--times 21]

Prints the median wall time and CPU of each command line and its ratio to ``python -c
pass``, all in turn so that a busy moment meets every one of them.  Exit code 1 when
``--version`` takes more than 0.15 s of CPU or ``--help`` more than 0.4 s.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time

NOTHING = "python -c pass"
COMMANDS = {
    NOTHING: ("-c", "pass"),
    "volact --version": ("-m", "volact", "--version"),
    "volact --help": ("-m", "volact", "--help"),
    "volact check --help": ("-m", "volact", "check", "--help"),
    "volact explain 0xC004F074": ("-m", "volact", "explain", "0xC004F074"),
    "volact inventory show (no server)": ("-m", "volact", "inventory", "show", "-i", os.devnull),
}
LIMITS_S = {"volact --version": 0.15, "volact --help": 0.4}


def once(args: tuple[str, ...]) -> tuple[float, float]:
    """Wall time and CPU of one start, in seconds."""
    before, begun = os.times(), time.perf_counter()
    subprocess.run([sys.executable, *args], capture_output=True, check=False)
    after, wall = os.times(), time.perf_counter() - begun
    user = after.children_user - before.children_user
    return wall, user + after.children_system - before.children_system


def main() -> int:
    """Measure, print, and compare with the limits."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=21)
    times = parser.parse_args().times
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in COMMANDS}
    for _ in range(times):
        for name, args in COMMANDS.items():
            taken[name].append(once(args))
    wall = {name: statistics.median(pair[0] for pair in each) for name, each in taken.items()}
    cpu = {name: statistics.median(pair[1] for pair in each) for name, each in taken.items()}
    for name in COMMANDS:
        ratio = wall[name] / wall[NOTHING]
        print(f"{name:35} {wall[name]:.3f} s   CPU {cpu[name]:.3f} s   {ratio:4.1f} times nothing")
    return int(any(cpu[name] > limit for name, limit in LIMITS_S.items()))


if __name__ == "__main__":
    sys.exit(main())
