"""``volact inventory``: what a file holds, everything that is wrong in it, another form of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_run import volact

MARK = "pass-w0rd-mark"
TOML = """\
[defaults]
provider = "tencent"
user = "Administrator"
password-env = "VOLACT_PASSWORD"

[group.db]
jump = "ops@bastion"

[[server]]
name = "web-01"
address = "10.0.0.5"
tags = ["web"]

[[server]]
name = "db-01"
address = "winrm://10.0.0.6"
tags = ["db"]
password-file = "pw"
"""


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VOLACT_PASSWORD", MARK)
    (tmp_path / "pw").write_text(MARK)
    file = tmp_path / "fleet.toml"
    file.write_text(TOML)
    return file


def test_show_says_who_and_where_the_login_comes_from(fleet: Path) -> None:
    done = volact("inventory", "show", "-i", str(fleet))
    assert done.returncode == 0
    head, web, db = done.stdout.splitlines()
    assert head.split() == ["NAME", "ADDRESS", "USER", "LOGIN", "PROVIDER", "TAGS"]
    assert web.split() == [
        *("web-01", "ssh://10.0.0.5", "Administrator"),
        *("env", "VOLACT_PASSWORD", "tencent", "web"),
    ]
    assert f"file {fleet.parent / 'pw'}" in db
    assert MARK not in done.stdout + done.stderr


def test_show_as_data_and_limits(fleet: Path) -> None:
    done = volact("inventory", "show", "-i", str(fleet), "--limit", "db", "--output", "json")
    (row,) = json.loads(done.stdout)["servers"]
    assert row == {
        "name": "db-01",
        "address": "winrm://10.0.0.6",
        "provider": "tencent",
        "tags": ["db"],
        "user": "Administrator",
        "password-file": str(fleet.parent / "pw"),
        "where": f"{fleet} line 14",
    }


def test_check_of_a_good_one(fleet: Path) -> None:
    done = volact("inventory", "check", "-i", str(fleet))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{fleet}: 2 servers, nothing wrong\n"


def test_check_says_everything_that_is_wrong_and_2(
    fleet: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VOLACT_PASSWORD")
    bad = '[[server]]\naddress = "ssh://h:99999"\n[[server]]\nname = "x"\nadress = "h"\n'
    fleet.write_text(TOML.replace('"pw"', '"missing"') + bad)
    done = volact("inventory", "check", "-i", str(fleet))
    assert done.returncode == 2
    lines = done.stdout.splitlines()
    assert [line.removeprefix(f"{fleet} ").split(":")[0] for line in lines[:-1]] == [
        *("line 20", "line 23", "line 9", "line 14"),
    ]
    assert lines[-1] == f"{fleet}: 2 servers, 4 problems"
    document = json.loads(volact("inventory", "check", "-i", str(fleet), "--output", "json").stdout)
    assert document["servers"] == 2
    assert [problem["where"] for problem in document["problems"]][:2] == [
        *(f"{fleet} line 20", f"{fleet} line 23"),
    ]
    assert document["problems"][1]["hint"] == "did you mean 'address'?"


def test_check_of_one_without_servers_counts_none(fleet: Path) -> None:
    fleet.write_text("")
    done = volact("inventory", "check", "-i", str(fleet))
    assert (done.returncode, done.stderr) == (2, "")
    first, last = done.stdout.splitlines()
    assert first == f"{fleet}: has no [[server]] (add one with its name and address)"
    assert last == f"{fleet}: 1 problem"


def test_a_run_stops_at_the_first_and_names_the_others(fleet: Path) -> None:
    fleet.write_text(TOML + '[[server]]\nname = "x"\n[[server]]\nname = "y"\n')
    done = volact("check", "-i", str(fleet))
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert f"1 more: volact inventory check -i {fleet}" in done.stderr


def test_check_needs_a_file() -> None:
    done = volact("inventory", "check")
    assert (done.returncode, done.stderr) == (2, "volact: no inventory given (-i FILE)\n")


@pytest.mark.parametrize(
    ("format_", "suffix"), [("toml", "toml"), ("csv", "csv"), ("ansible", "yml")]
)
def test_an_export_is_an_inventory(fleet: Path, format_: str, suffix: str) -> None:
    done = volact("inventory", "export", "-i", str(fleet), "--format", format_)
    assert done.returncode == 0
    other = fleet.parent / f"other.{suffix}"
    other.write_text(done.stdout, newline="")
    first = json.loads(volact("inventory", "show", "-i", str(fleet), "--output", "json").stdout)
    again = json.loads(volact("inventory", "show", "-i", str(other), "--output", "json").stdout)
    for row in (*first["servers"], *again["servers"]):
        del row["where"]
    assert again["servers"] == first["servers"]
    assert MARK not in done.stdout


def test_passwords_in_clear_are_said_and_not_exported(tmp_path: Path) -> None:
    file = tmp_path / "hosts.ini"
    file.write_text(f"a ansible_host=10.0.0.5 ansible_password={MARK}\n")
    for verb in (("show",), ("show", "--output", "json"), ("check",), ("export",)):
        done = volact("inventory", *verb, "-i", str(file))
        assert done.returncode == 0
        assert MARK not in done.stdout + done.stderr
        assert "holds passwords in clear" in done.stdout + done.stderr
    assert "are not exported (1 server)" in done.stderr


def test_local_is_refused_where_there_is_no_windows() -> None:
    done = volact("check", "local")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "volact: local works only on a Windows Server, and this machine is not Windows "
        "(write ssh://user@host for a server elsewhere)\n"
    )


def test_check_names_what_is_expected_no_longer(fleet: Path) -> None:
    over, open_ = ('"kms-host-role until 2020-01-31"', '"kms-host-role until 2999-01-31"')
    text = TOML.replace("[group.db]", f"expect = [{over}]\n\n[group.db]")
    fleet.write_text(f"{text}\nexpect = [{open_}]\n")
    done = volact("inventory", "check", "-i", str(fleet))
    said = "expect kms-host-role of 1 server is without effect: its last day, 2020-01-31"
    assert (done.returncode, done.stderr) == (0, f"volact: {said}, has passed\n")
    document = json.loads(volact("inventory", "check", "-i", str(fleet), "-o", "json").stdout)
    assert document["notes"] == [f"{said}, has passed"]


def test_check_reads_the_ssh_settings_that_run_nothing(
    fleet: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(fleet.parent))
    config = fleet.parent / ".ssh" / "config"
    config.parent.mkdir()
    config.write_text("Host 10.0.0.*\n Port 22a\n")
    done = volact("inventory", "check", "-i", str(fleet))
    assert done.returncode == 2
    assert done.stdout.splitlines() == [
        f"{config}: not an SSH config: line 2: Invalid Port integer value: 22a",
        f"{fleet}: 2 servers, 1 problem",
    ]
    ran = fleet.parent / "ran"
    config.write_text(f'Match exec "touch {ran}"\n Port 22a\n')
    assert volact("inventory", "check", "-i", str(fleet)).returncode == 0
    assert not ran.exists()
