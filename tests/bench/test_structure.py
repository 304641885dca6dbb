"""The numbers of the code's structure come out, for the working tree."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).parents[2] / "bench"


def test_every_number_of_the_working_tree() -> None:
    done = subprocess.run(
        [sys.executable, str(BENCH / "structure.py"), "--names", "."],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    table, *lists = done.stdout.split("\n\n")
    head, _, *rows = table.splitlines()
    assert head == "| | now |"
    found = dict(row.strip("| ").split(" | ") for row in rows)
    assert found["circles of imports: product, lab"] == "none, none"
    for name in ("product: lines of code", "functions", "facts to plan: stays, returns (modules)"):
        assert found[name][0].isdigit()
    counted = {text.splitlines()[0].rstrip(":"): len(text.splitlines()) - 1 for text in lists}
    assert len(counted) == 4
    assert {name: str(count) for name, count in counted.items()}.items() <= found.items()
