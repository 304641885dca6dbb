"""The simulated service manager, and what hangs on the licensing service."""

from __future__ import annotations

import pytest
from lab_world import Place, failure, printed

from volact_lab.errors import WinFault
from volact_lab.windows import acl
from volact_lab.windows.machine import Machine
from volact_lab.windows.registry import sz
from volact_lab.windows.services import IFEO

QUERY = (
    "new ActiveXObject('WbemScripting.SWbemLocator').ConnectServer('.', 'root\\\\cimv2')"
    ".ExecQuery('SELECT ClientMachineID FROM SoftwareLicensingService').Count"
)


def start_code(machine: Machine, name: str) -> int:
    with pytest.raises(WinFault) as caught:
        machine.services.start(name)
    return caught.value.code & 0xFFFF


async def test_asking_for_the_licence_starts_the_stopped_service(machine: Machine) -> None:
    assert machine.services.get("sppsvc").state == "Stopped"
    assert await printed(machine, QUERY) == "1"
    assert machine.services.get("SPPSVC").state == "Running"


async def test_a_disabled_service_makes_licensing_unreadable(machine: Machine) -> None:
    machine.services.configure("sppsvc", "Disabled")
    assert start_code(machine, "sppsvc") == 1058
    assert await printed(machine, QUERY) == failure(0x80070422)


async def test_a_program_that_may_not_be_executed_is_access_denied(machine: Machine) -> None:
    node = machine.licensing_file()
    dacl = node.dacl.denying(acl.NETWORK_SERVICE, acl.EXECUTE)
    machine.files.change(node.path, dacl=dacl)
    assert start_code(machine, "sppsvc") == 5
    assert await printed(machine, QUERY) == failure(0x80070005)


@pytest.mark.parametrize(
    ("program", "code"),
    [("C:\\Windows\\System32\\systray.exe", 1053), ("C:\\nowhere\\x.exe -d", 2)],
)
async def test_a_debugger_keeps_the_service_from_starting(
    machine: Machine, program: str, code: int
) -> None:
    machine.registry.set(f"{IFEO}\\sppsvc.exe", "Debugger", sz(program))
    assert start_code(machine, "sppsvc") == code
    assert await printed(machine, QUERY) == failure(0x80070000 | code)


def test_a_disabled_dependency_is_told(machine: Machine) -> None:
    machine.services.stop("EventSystem")
    machine.services.configure("EventSystem", "Disabled")
    machine.services.get("sppsvc").depends = ("EventSystem",)
    assert start_code(machine, "sppsvc") == 1068


def test_starting_twice_stopping_twice_and_a_missing_service(machine: Machine) -> None:
    machine.services.start("sppsvc")
    assert start_code(machine, "sppsvc") == 1056
    machine.services.stop("sppsvc")
    with pytest.raises(WinFault) as caught:
        machine.services.stop("sppsvc")
    assert caught.value.code & 0xFFFF == 1062
    assert start_code(machine, "slsvc") == 1060


def test_start_modes_are_in_the_registry_too(machine: Machine) -> None:
    key = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\sppsvc"
    assert machine.registry.number(key, "Start") == 2
    assert machine.registry.number(key, "DelayedAutostart") == 1
    machine.services.configure("sppsvc", "Manual")
    assert machine.registry.number(key, "Start") == 3
    assert machine.registry.number(key, "DelayedAutostart") is None


def test_what_each_release_has(here: Place) -> None:
    names = {
        release: set(here.machine(release=release).services.services)
        for release in ("2008", "2008 R2", "2012", "2025")
    }
    assert {"slsvc", "sluinotify"} <= names["2008"]
    assert "sppsvc" not in names["2008"]
    assert {"sppsvc", "sppuinotify"} <= names["2008 R2"]
    assert "sppuinotify" not in names["2012"] | names["2025"]
