"""The quick form of ``make bench`` runs through, and its tables come out."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).parents[2] / "bench"
MEASURED = {
    "connect: key exchange and login",
    "making the script",
    "reading the answer",
    "facts out of it",
    "diagnosing",
}
DIFFERENCES = {
    "one command",
    "upload of the script by SFTP",
    "waiting for the agent: waking for each of its packets",
}


def test_the_quick_form_of_the_fleet_that_waits_measures_both_verbs() -> None:
    words = ["--quick", "--no-peers", "--servers", "4"]
    done = subprocess.run(
        [sys.executable, str(BENCH / "waiting.py"), *words],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("4 servers, ")
    for verb in ("check", "activate"):
        assert f"| volact {verb} | " in done.stdout
        assert f"volact {verb} " in done.stdout.partition("The ideal: ")[2]


def test_the_quick_form_measures_volact_and_the_bare_loops(tmp_path: Path) -> None:
    target = tmp_path / "quick.json"
    words = ["--no-peers", "--quick", "--servers", "4", "--results", str(target)]
    done = subprocess.run(
        [sys.executable, str(BENCH / "run.py"), *words],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    results = json.loads(target.read_text("utf-8"))
    rows = {row["name"]: row for row in results["rows"]}
    check = rows["volact check"]
    assert check["servers"] == 4
    for row in rows.values():
        assert row["cpu_s"] > 0
        assert row["memory_kb"] > 10_000
        assert row["wall_s"] > 0
        assert f"| {row['name']} |" in done.stdout
    # Agents run in the lab's processes, whose cost stands apart.
    assert check["lab_cpu_s"] > 0
    assert {"bare asyncssh loop", "volact activate", "volact check, with its store"} <= set(rows)
    pieces = {piece["name"]: piece["ms"] for piece in results["pieces"]}
    assert all(pieces[name] > 0 for name in MEASURED)
    # Differences of two measurements: with one round each may come out on either side of zero.
    assert all(math.isfinite(pieces[name]) for name in DIFFERENCES)
    assert set(pieces) == MEASURED | DIFFERENCES
    assert "### Aims" in done.stdout
