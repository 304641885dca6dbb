"""A fleet behind each manner of a KMS host ends with the same verdicts and repairs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from volact_lab.hosts.manners import MANNERS

BENCH = Path(__file__).parents[2] / "bench"


def test_no_manner_makes_a_difference() -> None:
    done = subprocess.run(
        [sys.executable, str(BENCH / "manners.py"), "--servers", "12", "--seeds", "3"],
        capture_output=True,
        text=True,
        check=False,
    )
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.endswith(" 0 differ") for line in lines[:-1]] == [True] * len(MANNERS)
