"""One more folder in ``volact/cloud`` is one more cloud: its addresses, options, lists, scripts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("with_another_cloud.py")
INVENTORY = """
[defaults]
generic-key_file = "acme.key"
tencent-profile = "prod"

[[server]]
name = "one"
address = "acme://sub/group/web"
generic-tenant = "contoso"

[[server]]
name = "two"
address = "acme://sub/group/off"

[[server]]
name = "three"
address = "acme://other/group/web"
"""


def volact(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), *args],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={"COLUMNS": "200", "PATH": "", "HOME": "/nonexistent"},
    )


def test_its_options_and_its_list_are_in_the_help() -> None:
    done = volact("cli", "check", "--help")
    assert done.returncode == 0, done.stderr
    for words in ("--generic-tenant", "--generic-key-file FILE", "generic:sub/group", "acme"):
        assert words in done.stdout


def test_scripts_run_and_accounts_and_scopes_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "fleet.toml"
    path.write_text(INVENTORY)
    done = volact("run", str(path))
    assert done.stdout.splitlines() == [
        "one: contoso:sub/group/web",
        "two: is off",
        "three: own:other/group/web",
    ], done.stderr


def test_a_list_of_it_is_an_inventory() -> None:
    done = volact("cli", "inventory", "export", "--from", "generic:sub/group,sub/more")
    assert done.returncode == 0, done.stderr
    assert 'address = "acme://sub/more/db"' in done.stdout
    assert 'name = "sub/more/db"' in done.stdout
    assert "4 of 4 instances are Windows servers" in done.stderr


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["check", "acme://sub/web"], "not a subscription, a group and a machine"),
        (["check", "acme://a/b/c", "--generic-tenant", "missing"], "Acme knows no such tenant"),
        (["inventory", "export", "--from", "generic:sub"], "'sub' is not a group"),
        (["check", "--from", "generic:a/b", "--via", "tat"], "--via tat: not for Acme"),
        (["check", "what://x"], "known: ssh, winrm, winrms, acme, ecs, ssm, azure, tat, local"),
    ],
)
def test_what_is_wrong_is_told_in_its_words(args: list[str], says: str) -> None:
    done = volact("cli", *args)
    assert done.returncode == 2
    assert says in done.stderr
