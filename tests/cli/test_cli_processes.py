"""``--processes``: the same rows and changes as in one process, order aside."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cli_run import volact
from lab_thread import drawn_lab

from volact.fleet.machine_limits import processes_for

pytestmark = pytest.mark.xdist_group("cli-lab")

SERVERS = 10


def rows(text: str) -> dict[str, Any]:
    """The rows by name: what does not depend on when and how fast they were made."""
    found = [row for row in map(json.loads, text.splitlines()) if "name" in row]
    return {
        row["name"]: {
            **{
                key: row[key]
                for key in ("verdict", "provider", "os", "plan", "error", "executions")
            },
            "findings": [finding["id"] for finding in row["findings"]],
        }
        for row in found
    }


def test_check_plan_and_activate_give_the_same_rows_as_in_one_process() -> None:
    with drawn_lab("simple", SERVERS, 7) as inventory:
        common = ("-i", str(inventory), "-o", "jsonl", "--no-store", "--deadline", "900")
        for verb in ("check", "plan"):
            alone, spread = (
                rows(volact(verb, *common, "--processes", number).stdout) for number in ("1", "3")
            )
            assert len(alone) == SERVERS
            assert spread == alone
        done = volact("activate", "--yes", *common, "--canary", "3", "--processes", "3")
        assert done.returncode == 0, done.stderr
        after = rows(done.stdout)
        assert {row["verdict"] for row in after.values()} == {"healthy"}
        assert {name: row["plan"] for name, row in after.items()} == {
            name: row["plan"] for name, row in spread.items()
        }


def test_a_small_fleet_starts_no_process() -> None:
    assert [processes_for(servers) for servers in (0, 1, 100, 400)] == [1, 1, 1, 1]
    assert 1 <= processes_for(100_000) <= 4
