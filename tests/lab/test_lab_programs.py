"""The programs of System32, and how a login shell starts them."""

from __future__ import annotations

import pytest
from lab_world import Place, command

from volact_lab.windows import acl
from volact_lab.windows.machine import Machine
from volact_lab.windows.registry import dword
from volact_lab.windows.restart import restart

PROGRAM = "C:\\Windows\\System32\\sppsvc.exe"
OWNER = f"*{acl.TRUSTED_INSTALLER}"


async def code(machine: Machine, line: str) -> int:
    return (await command(machine, line)).exit_code


async def test_icacls_saves_a_dacl_as_utf_16(machine: Machine) -> None:
    assert await code(machine, f'icacls "{PROGRAM}" /save "%TEMP%\\x.out" /q') == 0
    text = machine.files.read(f"{machine.temp}\\x.out").decode("utf-16-le")
    assert text.splitlines()[0] == "sppsvc.exe"
    dacl, _, sacl = text.splitlines()[1].partition("S:")
    assert dacl == machine.licensing_file().dacl.sddl()
    assert sacl in ("", "AINO_ACCESS_CONTROL", "PAINO_ACCESS_CONTROL")
    assert await code(machine, 'icacls C:\\nope.exe /save "%TEMP%\\x" /q') == 2


async def test_a_dacl_changes_only_after_the_owner_was_taken(here: Place) -> None:
    machine = here.machine("execute-denied")
    change = f'icacls "{PROGRAM}" /remove:d *{acl.NETWORK_SERVICE}'
    grant = f'icacls "{PROGRAM}" /grant *{acl.NETWORK_SERVICE}:(RX)'
    assert await code(machine, change) == 5
    assert await code(machine, f'takeown /f "{PROGRAM}" /a') == 0
    assert machine.licensing_file().owner == acl.ADMINISTRATORS
    assert await code(machine, change) == 0
    assert await code(machine, grant) == 0
    assert machine.licensing_file().dacl.allows(acl.NETWORK_SERVICE_TOKEN, acl.EXECUTE)
    assert await code(machine, f'icacls "{PROGRAM}" /setowner {OWNER}') == 0
    assert machine.licensing_file().owner == acl.TRUSTED_INSTALLER


async def test_sc_answers_with_win32_codes(machine: Machine) -> None:
    assert await code(machine, "sc config w32time start= disabled") == 0
    machine.services.stop("w32time")
    assert await code(machine, "sc start w32time") == 1058
    assert await code(machine, "sc config w32time start= delayed-auto") == 0
    service = machine.services.get("w32time")
    assert (service.start, service.delayed) == ("Auto", True)
    assert await code(machine, "sc config w32time start=auto") == 87
    assert await code(machine, "sc query nope") == 1060
    machine.elevated = False
    assert await code(machine, "sc config w32time start= auto") == 5


@pytest.mark.parametrize(("release", "code_"), [("2008 R2", 0), ("2012", 5), ("2022", 5)])
async def test_the_licensing_service_is_configured_by_the_system_alone(
    here: Place, release: str, code_: int
) -> None:
    machine = here.machine(release=release)
    assert await code(machine, "sc config sppsvc start= demand") == code_
    assert await code(machine, "sc start sppsvc") == 0
    machine.registry.set("HKLM\\SYSTEM\\CurrentControlSet\\Services\\sppsvc", "Start", dword(3))
    restart(machine)
    assert machine.services.get("sppsvc").start == "Manual"


async def test_net_fails_with_2(machine: Machine) -> None:
    assert await code(machine, "net start sppsvc") == 0
    assert await code(machine, "net start sppsvc") == 2


async def test_reg_query_prints_type_and_value(machine: Machine) -> None:
    key = "HKLM\\SOFTWARE\\Test"
    assert await code(machine, f"reg add {key} /v N /t REG_DWORD /d 0 /f") == 0
    result = await command(machine, f'reg query "{key}" /v N')
    assert b"    N    REG_DWORD    0x0\r\n" in result.stdout
    assert await code(machine, f"reg delete {key} /v N /f") == 0
    result = await command(machine, f"reg query {key} /v N")
    assert (result.exit_code, result.stdout) == (1, b"")


