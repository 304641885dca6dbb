"""The script host: strict about COM, and nothing younger than JScript 5.8."""

from __future__ import annotations

import pytest
from lab_world import Place, command, failure, printed, script

from volact_lab.script.source import split
from volact_lab.windows.machine import Machine
from volact_lab.windows.registry import Value, dword

SHELL = "new ActiveXObject('WScript.Shell')"
FILES = "new ActiveXObject('Scripting.FileSystemObject')"


@pytest.mark.parametrize(
    "expression",
    [
        "WScript.Nonsense",
        f"{SHELL}.Popup('x')",
        f"{SHELL}.Exec('cmd')",
        f"{FILES}.GetTempName()",
        "new ActiveXObject('WinHttp.WinHttpRequest.5.1').Option(1)",
        "'x' in WScript",
        "WScript.StdOut.Write('x')",
    ],
)
async def test_an_unknown_member_fails_and_is_reported(here: Place, expression: str) -> None:
    assert await printed(here.machine(), expression) == failure(0x800A01B6)
    assert len(here.errors) == 1
    assert "no member" in here.errors[0].message


async def test_an_unknown_class_fails_and_is_reported(here: Place) -> None:
    made = "new ActiveXObject('MSXML2.XMLHTTP')"
    result = await script(here.machine(), f"try {{ {made}; }} catch (e) {{ WScript.Quit(4); }}")
    assert result.exit_code == 4
    assert b"lab: the COM class MSXML2.XMLHTTP is not modelled" in result.stderr
    assert len(here.errors) == 1


async def test_names_do_not_care_about_case(machine: Machine) -> None:
    assert await printed(machine, "wscript = 1, new ActiveXObject('wscript.SHELL').regread('x')")
    expression = "new ActiveXObject('scripting.filesystemobject').FILEEXISTS('c:\\\\windows')"
    assert await printed(machine, expression) == "false"


@pytest.mark.parametrize(
    "name",
    ["JSON", "Map", "Promise", "Proxy", "Symbol", "globalThis", "console", "__host", "__json",
     "[].map", "[].indexOf", "[].forEach", "''.trim", "''.startsWith", "Object.keys", "Date.now",
     "Array.isArray", "(function () {}).bind", "new Date().toISOString", "''.padStart"],
)  # fmt: skip
async def test_what_jscript_does_not_know_is_not_there(machine: Machine, name: str) -> None:
    assert await printed(machine, f"typeof {name}") == "undefined"


async def test_the_clock_is_the_servers(machine: Machine) -> None:
    machine.clock.offset = 86400 * 365
    now = machine.clock.now() * 1000
    assert abs(int(await printed(machine, "new Date().getTime()")) - now) < 5000
    assert await printed(machine, "new Date(0).getUTCFullYear()") == "1970"
    assert await printed(machine, "new Date().getTimezoneOffset()") == "-480"
    fixed = "Date.parse('Sat, 31 Jan 2026 08:00:00 GMT')"
    assert await printed(machine, fixed) == "1769846400000"


@pytest.mark.parametrize("what", ["getHours", "getFullYear", "setMonth"])
async def test_local_time_is_not_to_be_had(machine: Machine, what: str) -> None:
    assert await printed(machine, f"typeof new Date().{what}") == "undefined"


async def test_errors_of_the_language_have_numbers(machine: Machine) -> None:
    assert await printed(machine, "undefined.x") == failure(0x800A138F)
    assert await printed(machine, "nowhere") == failure(0x800A1391)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("HKLM\\\\SOFTWARE\\\\Nope", 0x80070002),
        ("HKLM\\\\SOFTWARE\\\\Microsoft\\\\Nope\\\\", 0x80070002),
        ("HKU\\\\S-1-5-19\\\\Environment\\\\TEMP", 0x80070002),  # WSH has no such short name
        ("nonsense", 0x80070002),
    ],
)
async def test_reading_what_is_not_in_the_registry(machine: Machine, path: str, code: int) -> None:
    assert await printed(machine, f"{SHELL}.RegRead('{path}')") == failure(code)


async def test_registry_values_by_type(machine: Machine) -> None:
    registry = machine.registry
    registry.set("HKLM\\T", "d", dword(0xFFFFFFFF))
    registry.set("HKLM\\T", "m", Value("REG_MULTI_SZ", ("a", "b")))
    registry.set("HKLM\\T", "b", Value("REG_BINARY", bytes(1960)))
    assert await printed(machine, f"{SHELL}.RegRead('HKLM\\\\T\\\\d')") == "-1"
    many = f"new VBArray({SHELL}.RegRead('HKLM\\\\T\\\\m')).toArray().length"
    assert await printed(machine, many) == "2"
    size = f"new VBArray({SHELL}.RegRead('HKLM\\\\T\\\\b')).ubound(1)"
    assert await printed(machine, size) == "1959"
    assert await printed(machine, "new VBArray([1])") == failure(0x800A1395)


