"""WQL and WMI: what a release has, and how everything else fails."""

from __future__ import annotations

import pytest
from lab_world import Place, failure, printed, script

from volact_lab.errors import LabError, WinFault
from volact_lab.windows.machine import Machine
from volact_lab.wmi import wql
from volact_lab.wmi.service import Wmi

SERVICE = "new ActiveXObject('WbemScripting.SWbemLocator').ConnectServer('.', 'root\\\\cimv2')"


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("a = 'X'", True),
        ("a <> 'x'", False),
        ("n > 3 AND n <= 5", True),
        ("n = 1 OR (n = 5 AND a = 'x')", True),
        ("n = 1 OR n = 5 AND a = 'y'", False),
        ("nothing = NULL", True),
        ("nothing <> null", False),
        ("a <> NULL", True),
        ("yes = TRUE", True),
        ("nothing = 'x'", False),
    ],
)
def test_conditions(where: str, expected: bool) -> None:
    row: dict[str, wql.Cell] = {"a": "x", "n": 5, "nothing": None, "yes": True}
    query = wql.parse(f"SELECT a FROM Thing WHERE {where}")
    assert wql.matches(query.where, row) is expected


@pytest.mark.parametrize(
    "text",
    ["SELECT", "SELECT a FROM", "a FROM b", "SELECT a FROM b WHERE", "SELECT a FROM b WHERE a ~ 1",
     "SELECT a FROM b WHERE a = ", "SELECT a FROM b c", "SELECT a, FROM b"],
)  # fmt: skip
def test_what_is_no_query_is_an_invalid_query(text: str) -> None:
    with pytest.raises(WinFault) as caught:
        wql.parse(text)
    assert caught.value.code == 0x80041017


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("SELECT Nonsense FROM Win32_OperatingSystem", 0x80041017),
        ("SELECT Caption FROM Win32_OperatingSystem WHERE Nonsense = 1", 0x80041017),
        ("SELECT Caption FROM NoSuchClass", 0x80041010),
        ("SELECT Caption FROM Win32_OperatingSystem WHERE BuildNumber = 5", 0x80041017),
    ],
)
def test_unknown_names_fail_as_on_windows(machine: Machine, query: str, code: int) -> None:
    with pytest.raises(WinFault) as caught:
        Wmi(machine).query(query)
    assert caught.value.code == code


@pytest.mark.parametrize(
    "query",
    [
        "SELECT SerialNumber FROM Win32_BIOS",
        "SELECT * FROM SoftwareLicensingService",
        "SELECT OA3xOriginalProductKey FROM SoftwareLicensingService",
        "SELECT OfflineInstallationId FROM SoftwareLicensingProduct",
        "ASSOCIATORS OF {Win32_Service.Name='sppsvc'}",
        "SELECT Name FROM Win32_Service WHERE Name LIKE 'spp%'",
    ],
)
def test_what_is_not_modelled_or_not_to_be_asked_is_loud(machine: Machine, query: str) -> None:
    with pytest.raises(LabError):
        Wmi(machine).query(query)


@pytest.mark.parametrize(
    ("name", "without", "with_it"),
    [
        ("KeyManagementServicePort", "2008", "2008 R2"),
        ("GenuineStatus", "2008", "2008 R2"),
        ("VLActivationTypeEnabled", "2008 R2", "2012"),
        ("ProductKeyChannel", "2012", "2012 R2"),
    ],
)
def test_properties_by_release(here: Place, name: str, without: str, with_it: str) -> None:
    query = f"SELECT ID, {name} FROM SoftwareLicensingProduct"
    with pytest.raises(WinFault) as caught:
        Wmi(here.machine(release=without)).query(query)
    assert caught.value.code == 0x80041017
    assert Wmi(here.machine(release=with_it)).query(query)


def test_every_property_of_a_release_has_a_value(here: Place) -> None:
    for release in ("2008", "2008 R2", "2012", "2012 R2", "2025"):
        wmi = Wmi(here.machine(release=release))
        for name in ("SoftwareLicensingProduct", "Win32_Service", "Win32_OperatingSystem"):
            columns = [p for p in wmi.class_of(name).properties if p != "offlineinstallationid"]
            assert wmi.query(f"SELECT {', '.join(columns)} FROM {name}")


def test_a_setter_that_2008_lacks_is_an_invalid_method(here: Place) -> None:
    machine = here.machine(release="2008")
    wmi = Wmi(machine)
    version = machine.release.version + ".0"
    given = {"PortNumber": 1688}
    with pytest.raises(WinFault) as caught:
        wmi.call("SoftwareLicensingService", version, "SetKeyManagementServicePort", given)
    assert caught.value.code == 0x8004102E
    wmi.call("SoftwareLicensingService", version, "ClearKeyManagementServiceMachine", {})
    assert machine.licensing.machine() is None


