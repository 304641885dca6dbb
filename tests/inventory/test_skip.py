"""Servers that an inventory skips: read, left out of runs with a note, kept by show and export."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_run import volact

from volact.errors import InputError
from volact.inventory import load_inventory
from volact.inventory.export import FORMATS, export

TOML = """
[skip]
"old-*" = "to be deleted in March"
db = true

[group.lab]
skip = "the lab is off"

[[server]]
name = "web-01"
address = "ssh://127.0.0.1:1"

[[server]]
name = "old-01"
address = "ssh://10.0.0.2"

[[server]]
name = "pg-01"
address = "ssh://10.0.0.3"
tags = ["db"]

[[server]]
name = "lab-01"
address = "ssh://10.0.0.4"
tags = ["lab"]
"""
REASONS = {
    "web-01": "",
    "old-01": "to be deleted in March",
    "pg-01": "no reason is given",
    "lab-01": "the lab is off",
}


def reasons(path: Path, text: str) -> dict[str, str]:
    path.write_text(text, "utf-8")
    return {server.name: server.skip for server in load_inventory(path).servers}


def test_names_tags_globs_and_groups_are_skipped(tmp_path: Path) -> None:
    assert reasons(tmp_path / "fleet.toml", TOML) == REASONS


def test_a_csv_has_a_column_for_it(tmp_path: Path) -> None:
    text = "name,address,skip\na,10.0.0.1,\nb,10.0.0.2,yes\nc,10.0.0.3,moved\nd,10.0.0.4,no\n"
    found = reasons(tmp_path / "fleet.csv", text)
    assert found == {"a": "", "b": "no reason is given", "c": "moved", "d": ""}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("hosts.ini", "[web]\na\nb\nc volact_skip=moved\n[skip]\nb\n"),
        (
            "hosts.yml",
            "web:\n  hosts:\n    a:\n    b:\n    c: {volact_skip: moved}\n"
            "skip:\n  hosts:\n    b:\n",
        ),
    ],
)
def test_ansible_has_a_group_and_a_variable_for_it(name: str, text: str, tmp_path: Path) -> None:
    assert reasons(tmp_path / name, text) == {"a": "", "b": "no reason is given", "c": "moved"}


@pytest.mark.parametrize("format_", sorted(FORMATS))
def test_an_export_keeps_it(format_: str, tmp_path: Path) -> None:
    path = tmp_path / "fleet.toml"
    reasons(path, TOML)
    suffix = {"toml": ".toml", "csv": ".csv", "ansible": ".yml"}[format_]
    text = export(load_inventory(path).servers, {}, format_).text
    assert reasons(tmp_path / f"again{suffix}", text) == REASONS


def test_a_pattern_takes_no_servers_own_reason_away(tmp_path: Path) -> None:
    own = (
        '[skip]\n"web*" = false\n[[server]]\nname = "web-01"\naddress = "ssh://h"\nskip = "mine"\n'
    )
    assert reasons(tmp_path / "fleet.toml", own) == {"web-01": "mine"}


def test_a_pattern_that_means_no_server_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "fleet.toml"
    path.write_text(TOML.replace('"old-*"', '"odl-*"'), "utf-8")
    with pytest.raises(InputError) as raised:
        load_inventory(path)
    assert raised.value.line() == f"{path} line 3: no such server: odl-*"


def test_a_run_leaves_them_out_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "fleet.toml"
    path.write_text(TOML, "utf-8")
    check = ("check", "-i", str(path), "--no-store", "--no-progress", "--retries", "0")
    done = volact(*check)
    assert done.returncode == 4
    assert "web-01" in done.stdout
    assert "old-01" not in done.stdout
    assert "3 servers are skipped by the inventory: old-01, pg-01, lab-01" in done.stderr
    named = volact(*check, "--limit", "web-01,old-01")
    assert named.returncode == 2
    assert f"{path} line 13: old-01 is skipped: to be deleted in March" in named.stderr
    assert volact(*check, "--limit", "db").returncode == 2, "none of them is left"
    without = volact(*check, "--exclude", "old-*", "--exclude", "db,lab")
    assert "skipped" not in without.stderr
    nothing = volact(*check, "--exclude", "*")
    assert (nothing.returncode, len(nothing.stderr.splitlines())) == (2, 1)
    shown = volact("inventory", "show", "-i", str(path))
    assert "(skipped: to be deleted in March)" in shown.stdout
