"""``--allow``: which words there are, and that they reach the plan."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_run import volact
from lab_thread import lab_in_thread

from volact.core.consent import ASKING_STEPS
from volact_lab.windows.spec import Spec


def test_an_unknown_step_is_refused_with_the_nearest_one() -> None:
    done = volact("activate", "ssh://127.0.0.1:1", "--yes", "--allow", "add-dnss")
    assert done.returncode == 2
    assert "add-dnss" in done.stderr
    assert "did you mean add-dns?" in done.stderr


def test_a_step_that_needs_no_word_is_refused() -> None:
    done = volact("plan", "ssh://127.0.0.1:1", "--allow", "activate")
    assert done.returncode == 2
    assert all(step in done.stderr for step in ASKING_STEPS)


@pytest.fixture
def inventory(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """A lab of two servers with the same fault: a debugger of the licensing program."""
    fault = getattr(request, "param", "ifeo")
    specs = tuple(
        Spec(
            f"a-{index}",
            index=index,
            seed=1,
            release="2019",
            language="en",
            faults=(fault,),
            forms=((fault, 1), ("kms-events", index - 1)),
        )
        for index in (1, 2)
    )
    with lab_in_thread("hard", specs, 7, patience=0.01) as lab:
        lab.write_inventory(tmp_path / "lab.toml")
        yield str(tmp_path / "lab.toml")


def row(*args: str) -> dict[str, object]:
    document = json.loads(volact(*args, "--output", "json").stdout)
    found = document["servers"][0]
    assert isinstance(found, dict)
    return found


def test_without_the_word_the_refusal_names_it_and_with_it_the_step_is_done(
    inventory: str,
) -> None:
    refused = row("activate", "-i", inventory, "--yes")
    assert refused["plan"] == []
    assert "--allow remove-debugger" in str(refused["refusals"])
    planned = row("plan", "-i", inventory, "--allow", "remove-debugger")
    assert "remove-debugger" in str(planned["plan"])
    typed = volact(
        "plan", "-i", inventory, "--allow", "remove-debugger", "--format", "commands"
    ).stdout
    assert 'sppsvc.exe" /v Debugger /f' in typed
    done = row("activate", "-i", inventory, "--yes", "--allow", "remove-debugger")
    assert done["verdict"] == "healthy"


@pytest.mark.parametrize("inventory", ["kms-count"], indirect=True)
def test_clones_that_a_host_does_not_count_are_rearmed_once(inventory: str) -> None:
    allowed = ("-i", inventory, "--allow", "rearm", "--output", "json")
    planned = json.loads(volact("plan", *allowed).stdout)
    assert [[step["do"] for step in s["plan"]] for s in planned["servers"]] == [["rearm"]] * 2
    assert "duplicate-cmid" in [cluster["cause"] for cluster in planned["clusters"]]
    rearm = ("activate", *allowed, "--yes")
    first = json.loads(volact(*rearm).stdout)
    assert [server["verdict"] for server in first["servers"]] == ["attention"] * 2
    assert [[step["do"] for step in s["plan"]] for s in first["servers"]] == [["rearm"]] * 2
    for server in first["servers"]:
        assert "restart-needed" in [finding["id"] for finding in server["findings"]]
        assert "duplicate-cmid" not in server["resolved"]
    second = json.loads(volact(*rearm).stdout)
    assert second["summary"]["changed"] == 0
    assert [server["plan"] for server in second["servers"]] == [[], []]
