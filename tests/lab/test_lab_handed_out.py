"""The file that a person is given: what it could not read is never taken for "none"."""

from __future__ import annotations

import pytest
from lab_world import Place, handed_out, licensed_by

from volact_lab import codes
from volact_lab.windows.licensing import NAME
from volact_lab.windows.machine import Machine
from volact_lab.windows.network import REFUSED
from volact_lab.windows.products import Product, windows_product
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


@pytest.mark.parametrize("release", ["2008 R2", "2012", "2016", "2025"])
@pytest.mark.parametrize("host", [None, COMPANY, "kms.tencentyun.com", "azkms.core.windows.net"])
async def test_the_licence_of_a_token_is_left_alone(
    here: Place, host: str | None, release: str
) -> None:
    machine = licensed_by(here, host or COMPANY, release=release)
    machine.licensing.products[0].by_token = True
    if not host:
        machine.licensing.clear(NAME)
    result = await handed_out(machine)
    text = result.stdout.decode("ascii")
    assert result.exit_code == 0, text
    assert "\nNothing to change" in text
    assert "\nACTIVATED by a token." in text
    assert (machine.licensing.machine(), machine.licensing.activations) == (host, 0)


@pytest.mark.parametrize("release", ["2008 R2", "2016"])
async def test_a_token_that_could_not_be_asked_for_may_be_one(here: Place, release: str) -> None:
    machine = licensed_by(here, "kms.tencentyun.com", release=release)
    machine.failing["tokenactivationilvid"] = FAILED
    why = await refusal(machine)
    assert why == "REFUSED: what activates this server could not be read (0x80041001)"


@pytest.mark.parametrize("release", ["2008", "2008 R2", "2012", "2025"])
async def test_a_licence_whose_kms_host_is_not_shown_is_not_given_up(
    here: Place, release: str
) -> None:
    machine = licensed_by(here, COMPANY, release=release)
    machine.licensing.clear(NAME)
    assert await refusal(machine) == (
        "REFUSED: this server is licensed, and does not show by which KMS host; a valid licence "
        "is given up only with your consent"
    )


@pytest.mark.parametrize("host", [None, COMPANY, "kms.tencentyun.com"])
@pytest.mark.parametrize(("kind", "name"), [(1, "Active Directory"), (3, "a token")])
async def test_no_kms_host_is_set_where_windows_contacts_none(
    here: Place, kind: int, name: str, host: str | None
) -> None:
    machine = here.machine("kms-host-wrong")
    product = machine.licensing.products[0]
    product.forced = kind
    product.set_state(5, codes.SL_GRACE_EXPIRED, None)
    machine.licensing.clear(NAME)
    if host:
        machine.licensing.set_machine(host)
    assert await refusal(machine) == (
        f"REFUSED: Windows is configured for activation by {name} only, and contacts no KMS host; "
        "slmgr.vbs -act-type 2 sets it to KMS"
    )


async def test_a_cloud_licence_is_not_moved_where_windows_contacts_no_kms_host(here: Place) -> None:
    machine = licensed_by(here, "azkms.core.windows.net")
    machine.licensing.products[0].forced = 3
    assert (await refusal(machine)).startswith(
        "REFUSED: Windows is configured for activation by a token"
    )


async def test_an_activation_type_that_cannot_be_read_is_refused(here: Place) -> None:
    machine = here.machine("kms-host-wrong")
    machine.licensing.products[0].set_state(5, codes.SL_GRACE_EXPIRED, None)
    machine.failing["vlactivationtypeenabled"] = FAILED
    why = await refusal(machine)
    assert why == "REFUSED: what activates this server could not be read (0x80041001)"


async def test_a_providers_licence_needs_no_activation_type(here: Place) -> None:
    machine = licensed_by(here, "kms.tencentyun.com")
    machine.failing["vlactivationtypeenabled"] = FAILED
    result = await handed_out(machine)
    assert b"\nNothing to change: already licensed." in result.stdout
    assert result.exit_code == 0


def beside(machine: Machine, channel: str, status: int) -> Product:
    """Another product of Windows with a key."""
    product = windows_product(machine.edition, channel)
    product.give_key("RST42", status, codes.SL_GRACE_EXPIRED, None)
    machine.licensing.products.append(product)
    return product


async def test_what_is_left_of_a_trial_does_not_refuse_a_client_key(here: Place) -> None:
    licensed, not_yet = licensed_by(here, "kms.tencentyun.com"), here.machine("kms-host-wrong")
    for machine in (licensed, not_yet):
        beside(machine, "TIMEBASED_EVAL", 5)
    assert b"\nNothing to change: already licensed." in (await handed_out(licensed)).stdout
    result = await handed_out(not_yet)
    assert b"\nACTIVATED by kms" in result.stdout, result.stdout
    assert result.exit_code == 0


@pytest.mark.parametrize("channel", ["RETAIL", "VOLUME_MAK", "OEM_SLP"])
@pytest.mark.parametrize("first", [True, False])
async def test_what_is_left_of_a_trial_beside_another_licence_changes_nothing(
    here: Place, channel: str, first: bool
) -> None:
    machine = here.machine()
    machine.licensing.products[0].drop_key()
    beside(machine, channel, 1)
    trial = beside(machine, "TIMEBASED_EVAL", 5)
    if first:
        machine.licensing.products.insert(0, machine.licensing.products.pop())
    assert trial.partial_key
    host = machine.licensing.machine()
    result = await handed_out(machine)
    text = result.stdout.decode("ascii")
    assert result.exit_code == 0, text
    assert "\nNothing to change: already licensed." in text
    assert text.rstrip().splitlines()[-1] == "ACTIVATED."
    assert (machine.licensing.machine(), machine.licensing.activations) == (host, 0)


@pytest.mark.parametrize(("trial", "other"), [(1, None), (5, None), (1, "RETAIL")])
async def test_a_trial_that_decides_is_refused(here: Place, trial: int, other: str | None) -> None:
    machine = here.machine()
    machine.licensing.products[0].drop_key()
    beside(machine, "TIMEBASED_EVAL", trial)
    if other:
        beside(machine, other, 5)
    assert (await refusal(machine)).startswith("REFUSED: this is an evaluation edition")


async def test_an_own_key_beside_a_trial_is_not_replaced(here: Place) -> None:
    machine = here.machine()
    machine.licensing.products[0].drop_key()
    beside(machine, "RETAIL", 5)
    beside(machine, "TIMEBASED_EVAL", 5)
    assert (await refusal(machine)).startswith("REFUSED: the installed key is not a KMS client key")
