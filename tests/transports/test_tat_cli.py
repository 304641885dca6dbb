"""The command line over Tencent's run-command, on a lab in a process of its own."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cli_run import Done, volact
from forked_volact import ForkedVolact
from lab_thread import drawn_lab
from tencent_cloud import cloud

from volact_lab.fleet import fleet
from volact_lab.scenario import load_scenario
from volact_lab.truth import truth_of

pytestmark = pytest.mark.xdist_group("tat-cli")

SERVERS, SEED = 30, 4
TRUTH = {s.name: truth_of(s) for s in fleet(load_scenario("images"), SERVERS, SEED)}
REGIONS = "tencent:ap-jakarta,ap-singapore"


@pytest.fixture(scope="module")
def inventory() -> Iterator[Path]:
    """The inventory of a lab; tests run in the order of this file."""
    with drawn_lab("images", SERVERS, SEED) as path:
        yield path


@pytest.fixture
def api(inventory: Path) -> list[str]:
    """The options that lead to the lab's API."""
    line = next(x for x in inventory.read_text().splitlines() if x.startswith("tencent-endpoint"))
    keys = inventory.with_suffix(".credentials")
    return ["--tencent-endpoint", line.split('"')[1], "--tencent-credentials", str(keys)]


def rows(done: Done) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in json.loads(done.stdout)["servers"]}


def test_exactly_the_entitled_ones_of_a_list_are_activated(inventory: Path, api: list[str]) -> None:
    done = volact("activate", "--from", REGIONS, *api, "--yes", "-o", "json")
    assert done.returncode == 3, done.stderr
    found = rows(done)
    assert {name: row["verdict"] for name, row in found.items()} == {
        name: truth.verdict for name, truth in TRUTH.items()
    }
    refused = {"image-imported", "image-private", "image-shared", "license-own"}
    for name, row in found.items():
        if set(TRUTH[name].faults) & refused:
            assert row["results"] == [], name
        elif TRUTH[name].faults != ("licensed",):
            assert [r["do"] for r in row["results"] if r["ok"]][-1] == "activate", name
    assert "30 of 32 instances are Windows servers" in done.stderr


def test_the_labs_own_inventory_names_all_that_is_needed(inventory: Path) -> None:
    done = volact("check", "-i", str(inventory), "-o", "json")
    assert done.returncode == 3, done.stderr
    assert {name: row["error"] for name, row in rows(done).items()} == dict.fromkeys(TRUTH)


def test_keys_from_the_environment_and_a_single_instance(
    inventory: Path, api: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = inventory.with_suffix(".credentials").read_text().splitlines()
    values = dict(line.split(" = ") for line in text if " = " in line)
    target = next(x for x in inventory.read_text().splitlines() if "tat://" in x).split('"')[1]
    for name in ("secret_id", "secret_key"):
        monkeypatch.setenv(f"TENCENTCLOUD_{name.upper()}", values[name])
    done = volact("check", target, "--provider", "tencent", "-o", "json", *api[:2])
    (row,) = rows(done).values()
    assert (row["error"], row["address"]) == (None, target)
    assert values["secret_key"] not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--from", "tencent:nowhere"], "'nowhere' is not a region"),
        (["--from", "tencent:ap-mars"], "ap-mars cannot be listed"),
        (["--from", REGIONS, "--from-filter", "vpc=1"], "did you mean 'vpc-id'?"),
        (["--from", REGIONS, "-i", "fleet.toml"], "give one of them"),
        (["--via", "ssh", "ssh://h"], "--via goes with --from"),
        (["--from", REGIONS, "--tencent-profile", "prod"], "has no section [prod]"),
        (["--from", REGIONS, "--limit", "missing"], "no such server: missing"),
    ],
)
def test_wrong_words_start_nothing(args: list[str], says: str, api: list[str]) -> None:
    done = volact("check", *args, *api)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_no_keys_anywhere_is_told_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    done = volact("check", "tat://ap-jakarta/ins-0aaaaaaa", "--tencent-profile", "prod")
    assert done.returncode == 2
    assert "there is no profile 'prod'" in done.stderr


async def test_ctrl_c_cancels_what_runs_in_the_cloud(tmp_path: Path) -> None:
    async with cloud("tencent", servers=40) as here:
        here.lab.write_inventory(tmp_path / "lab.toml")
        (name,) = (name for name, truth in here.lab.truth.items() if truth.faults == ("hang",))
        words = ("check", "-i", str(tmp_path / "lab.toml"), "--limit", name, "-o", "json")
        with ForkedVolact(*words) as process:
            tasks = here.front.invocations.tasks
            while "RUNNING" not in {task.status for task in tasks.values()}:
                await asyncio.sleep(0.02)
            process.send_signal(signal.SIGINT)
            while not here.front.calls["CancelInvocation"]:
                await asyncio.sleep(0.02)
            out, err = await asyncio.to_thread(process.communicate)
        assert process.returncode == 130, err
        (row,) = json.loads(out)["servers"]
        assert row["error"]["message"] == "interrupted during the check"
        assert here.front.calls["CancelInvocation"] == 1
        (task,) = tasks.values()
        while task.status == "RUNNING":
            await asyncio.sleep(0.01)
        assert task.status == "TERMINATED"
