"""The file that a person is given: what it could not read is never taken for "none"."""

from __future__ import annotations

import pytest
from lab_world import Place, handed_out, licensed_by

from volact_lab.windows.licensing import NAME
from volact_lab.windows.machine import Machine
from volact_lab.windows.network import REFUSED
from volact_lab.windows.registry import sz

COMPANY = "kms.corp.example"
FAILED = 0x80041001
FOUND_BY_2008 = "HKU\\S-1-5-20\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\SL"
_OWN = "keymanagementservicemachine"
_FOUND = "discoveredkeymanagementservicemachinename"


async def refusal(machine: Machine) -> str:
    """Why the file changes nothing here; no step of it has run, and no host was set."""
    host, tried = machine.licensing.machine(), machine.licensing.activations
    result = await handed_out(machine)
    text = result.stdout.decode("ascii")
    assert result.exit_code == 2, text
    assert "Repairing" not in text
    assert (machine.licensing.machine(), machine.licensing.activations) == (host, tried)
    return next(line for line in text.splitlines() if line.startswith("REFUSED: "))


async def test_a_policy_that_cannot_be_read_is_refused(here: Place) -> None:
    machine = here.machine("policy-denied")
    why = await refusal(machine)
    assert why == "REFUSED: group policy could not be read (0x80070005)"


@pytest.mark.parametrize("column", ["vlactivationtype", _OWN, _FOUND])
@pytest.mark.parametrize("host", [COMPANY, "azkms.core.windows.net", None])
async def test_a_licence_of_unknown_origin_is_not_given_up(
    here: Place, column: str, host: str | None
) -> None:
    machine = licensed_by(here, COMPANY)
    machine.licensing.clear(NAME)
    if host:
        machine.licensing.set_machine(host)
    machine.failing[column] = FAILED
    why = await refusal(machine)
    assert why == "REFUSED: what activates this server could not be read (0x80041001)"


async def test_a_host_that_cannot_be_read_is_not_replaced(here: Place) -> None:
    machine = here.machine("kms-host-wrong")
    machine.failing[_OWN] = FAILED
    why = await refusal(machine)
    assert why == "REFUSED: what activates this server could not be read (0x80041001)"


@pytest.mark.parametrize("release", ["2008", "2008 R2"])
async def test_a_release_without_such_properties_is_judged_by_those_it_has(
    here: Place, release: str
) -> None:
    provided, own = here.machine(release=release), licensed_by(here, COMPANY, release=release)
    result = await handed_out(provided)
    assert b"\nNothing to change: already licensed." in result.stdout
    assert (await refusal(own)).startswith(f"REFUSED: this server is licensed by {COMPANY}:1688")


async def test_a_host_that_server_2008_found_is_known(here: Place) -> None:
    machine = licensed_by(here, COMPANY, release="2008")
    machine.licensing.clear(NAME)
    machine.registry.set(FOUND_BY_2008, "DiscoveredKeyManagementServiceName", sz(COMPANY))
    assert (await refusal(machine)).startswith(f"REFUSED: this server is licensed by {COMPANY}")


async def test_products_that_cannot_be_read_keep_their_host(here: Place) -> None:
    machine = licensed_by(here, COMPANY)
    machine.failing["licensestatus"] = FAILED
    result = await handed_out(machine)
    text = result.stdout.decode("ascii")
    assert result.exit_code == 1, text
    assert "set-kms-host: FAILED 0x80041001 (the licence could not be read)" in text
    assert machine.licensing.machine() == COMPANY


async def test_a_licence_that_shows_after_a_repair_is_kept(here: Place) -> None:
    machine = licensed_by(here, COMPANY, "execute-denied")
    result = await handed_out(machine)
    text = result.stdout.decode("ascii")
    assert result.exit_code == 2, text
    assert "grant-execute: done" in text
    assert f"REFUSED: set-kms-host: this server is licensed by {COMPANY}:1688" in text
    assert (machine.licensing.machine(), machine.licensing.activations) == (COMPANY, 0)


async def test_a_clock_that_could_not_be_compared_is_said(here: Place) -> None:
    machine = licensed_by(here, "kms.tencentyun.com")
    machine.network.own[(machine.world.addresses["metadata.tencentyun.com"], 80)] = REFUSED
    result = await handed_out(machine)
    assert b"Clock       the clock could not be compared" in result.stdout


async def test_a_licence_status_without_a_value_is_no_licence_to_replace(here: Place) -> None:
    machine = licensed_by(here, COMPANY)
    machine.licensing.products[0].status = None  # type: ignore[assignment]
    result = await handed_out(machine)
    assert (result.exit_code, machine.licensing.machine()) == (1, COMPANY), result.stdout