async def test_wevtutil_prints_the_newest_events_first(machine: Machine) -> None:
    query = (
        "*[System[Provider[@Name='Microsoft-Windows-Security-SPP'] and"
        " (EventID=12288 or EventID=12289)]]"
    )
    line = f'wevtutil qe Application "/q:{query}" /c:1 /rd:true /f:xml'
    result = await command(machine, line)
    assert result.stdout.count(b"<Event ") == 1
    assert b">12289</EventID>" in result.stdout
    assert b"SystemTime='20" in result.stdout
    assert await code(machine, 'wevtutil qe Application "/q:*[Nonsense]" /f:xml') == 15001
    assert await code(machine, f'wevtutil qe Nowhere "/q:{query}" /f:xml') == 15007


async def test_slmgr_does_what_the_document_says(here: Place) -> None:
    machine = here.machine("kms-host-wrong", release="2012 R2")
    slmgr = "cscript /nologo %windir%\\system32\\slmgr.vbs"
    assert await code(machine, f"{slmgr} -skms kms.tencentyun.com:1688") == 0
    assert await code(machine, f"{slmgr} -ato") == 0
    assert await code(machine, f"{slmgr} -dlv") == 0
    product = machine.licensing.products[0]
    assert (product.status, machine.licensing.machine()) == (1, "kms.tencentyun.com")
    assert await code(machine, f"{slmgr} -skms kms.corp.example") == 0
    assert machine.licensing.port() == 0
    assert await code(machine, f"{slmgr} -ato") == -1073418124


async def test_programs_that_are_not_there_or_not_modelled(here: Place) -> None:
    machine = here.machine()
    assert await code(machine, "powershell -c exit") == 1
    assert not here.errors
    assert await code(machine, "find /i x") == 250
    assert len(here.errors) == 1


@pytest.mark.parametrize(
    ("shell", "line", "expected"),
    [
        ("cmd", 'cmd.exe /c "{path}"', 7),
        ("cmd", "cmd.exe /c {path}", 7),
        ("powershell", 'cmd.exe /c "{path}"', 1),  # PowerShell only reports failure
        ("powershell", "cmd.exe /c '{path}'", 1),
        ("bash", 'cmd.exe /c "{path}"', 7),
        ("bash", "cmd.exe /c {path}", 1),  # the backslashes are gone
    ],
)
@pytest.mark.parametrize("user", ["Administrator", "KANTOR\\Admin TI"])
async def test_each_default_shell_takes_a_line_apart_in_its_own_way(
    here: Place, shell: str, line: str, expected: int, user: str
) -> None:
    machine = here.machine(shell=shell, user=user)
    machine.files.write(f"{machine.temp}\\x.bat", b"@echo ran\r\n@exit /b 7\r\n")
    path = f"{machine.temp}\\x.bat"
    quoted = '"' in line or "'" in line
    result = await command(machine, line.format(path=path))
    works = (quoted or " " not in path) and not (shell == "bash" and not quoted)
    assert (result.stdout == b"ran\r\n") is works
    if works:
        assert result.exit_code == expected
    else:
        assert result.exit_code != 0


async def test_msys_takes_the_switch_for_a_path(here: Place) -> None:
    machine = here.machine(shell="msys")
    machine.files.write(f"{machine.temp}\\x.bat", b"@echo ran\r\n@exit /b 7\r\n")
    path = f"{machine.temp}\\x.bat"
    greeted = await command(machine, f'cmd.exe /c "{path}"')
    assert greeted.exit_code == 0
    assert b"ran" not in greeted.stdout
    assert (await command(machine, f'cmd.exe //c "{path}"')).exit_code == 7


async def test_a_relative_path_starts_in_the_profile(machine: Machine) -> None:
    machine.files.write(f"{machine.temp}\\x.bat", b"@cd\r\n")
    result = await command(machine, 'cmd.exe /c "AppData\\Local\\Temp\\x.bat"')
    assert result.stdout == b"C:\\Users\\Administrator\r\n"


async def test_a_run_that_takes_too_long_is_ended(machine: Machine) -> None:
    machine.files.write(f"{machine.temp}\\x.bat", b"@echo off\r\n:again\r\ngoto again\r\n")
    result = await command(machine, f'cmd.exe /c "{machine.temp}\\x.bat"', limit_s=0.2)
    assert result.exit_code == 1