async def test_methods_with_arguments_from_a_script(machine: Machine) -> None:
    code = f"""
      var wmi = {SERVICE};
      var input = wmi.Get('SoftwareLicensingService').Methods_
        .Item('setkeymanagementservicemachine').InParameters.SpawnInstance_();
      input.Properties_.Item('MachineName').Value = 'kms.example';
      var row = wmi.ExecQuery('SELECT Version FROM SoftwareLicensingService').ItemIndex(0);
      row.ExecMethod_('SetKeyManagementServiceMachine', input);
      WScript.Echo(wmi.ExecQuery('SELECT KeyManagementServiceMachine FROM' +
        ' SoftwareLicensingService').ItemIndex(0).Properties_.Item('keymanagementSERVICEmachine')
        .Value);
    """
    result = await script(machine, code)
    assert result.stdout == b"kms.example\r\n"
    assert machine.licensing.machine() == "kms.example"


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        (f"{SERVICE}.Get('NoSuchClass')", 0x80041002),
        (f"{SERVICE}.Get('SoftwareLicensingService').Methods_.Item('Nope')", 0x80041002),
        (f"{SERVICE}.Get(\"Win32_Service.Name='nope'\")", 0x80041002),
        (f"{SERVICE}.ExecQuery('SELECT Nope FROM Win32_Service').Count", 0x80041017),
        (f"{SERVICE}.ExecQuery('SELECT Name FROM Win32_Service').ItemIndex(999)", 0x80041002),
        (f'{SERVICE}.Get("Win32_Service.Name=\'sppsvc\'").ExecMethod_("Nope")', 0x8004102E),
        (SERVICE.replace("cimv2", "nothing"), 0x8004100E),
    ],
)
async def test_failures_in_a_script(machine: Machine, expression: str, code: int) -> None:
    assert await printed(machine, expression) == failure(code)


async def test_a_wrong_query_surfaces_when_the_rows_are_asked_for(machine: Machine) -> None:
    query = f"{SERVICE}.ExecQuery('SELECT Nope FROM Win32_Service')"
    assert await printed(machine, f"typeof {query}") == "object"
    assert await printed(machine, query.replace("')", "', 'WQL', 0)")) == failure(0x80041017)


async def test_services_answer_with_return_values(machine: Machine) -> None:
    service = f"{SERVICE}.Get(\"Win32_Service.Name='sppsvc'\")"
    call = f"{service}.ExecMethod_('StartService').Properties_.Item('ReturnValue').Value"
    assert await printed(machine, call) == "0"
    assert await printed(machine, call) == "10"
    machine.services.stop("sppsvc")
    machine.services.configure("sppsvc", "Disabled")
    assert await printed(machine, call) == "14"
    machine.elevated = False
    assert await printed(machine, call) == "2"


async def test_large_numbers_come_signed_and_lists_as_arrays(here: Place) -> None:
    machine = here.machine("grace-expired")
    reason = machine.licensing.products[0].reason
    row = (
        f"{SERVICE}.ExecQuery('SELECT LicenseStatusReason FROM SoftwareLicensingProduct WHERE"
        " PartialProductKey <> NULL').ItemIndex(0).Properties_.Item('LicenseStatusReason').Value"
    )
    assert int(await printed(machine, row)) == reason - (1 << 32)
    dns = (
        f"new VBArray({SERVICE}.ExecQuery('SELECT DNSServerSearchOrder FROM"
        " Win32_NetworkAdapterConfiguration WHERE IPEnabled = TRUE').ItemIndex(0).Properties_"
        ".Item('DNSServerSearchOrder').Value).toArray().join('+')"
    )
    assert await printed(machine, dns) == "183.60.83.19+183.60.82.98"


def test_an_object_that_was_asked_for_without_its_key_has_no_methods(machine: Machine) -> None:
    wmi = Wmi(machine)
    [named] = wmi.query("SELECT Version, ClientMachineID FROM SoftwareLicensingService")
    [nameless] = wmi.query("SELECT ClientMachineID FROM SoftwareLicensingService")
    assert (bool(named.key), nameless.key) == (True, "")
    with pytest.raises(WinFault) as caught:
        wmi.call(nameless.class_name, nameless.key, "ReArmWindows", {})
    assert caught.value.code == 0x8004103A
