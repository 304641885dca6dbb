"""The agent's self-checks on simulated servers where something it relies on does not hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from lab_world import Place, agent, handed_out, step

import volact.agent
from volact_lab.windows import acl
from volact_lab.windows.releases import RELEASES

SOURCE = Path(volact.agent.__file__).parent / "source"
ALWAYS = ("error-number", "wmi-column", "safe-array", "bitness", "clock")
BEFORE_STEPS = ("exit-code", "registry-number", "acl-text", "closed-port")
SEEN = {
    "error-number": "0x80070003",
    "wmi-column": "0x80041010",
    "safe-array": "0x800A1395",
    "bitness": "x86 on 64-bit",
    "exit-code": "0x00000000",
    "registry-number": "0x7FFFFFFF",
    "acl-text": "0x8007000D",
    "closed-port": "connected",
}


@pytest.mark.parametrize("release", sorted(RELEASES))
async def test_on_a_healthy_server_every_check_holds(here: Place, release: str) -> None:
    machine = here.machine(release=release, language="ja")
    facts = (await agent(machine)).facts
    assert facts["checks"] == dict.fromkeys(ALWAYS, True)
    assert facts["ground"] == {
        "wsh": "5.8",
        "engine": "JScript 11.0.26100" if release == "2025" else "JScript 5.8.23000",
        "replacement": None,
        "process": "AMD64",
        "system": "64-bit",
        "acp": "932",
        "oem": "932",
    }
    answer = await agent(machine, step("start-service", name="Winmgmt"))
    assert answer.facts["checks"] == dict.fromkeys((*ALWAYS, *BEFORE_STEPS), True)
    assert [(done.ok, done.note) for done in answer.results] == [(True, "")]
    assert here.errors == []


async def test_an_offset_that_lags_behind_summer_time_is_no_wrong_clock(here: Place) -> None:
    machine = here.machine()
    machine.odd = "summer-time"
    assert (await agent(machine)).facts["checks"] == dict.fromkeys(ALWAYS, True)


@pytest.mark.parametrize("odd", [*ALWAYS, *BEFORE_STEPS])
async def test_where_a_check_fails_no_step_is_done(here: Place, odd: str) -> None:
    machine = here.machine("w32time-stopped")
    machine.odd = odd
    facts = (await agent(machine)).facts
    assert isinstance(facts["checks"].get(odd), str) == (odd in ALWAYS)
    before = machine.services.get("W32Time").state
    answer = await agent(machine, step("start-service", name="W32Time"), step("activate"))
    seen = answer.facts["checks"][odd]
    assert seen == SEEN.get(odd, seen)
    assert [(done.ok, done.changed) for done in answer.results] == [(False, False)] * 2
    assert {done.note for done in answer.results} == {f"self-check failed: {odd} ({seen})"}
    assert machine.services.get("W32Time").state == before == "Stopped"
    assert machine.licensing.activations == 0
    assert here.errors == []


async def test_a_check_that_cannot_be_made_is_not_a_failed_one(here: Place) -> None:
    machine = here.machine("w32time-stopped")
    machine.services.stop("Winmgmt")
    machine.services.configure("Winmgmt", "Disabled")
    zone = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\TimeZoneInformation"
    machine.registry.delete_value(zone, "StandardStart")
    machine.registry.denied = lambda path, write: write and "description" in path.lower()
    machine.files.delete("C:\\Windows\\System32\\icacls.exe", {acl.TRUSTED_INSTALLER})
    answer = await agent(machine, step("set-time-source", peers=["ntpupdate.tencentyun.com"]))
    checks = answer.facts["checks"]
    unasked = {"wmi-column", "safe-array", "bitness", "clock", "registry-number", "acl-text"}
    assert {name for name, seen in checks.items() if isinstance(seen, dict)} == unasked
    assert not [seen for seen in checks.values() if isinstance(seen, str)]
    assert "self-check" not in answer.results[0].note


async def test_how_long_a_fact_took_is_said_where_the_clock_shows_it(here: Place) -> None:
    answer = await agent(here.machine("kms-silent"))
    assert answer.facts["ms"]["reach"] >= 3000
    # Some have no value here; which of them took long enough to be seen is the machine's affair.
    source = "".join(path.read_text("ascii") for path in SOURCE.glob("*.js"))
    named = set(re.findall(r'(?:addFact\(facts, "|UNCHANGED\.)(\w+)', source))
    assert set(answer.facts["ms"]) <= named
    assert {"reach", "ref", "firewall"} <= named


async def test_a_person_is_told_and_nothing_is_changed(here: Place) -> None:
    machine = here.machine("never-activated")
    machine.odd = "exit-code"
    result = await handed_out(machine)
    printed = result.stdout.decode("ascii")
    assert result.exit_code == 2
    assert "REFUSED: self-check failed: exit-code (0x00000000)" in printed
    assert machine.licensing.activations == 0
