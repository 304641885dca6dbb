"""The batch language, as cmd.exe understands it."""

from __future__ import annotations

import pytest
from lab_world import Place, batch, command

from volact_lab.cmd import parse
from volact_lab.cmd.arithmetic import evaluate
from volact_lab.cmd.process import split_arguments
from volact_lab.errors import LabError
from volact_lab.windows.machine import Machine


async def lines(machine: Machine, text: str, *args: str) -> list[str]:
    result = await batch(machine, "@echo off\n" + text, *args)
    assert result.stderr == b"", result.stderr
    return result.stdout.decode(machine.language.oem).splitlines()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("set a=b\necho [%a%] [%none%] 100%%", ["[b] [] 100%"]),
        ('set "a=b & c"\necho "%a%"', ['"b & c"']),
        ("set a=abcdef\necho %a:~1,3% %a:~-2% %a:~0,-1% %a:cd=X%", ["bcd ef abcde abXef"]),
        ("echo a^&b ^> c", ["a&b > c"]),
        ("echo.\necho/\necho on the line", ["", "", "on the line"]),
        ("if 1==1 (echo yes) else echo no", ["yes"]),
        ("if not 1==1 (echo yes) else (echo no)", ["no"]),
        ('if /i "A"=="a" echo same', ["same"]),
        ("if 9 LSS 10 echo number\nif \"9\" GTR \"10\" echo text", ["number", "text"]),
        ("set x=1\nif defined x if not defined y echo both", ["both"]),
        ("if 1==2 echo a & echo b\necho c", ["c"]),
        ("goto two\n:one\necho one\nexit /b\n:two\necho two\ngoto one", ["two", "one"]),
        ("call :sub x y\necho after\ngoto :eof\n:sub\necho %1-%2-%*", ["x-y-x y", "after"]),
        ("for %%i in (a \"b c\" d) do echo %%i", ["a", '"b c"', "d"]),
        ("for /l %%i in (3,-1,1) do echo %%i", ["3", "2", "1"]),
        ('for /f "tokens=2,3 delims=:" %%a in ("x:y:z") do echo %%a %%b', ["y z"]),
        ('for /f "tokens=1*" %%a in ("one two three") do echo %%b', ["two three"]),
        ("for /f %%v in ('echo hello there') do echo got %%v", ["got hello"]),
        ("for /f \"usebackq\" %%v in (`echo hi ^& echo ho`) do echo %%v", ["hi", "ho"]),
        ("set n=4\nset /a n=n*2+(3-1)\necho %n%", ["10"]),
        ("set n=1\n(\nset n=2\necho %n%\n)\necho %n%", ["1", "2"]),
        (
            "setlocal enabledelayedexpansion\nset n=1\n(\nset n=2\necho !n!\n)",
            ["2"],
        ),
        ("set a=1\nsetlocal\nset a=2\nendlocal\necho %a%", ["1"]),
        ("echo one&&echo two||echo three", ["one", "two"]),
        ("nosuch 2>nul||echo code %errorlevel%", ["code 0"]),
        ("(echo a&echo b) | (echo c)", ["c"]),
        ("rem nothing & echo hidden\n:: neither\necho shown", ["shown"]),
        ("@set @v=0 /*\necho [%@v%]", ["[0 /*]"]),
    ],
)  # fmt: skip
async def test_what_a_batch_file_prints(machine: Machine, text: str, expected: list[str]) -> None:
    assert await lines(machine, text) == expected


async def test_an_unknown_command_is_told_in_the_language_of_windows(here: Place) -> None:
    machine = here.machine(language="de")
    result = await batch(machine, "@echo off\nnosuch\necho %errorlevel%\n")
    assert result.stdout == b"9009\r\n"
    assert b"'nosuch'" in result.stderr
    assert b"recognized" not in result.stderr


async def test_names_of_the_running_file(here: Place) -> None:
    machine = here.machine(user="KANTOR\\Admin TI", language="id")
    found = await lines(machine, "echo %~f0\necho %~dpn0\necho %~nx0\necho %~n1", '"C:\\a b\\c.d"')
    folder = "C:\\Users\\Admin TI\\AppData\\Local\\Temp"
    assert found == [f"{folder}\\test.bat", f"{folder}\\test", "test.bat", "c"]


async def test_files_are_written_appended_copied_typed_and_deleted(machine: Machine) -> None:
    text = """cd /d %TEMP%
echo one>a.txt
echo two>>a.txt
>b.txt type a.txt
copy /y b.txt c.txt >nul
if exist c.txt echo there
type c.txt
del /q /f a.txt b.txt c.txt
if not exist a.txt if not exist *.txt echo gone
"""
    assert await lines(machine, text) == ["there", "one", "two", "gone"]


