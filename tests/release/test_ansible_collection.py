"""The Ansible collection, built, installed and run by ansible-core against the lab."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from volact.cli.child_lab import child_lab

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
pytestmark = pytest.mark.xdist_group("ansible")  # one home for all


def run(home: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    given = {
        **os.environ,
        "ANSIBLE_HOME": str(home),
        "ANSIBLE_COLLECTIONS_PATH": str(home / "collections"),
        "ANSIBLE_LOCALHOST_WARNING": "False",
        "LC_ALL": "C.UTF-8",
        "VOLACT_STORE": "none",
        **environ,
    }
    command = [str(BIN / words[0]), *words[1:]]
    return subprocess.run(command, check=False, capture_output=True, text=True, env=given)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home of Ansible with the collection in it."""
    home = tmp_path_factory.mktemp("ansible")
    built = run(home, "ansible-galaxy", "collection", "build", "--output-path", str(home),
                str(ROOT / "integrations/ansible"))  # fmt: skip
    assert built.returncode == 0, built.stderr
    (archive,) = home.glob("volact-windows-*.tar.gz")
    done = run(home, "ansible-galaxy", "collection", "install", "--offline", str(archive),
               "-p", str(home / "collections"))  # fmt: skip
    assert done.returncode == 0, done.stderr
    return home


@pytest.fixture(scope="module")
def lab() -> Iterator[Path]:
    with child_lab("simple", 4, 3) as inventory:
        yield inventory


@pytest.fixture(scope="module")
def told(home: Path, lab: Path) -> dict[str, dict[str, Any]]:
    """The result of every task of one play on localhost, by the task's name."""
    nowhere = {
        "servers": ["ssh://admin@127.0.0.1:9"], "extra_arguments": ["--host-key-policy=ignore"],
    }  # fmt: skip
    consent = {
        "replace_key": True, "canary": "1", "extra_arguments": ["--override-entitlement=own"],
    }  # fmt: skip
    tasks = [
        task("examined", inventory=str(lab), state="checked"),
        {**task("planned", inventory=str(lab), **consent), "check_mode": True, "diff": True},
        {**task("activated", inventory=str(lab), canary="1"), "diff": True},
        task("repeated", inventory=str(lab)),
        task("mistyped", inventory=str(lab), limit=["no-such-server"]),
        task("unreachable", **nowhere),
        task("tolerated", **nowhere, fail_on=[]),
        task("timeless", **nowhere, deadline=0),
        task("unreported", inventory=str(lab), extra_arguments=["--report=json=/dev/full"]),
        task("interrupted", inventory=str(lab), executable=str(interrupted(home))),
    ]
    file = home / "told.json"
    results = ", ".join(f"'{each['register']}': {each['register']}" for each in tasks)
    copy = {"content": f"{{{{ {{{results}}} | to_json }}}}", "dest": str(file)}
    plays = [{
        "hosts": "localhost",
        "gather_facts": False,
        "vars": {"ansible_python_interpreter": sys.executable},
        "tasks": [*tasks, {"ansible.builtin.copy": copy}],
    }]  # fmt: skip
    book = home / "play.yml"
    book.write_text(json.dumps(plays), "utf-8")
    done = run(home, "ansible-playbook", "-i", "localhost,", "-c", "local", str(book))
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, dict[str, Any]] = json.loads(file.read_text("utf-8"))
    return found


def task(name: str, **given: Any) -> dict[str, Any]:
    """A task of the collection's module, which may fail."""
    given.setdefault("executable", str(BIN / "volact"))
    return {"volact.windows.activation": given, "register": name, "ignore_errors": True}


def test_a_fleet_is_examined_planned_activated_and_then_unchanged(
    told: dict[str, dict[str, Any]],
) -> None:
    looked = told["examined"]
    assert (looked["failed"], looked["changed"]) == (False, False)
    assert len(looked["servers"]) == 4

    planned = told["planned"]
    assert (planned["changed"], planned["summary"]["changed"]) == (True, 0)
    assert any("activate" in part["prepared"] for part in planned["diff"])

    done = told["activated"]
    assert (done["changed"], done["summary"]["healthy"]) == (True, 4)
    assert done["diff"][0]["before"] != done["diff"][0]["after"]

    again = told["repeated"]
    assert (again["failed"], again["changed"], again["diff"]) == (False, False, [])


def interrupted(home: Path) -> Path:
    """A program that is interrupted as volact would be after a change."""
    row = {"name": "web-01", "verdict": "healthy", "plan": [], "results": [], "findings": []}
    document = {"servers": [row], "summary": {"changed": 1}, "run": "0123456789abcdef"}
    file = home / "interrupted"
    file.write_text(f"#!/bin/sh\necho '{json.dumps(document)}'\nexit 130\n", "utf-8")
    file.chmod(0o700)
    return file


def test_what_was_done_is_told_although_the_task_fails(told: dict[str, dict[str, Any]]) -> None:
    lost = told["unreported"]
    assert (lost["failed"], lost["rc"], len(lost["servers"])) == (True, 1, 4)
    assert "/dev/full" in lost["msg"]
    cut = told["interrupted"]
    assert (cut["failed"], cut["changed"], cut["rc"]) == (True, True, 130)
    assert [row["name"] for row in cut["servers"]] == ["web-01"]


def test_a_limit_of_nothing_is_refused(told: dict[str, dict[str, Any]]) -> None:
    assert (told["timeless"]["failed"], told["timeless"]["rc"]) == (True, 2)
    assert "--deadline" in told["timeless"]["msg"]


def test_wrong_input_fails_with_the_line_of_volact(told: dict[str, dict[str, Any]]) -> None:
    wrong = told["mistyped"]
    assert (wrong["failed"], wrong["rc"]) == (True, 2)
    assert "no-such-server" in wrong["msg"]
    assert "Traceback" not in wrong["msg"]


def test_an_unreachable_server_fails_the_task_and_names_itself(
    told: dict[str, dict[str, Any]],
) -> None:
    failed = told["unreachable"]
    assert failed["failed"]
    assert failed["msg"].startswith("127.0.0.1")
    assert failed["servers"][0]["verdict"] == "unreachable"
    kept = told["tolerated"]
    assert kept["summary"]["unreachable"] == 1


def test_every_option_is_documented(home: Path) -> None:
    done = run(home, "ansible-doc", "--json", "volact.windows.activation")
    assert done.returncode == 0, done.stderr
    options = json.loads(done.stdout)["volact.windows.activation"]["doc"]["options"]
    source = (ROOT / "integrations/ansible/plugins/modules/activation.py").read_text("utf-8")
    assert [name for name in options if f'"{name}": {{' not in source] == []
    assert {"servers", "inventory", "state", "fail_on"} <= set(options)
