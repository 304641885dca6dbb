"""A reader that stops reading must not stop an activation that is under way."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_process import started
from cli_run import volact
from lab_thread import drawn_lab

pytestmark = pytest.mark.xdist_group("cli-lab")

VOLACT = [sys.executable, "-m", "volact"]


@pytest.fixture(scope="module")
def fleet() -> Iterator[tuple[str, ...]]:
    """The options of a lab in which nothing is changed."""
    with drawn_lab("tencent", 12, 7) as inventory:
        yield ("-i", str(inventory), "--deadline", "900", "--no-progress")


def test_an_activation_ends_whole_when_its_output_is_not_read(tmp_path: Path) -> None:
    page, rows = tmp_path / "r.html", tmp_path / "rows.jsonl"
    with drawn_lab("tencent", 12, 7) as inventory:
        fleet = ("-i", str(inventory), "--deadline", "900", "--no-progress")
        reports = ("--report", f"html={page}", "--report", f"jsonl={rows}")
        with started(
            [*VOLACT, "activate", *fleet, "--yes", "-o", "jsonl", "--concurrency", "1", *reports],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as running:
            assert running.stdout is not None
            assert running.stderr is not None
            assert running.stdout.readline().startswith('{"name":')
            running.stdout.close()
            said = running.stderr.read()
        after = json.loads(volact("check", *fleet, "-o", "json").stdout)
    *servers, last = [json.loads(line) for line in rows.read_text().splitlines()]
    assert said == ""
    assert page.exists()
    assert len(servers) == last["summary"]["servers"] == 12
    assert last["summary"]["changed"] > 1
    assert after["summary"]["healthy"] == last["summary"]["healthy"]


def test_an_activation_ends_whole_when_its_progress_is_not_read(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    with drawn_lab("tencent", 12, 7) as inventory:
        how = ("--deadline", "900", "--concurrency", "1", "--report", f"jsonl={rows}")
        with started(
            [*VOLACT, "activate", "-i", str(inventory), "--yes", *how],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as running:
            assert running.stdout is not None
            running.stdout.readline()
            running.stdout.close()
    assert running.returncode == 3
    assert len(rows.read_text().splitlines()) == 13


def test_a_probe_ends_soon_when_its_output_is_not_read(fleet: tuple[str, ...]) -> None:
    with started(
        [*VOLACT, "check", *fleet, "-o", "jsonl", "--concurrency", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.readline()
        running.stdout.close()
        said = running.stderr.read()
    assert (running.returncode, said) == (1, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
def test_console_commands_without_a_reader_cost_no_report_file(
    fleet: tuple[str, ...], tmp_path: Path
) -> None:
    rows = tmp_path / "rows.jsonl"
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*VOLACT, "plan", *fleet, "--format", "commands", "--report", f"jsonl={rows}"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.stderr.startswith("volact: standard output: No space left on device; ")
    assert done.stderr.count("\n") == 1
    assert len(rows.read_text().splitlines()) == 13
