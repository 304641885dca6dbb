"""Accepted findings of an inventory and of ``--ignore``: read, added up, refused, exported."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from volact.errors import InputError
from volact.inventory import load_inventory
from volact.inventory.expect import acceptances
from volact.inventory.export import FORMATS, export
from volact.model.finding import Acceptance

TOML = """
[defaults]
expect = ["time-seeding"]

[group.lab]
expect = ["edition-evaluation until 2027-01-01: the lab: evaluates", "clock-skew"]

[[server]]
name = "one"
address = "ssh://10.0.0.1"
tags = ["lab"]
expect = [
  {finding = "licensed-by-own-key", reason = "our own MAK", until = 2027-01-31},
  {finding = "clock-skew", until = "2026-12-01"},
]

[[server]]
name = "two"
address = "ssh://10.0.0.2"
"""
EVALUATION = Acceptance(
    finding="edition-evaluation", reason="the lab: evaluates", until=date(2027, 1, 1)
)


def inventory(path: Path, text: str) -> dict[str, tuple[Acceptance, ...]]:
    path.write_text(text, "utf-8")
    return {server.name: server.expect for server in load_inventory(path).servers}


def test_defaults_tags_and_servers_add_up_and_the_nearest_decides(tmp_path: Path) -> None:
    found = inventory(tmp_path / "fleet.toml", TOML)
    assert found["two"] == (Acceptance(finding="time-seeding"),)
    assert set(found["one"]) == {
        Acceptance(finding="time-seeding"),
        EVALUATION,
        Acceptance(finding="licensed-by-own-key", reason="our own MAK", until=date(2027, 1, 31)),
        Acceptance(finding="clock-skew", until=date(2026, 12, 1)),
    }


def test_a_csv_has_a_column_of_them(tmp_path: Path) -> None:
    text = "name,address,expect\none,10.0.0.1,kms-host-role; clock-skew until 2027-01-01: NTP\n"
    assert inventory(tmp_path / "fleet.csv", text)["one"] == (
        Acceptance(finding="kms-host-role"),
        Acceptance(finding="clock-skew", until=date(2027, 1, 1), reason="NTP"),
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("hosts.ini", "one ansible_host=10.0.0.1 volact_expect='kms-host-role; clock-skew: NTP'\n"),
        (
            "hosts.yml",
            "all:\n  hosts:\n    one:\n      ansible_host: 10.0.0.1\n"
            "      volact_expect: [kms-host-role, 'clock-skew: NTP']\n",
        ),
    ],
)
def test_ansible_has_a_variable_for_them(name: str, text: str, tmp_path: Path) -> None:
    assert inventory(tmp_path / name, text)["one"] == (
        Acceptance(finding="kms-host-role"),
        Acceptance(finding="clock-skew", reason="NTP"),
    )


@pytest.mark.parametrize("format_", sorted(FORMATS))
def test_what_is_exported_reads_back_the_same(format_: str, tmp_path: Path) -> None:
    path = tmp_path / "fleet.toml"
    before = inventory(path, TOML)
    text = export(load_inventory(path).servers, {}, format_).text
    suffix = {"toml": ".toml", "csv": ".csv", "ansible": ".yml"}[format_]
    assert inventory(tmp_path / f"again{suffix}", text) == before


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('expect = ["mak-licensed"]', "fleet.toml line 3: no such finding: 'mak-licensed'"),
        ('expect = ["clock-skw"]', "did you mean 'clock-skew'?"),
        ('expect = ["clock-skew until tomorrow"]', "until tomorrow is not a day"),
        ("expect = [{finding = 'clock-skew', till = 2027-01-01}]", "unknown key 'till'"),
        ("expect = [{finding = 'clock-skew', until = 2027-01-01T10:00:00}]", "is not a day"),
        ("expect = [{}]", "no such finding: ''"),
        ("expect = 7", "expect is not a list of findings"),
        ("expect = [7]", "7 is no accepted finding"),
    ],
)
def test_what_is_wrong_is_one_line(line: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "fleet.toml"
    path.write_text(f"[[server]]\naddress = 'ssh://10.0.0.1'\n{line}\n", "utf-8")
    with pytest.raises(InputError) as raised:
        load_inventory(path)
    assert said in raised.value.line()
    assert "\n" not in raised.value.line()


def test_the_plain_form_says_what_it_reads() -> None:
    assert acceptances(str(EVALUATION)) == (EVALUATION,)
    assert acceptances(["  kms-host-role  "]) == (Acceptance(finding="kms-host-role"),)
