"""The questions that the agent puts only to a server that needs them, on simulated servers."""

from __future__ import annotations

from typing import Any

import pytest
from lab_world import Place, agent, deny_reading

from volact_lab import codes
from volact_lab.faults.states import kms_client
from volact_lab.windows import acl
from volact_lab.windows.machine import Machine
from volact_lab.windows.protection import (
    FIREWALL_PROFILES,
    FIREWALL_RULES,
    NETWORK_SERVICE_HIVE,
    OLE,
    store_folder,
)
from volact_lab.windows.registry import Value, dword, normal, sz
from volact_lab.windows.releases import RELEASES

ON_NEED = ("rights", "store", "firewall")
BLOCK = "v2.10|Action=Block|Active=TRUE|Dir=Out|Protocol=6|RPort=1688|Name=no KMS|"


async def facts_of(machine: Machine) -> dict[str, Any]:
    return (await agent(machine)).facts


@pytest.mark.parametrize("fault", ["licensed", "never-activated", "clock-5h", "kms-host-wrong"])
async def test_where_nothing_calls_for_them_they_are_not_asked(here: Place, fault: str) -> None:
    facts = await facts_of(here.machine(fault))
    assert [name for name in ON_NEED if name in facts] == []
    assert facts["addresses"] == ["10.0.0.3"]
    assert here.errors == []


@pytest.mark.parametrize("release", sorted(RELEASES))
async def test_a_silent_licensing_service_is_asked_about(here: Place, release: str) -> None:
    machine = here.machine("sppsvc-disabled", release=release)
    facts = await facts_of(machine)
    rights = facts["rights"]
    assert rights["profiles"] == ["S-1-5-18", "S-1-5-19", "S-1-5-20"]
    assert "(A;;0xf003f;;;S-1-5-20)" in rights["hive"]
    assert rights["profile_key"].startswith("D:(")
    assert rights["enum_root"].startswith("D:(")
    assert rights["plugplay"].endswith("(A;;CCLCSWLOCRRC;;;SU)")
    assert rights["dcom"] is None
    store = facts["store"]
    assert store["path"].lower() == store_folder(machine.release).lower()
    assert (store["tokens"], store["spare"]) == (4096, False)
    assert store["free_mb"] == machine.free_bytes // 1024**2
    assert store["sddl"].startswith("D:PAI(")
    assert "firewall" not in facts
    assert here.errors == []


async def test_what_was_taken_away_shows(here: Place) -> None:
    machine = here.machine("sppsvc-disabled")
    machine.registry.dacls[normal(NETWORK_SERVICE_HIVE).lower()] = acl.parse(
        "D:(D;IO;0x1;;;WD)(A;;0xf003f;;;SY)"
    )
    machine.registry.set(OLE, "DefaultAccessPermission", Value("REG_BINARY", bytes([1, 0, 4])))
    machine.registry.delete_key(
        "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\ProfileList\\S-1-5-20"
    )
    machine.services.get("PlugPlay").sddl = "D:(A;;CC;;;SY)"
    machine.files.delete(f"{store_folder(machine.release)}\\tokens.dat", acl.SYSTEM_TOKEN)
    facts = await facts_of(machine)
    assert facts["rights"]["profiles"] == ["S-1-5-18", "S-1-5-19"]
    assert facts["rights"]["profile_key"] == {"!": 0x80070002}
    assert facts["rights"]["hive"] == "D:(D;IO;0x1;;;S-1-1-0)(A;;0xf003f;;;S-1-5-18)"
    assert facts["rights"]["dcom"] == "010004"
    assert facts["rights"]["plugplay"] == "D:(A;;CC;;;SY)"
    assert facts["store"]["tokens"] is None
    assert here.errors == []


async def test_the_firewall_is_asked_when_no_host_answers(here: Place) -> None:
    machine = here.machine("kms-refused")
    machine.registry.set(FIREWALL_RULES, "mine", sz(BLOCK))
    machine.registry.set(FIREWALL_PROFILES[2], "DefaultOutboundAction", dword(1))
    machine.registry.set(FIREWALL_PROFILES[2], "EnableFirewall", dword(1))
    machine.registry.set(FIREWALL_PROFILES[0], "DefaultOutboundAction", dword(1))
    machine.registry.set(FIREWALL_PROFILES[0], "EnableFirewall", dword(0))
    facts = await facts_of(machine)
    assert facts["firewall"] == {
        "service": "Running",
        "active": 4,
        "blocking": ["PublicProfile"],
        "block": [BLOCK],
        "allow": [],
    }
    assert "rights" not in facts
    assert here.errors == []


async def test_firewall_rules_of_a_policy_that_cannot_be_read_are_unreadable(here: Place) -> None:
    machine = here.machine("kms-refused")
    deny_reading(machine, "policies\\microsoft\\windowsfirewall")
    firewall = (await facts_of(machine))["firewall"]
    assert (firewall["block"], firewall["allow"]) == ({"!": 0x80070005}, {"!": 0x80070005})


@pytest.mark.parametrize(
    ("reason", "asked"),
    [
        (codes.SL_OUT_OF_TOLERANCE, ["rights", "store"]),
        (0x80070005, ["rights", "store"]),
        (0xC004E002, ["store"]),
        (codes.SL_NOT_BOUND, []),
    ],
)
async def test_the_code_says_what_to_ask_about(here: Place, reason: int, asked: list[str]) -> None:
    machine = here.machine("never-activated", release="2019")
    kms_client(machine).set_state(5, reason, None)
    facts = await facts_of(machine)
    assert [name for name in ON_NEED if name in facts] == asked
    assert here.errors == []


async def test_server_2008_is_known_where_one_of_two_places_cannot_be_read(here: Place) -> None:
    """Its values have other names there: under those of later releases they seem absent."""
    machine = here.machine("licensed", release="2008")
    deny_reading(machine, "\\currentversion", end=True)
    facts = await facts_of(machine)
    assert facts["registry"]["machine"] == machine.licensing.machine()
    assert facts["binary"]["path"].lower().endswith("\\slsvc.exe")