async def test_a_block_may_be_redirected_as_a_whole(machine: Machine) -> None:
    text = '(echo /*& type "%~f0") > "%TEMP%\\out.js"\nset /a x=1>nul\n'
    await batch(machine, "@echo off\n" + text)
    data = machine.files.read(f"{machine.temp}\\out.js")
    assert data.startswith(b"/*\r\n@echo off\r\n")


async def test_a_file_that_deleted_itself_cannot_go_on(machine: Machine) -> None:
    result = await batch(machine, '@del "%~f0"\n@echo never\n')
    assert result.stdout == b""
    assert result.stderr.strip() == machine.language.batch_gone.encode()
    assert result.exit_code == 1
    result = await batch(machine, '@set x=3\n@del "%~f0" & exit %x%\n')
    assert (result.exit_code, result.stderr) == (3, b"")


@pytest.mark.parametrize(
    ("text", "code"),
    [("exit /b 7", 7), ("exit 8", 8), ("call :x\nexit /b\n:x\nexit /b 9", 9), ("cmd /c exit 5", 5)],
)
async def test_exit_codes_come_through(machine: Machine, text: str, code: int) -> None:
    assert (await batch(machine, f"@echo off\n{text}\n")).exit_code == code


async def test_errors_in_the_language_end_the_file(machine: Machine) -> None:
    result = await batch(machine, "@if\n@echo never\n")
    assert result.stdout == b""
    assert result.exit_code == 255
    result = await batch(machine, "@goto nowhere\n@echo never\n")
    assert result.stdout == b""
    assert b"nowhere" in result.stderr


async def test_a_target_that_cannot_be_opened_keeps_the_command_from_running(
    machine: Machine,
) -> None:
    result = await batch(machine, "@echo x> C:\\no\\such\\folder.txt\n@echo %errorlevel%\n")
    assert result.stdout == b"1\r\n"
    assert machine.language.win32_text(3).encode() in result.stderr


@pytest.mark.parametrize(
    "text", ["dir", "start notepad", "set /p x=?", "for /r %%i in (*) do echo", "echo %TIME%"]
)
async def test_what_the_lab_does_not_model_is_loud(here: Place, text: str) -> None:
    result = await batch(here.machine(), f"@{text}\n")
    assert result.exit_code == 250
    assert b"lab: " in result.stderr
    assert len(here.errors) == 1


@pytest.mark.parametrize(
    ("line", "output"),
    [
        ('cmd.exe /c "echo a & echo b"', b"a \r\nb\r\n"),
        ('cmd.exe /d /c echo "x y"', b'"x y"\r\n'),
        ('cmd /c "cmd /c echo deep"', b"deep\r\n"),
        ("echo %NONE% %COMPUTERNAME%", b"%NONE% WEB-01\r\n"),
    ],
)
async def test_command_lines(machine: Machine, line: str, output: bytes) -> None:
    assert (await command(machine, line)).stdout == output


@pytest.mark.parametrize("text", ["(echo a", "for %%i in (a", "if 1==1 ("])
def test_an_open_block_goes_on_in_the_next_line(text: str) -> None:
    with pytest.raises(parse.Unfinished):
        parse.parse(text.replace("%%", "%"))


@pytest.mark.parametrize("text", ["echo a )x| ", "if x", "&& echo", "for %i do echo"])
def test_wrong_syntax(text: str) -> None:
    with pytest.raises(parse.SyntaxFault):
        parse.parse(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('a "b c" d"e f"g', ["a", "b c", "de fg"]),
        ('"a\\\\" b\\c', ["a\\", "b\\c"]),
        ('\\"quoted\\" ""', ['"quoted"', ""]),
    ],
)
def test_arguments_as_a_c_program_gets_them(text: str, words: list[str]) -> None:
    assert split_arguments(text) == words


@pytest.mark.parametrize(
    ("text", "value"), [("1+2*3", 7), ("-7/2", -3), ("-7%4", -3), ("(1+2)*n", 15), ("0x10", 16)]
)
def test_arithmetic(text: str, value: int) -> None:
    assert evaluate(text, {"n": "5"}.get) == value  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["1/0", "(1", "1 2", "a&b", ""])
def test_arithmetic_that_is_not_modelled(text: str) -> None:
    with pytest.raises(LabError):
        evaluate(text, lambda _name: "1")