async def test_registry_writing(machine: Machine) -> None:
    path = "HKLM\\\\T\\\\n"
    assert await printed(machine, f"{SHELL}.RegWrite('{path}', -1, 'REG_DWORD')") == ""
    assert machine.registry.number("HKLM\\T", "n") == 0xFFFFFFFF
    large = f"{SHELL}.RegWrite('{path}', 4294967295, 'REG_DWORD')"
    assert await printed(machine, large) == failure(0x8002000A)
    multi = f"{SHELL}.RegWrite('{path}', 'x', 'REG_MULTI_SZ')"
    assert await printed(machine, multi) == failure(0x80070057)
    assert await printed(machine, f"{SHELL}.RegDelete('{path}')") == ""
    assert await printed(machine, f"{SHELL}.RegDelete('{path}')") == failure(0x80070002)


async def test_an_account_that_is_not_elevated_is_denied(machine: Machine) -> None:
    machine.elevated = False
    read = f"{SHELL}.RegRead('HKEY_USERS\\\\S-1-5-19\\\\Environment\\\\TEMP')"
    assert await printed(machine, read) == failure(0x80070005)
    write = f"{SHELL}.RegWrite('HKLM\\\\SOFTWARE\\\\x', 'y')"
    assert await printed(machine, write) == failure(0x80070005)


async def test_files_have_the_numbers_of_the_script_runtime(machine: Machine) -> None:
    path = f"{machine.temp}\\t.txt".replace("\\", "\\\\")
    assert await printed(machine, f"{FILES}.OpenTextFile('{path}', 1)") == failure(0x800A0035)
    assert await printed(machine, f"{FILES}.DeleteFile('{path}')") == failure(0x800A0035)
    machine.files.write(f"{machine.temp}\\t.txt", b"")
    empty = f"{FILES}.OpenTextFile('{path}', 1).ReadAll()"
    assert await printed(machine, empty) == failure(0x800A003E)
    machine.files.write(f"{machine.temp}\\t.txt", "é".encode("utf-16-le"))
    wide = f"{FILES}.OpenTextFile('{path}', 1, false, -1).ReadAll().length"
    assert await printed(machine, wide) == "1"
    assert await printed(machine, f"{FILES}.GetFile('{path}').Size") == "2"
    system = "C:\\\\Windows\\\\System32\\\\cmd.exe"
    assert await printed(machine, f"{FILES}.DeleteFile('{system}')") == failure(0x800A0046)


async def test_run_returns_the_exit_code(machine: Machine) -> None:
    assert await printed(machine, f"{SHELL}.Run('cmd.exe /c exit 6', 0, true)") == "6"
    assert await printed(machine, f"{SHELL}.Run('nosuch.exe', 0, true)") == failure(0x80070002)


async def test_quit_ends_even_inside_try(machine: Machine) -> None:
    text = "try { WScript.Quit(3); } catch (e) { WScript.Echo('caught'); } WScript.Echo('on');"
    result = await script(machine, text)
    assert (result.exit_code, result.stdout) == (3, b"")


async def test_an_uncaught_error_is_told_and_reported(here: Place) -> None:
    result = await script(here.machine(), "nowhere();")
    assert result.exit_code == 1
    assert b"runtime error" in result.stderr
    assert len(here.errors) == 1


async def test_what_a_script_leaves_behind_is_reported_and_gone(here: Place) -> None:
    machine = here.machine()
    await script(machine, "Array.prototype.push = function () { return 'mine'; }; leaked = 1;")
    assert "changed" in here.errors[0].message
    assert await printed(machine, "typeof leaked + [].push(1)") == "undefined1"


async def test_a_script_gets_no_more_memory_than_is_good(here: Place) -> None:
    result = await script(here.machine(), "var s = 'x'; for (;;) { s += s + s; }")
    assert result.exit_code == 1


async def test_windows_script_host_may_be_off(here: Place) -> None:
    for index in range(4):
        machine = here.machine("wsh-disabled", index=index, language="ja")
        result = await command(machine, "cscript //nologo x.js")
        assert result.exit_code == 1
        assert machine.language.script_host_off.encode("cp932") in result.stdout


@pytest.mark.parametrize(
    ("text", "template", "literal"),
    [
        (
            '/*\r\nbatch */\r\nvar R = {"a":1};\r\nf(R);',
            "\r\nvar R = __literal();\nf(R);",
            '{"a":1}',
        ),
        ("f();", "f();", ""),
        ("var R = {a:1};", "var R = {a:1};", ""),
        ('var R = {"__proto__":1};', 'var R = {"__proto__":1};', ""),
        ('x = 1; var R = {"a":1};', 'x = 1; var R = {"a":1};', ""),
    ],
)
def test_only_a_line_that_is_a_literal_is_taken_out(text: str, template: str, literal: str) -> None:
    source = split(text)
    assert source.template.replace("\r\n", "\n").lstrip() == template.replace("\r\n", "\n").lstrip()
    assert source.literal == literal
