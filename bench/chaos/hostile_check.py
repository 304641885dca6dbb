"""A check by the real program within a limit of memory, as the hostile runs make it.

Who is hostile, and what has to hold, is said by each run.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from memory_limit import Ended, run

MOST_MB = 512


def checked(
    path: Path,
    inventory: str,
    words: Sequence[str],
    env: Mapping[str, str],
    longest_s: float,
) -> tuple[Ended, list[dict[str, Any]]]:
    """Write an inventory, check its servers; how it ended, and the rows of its report."""
    path.write_text(inventory, "utf-8")
    report = path.with_suffix(".json")
    keys = {"TENCENTCLOUD_SECRET_ID": "AKIDhostile", "TENCENTCLOUD_SECRET_KEY": "key"}
    env = {**os.environ, **keys, "HOME": str(path.parent), **env}
    env.pop("VOLACT_STORE", None)
    asked = ["check", "-i", str(path), "--report", f"json={report}", *words]
    ended = run([sys.executable, "-m", "volact", *asked], env, MOST_MB, longest_s)
    rows: list[dict[str, Any]] = []
    if report.exists():
        rows = json.loads(report.read_text("utf-8"))["servers"]
    return ended, rows


def outcome(row: dict[str, Any]) -> str:
    """The verdict of a row, or the kind of its error."""
    error = row.get("error")
    return str(error["kind"] if error else row["verdict"])


def print_found(table: str, wrong: Sequence[str]) -> int:
    """Print what a run found; its exit code."""
    print(table)
    for line in wrong:
        print(f"WRONG {line}")
    return int(bool(wrong))
