"""Where the agent puts the script that runs: a folder that is new, and closed to others."""

from __future__ import annotations

import pytest
from lab_world import Place, command

from volact.agent.render import render
from volact.agent.request import new_request
from volact.knowledge.load import load_profile
from volact_lab.windows.files import Files
from volact_lab.windows.machine import Machine

FOLDER = "C:\\Users\\Public"
FILE = f"{FOLDER}\\activate.bat"


async def handed(machine: Machine, before: str = "") -> list[str]:
    """Run a file that lies where every user may write; every path that was written.

    ``before``: a command that the same cmd runs first.
    """
    request = new_request("standalone", load_profile("tencent"), (), id="0" * 16)
    machine.files.write(FILE, render(request, keep=True, handed=True))
    written: list[str] = []
    files = machine.files

    class Watched(Files):
        def write(self, path: str, data: bytes, *rest: object) -> None:
            written.append(path)
            files.write(path, data, *rest)  # type: ignore[arg-type]

        def __getattribute__(self, name: str) -> object:
            return super().__getattribute__(name) if name == "write" else getattr(files, name)

    machine.files = Watched({})
    try:
        await command(machine, f'cmd.exe /c "{before}{FILE}"')
    finally:
        machine.files = files
    return written


def under(machine: Machine, folder: str) -> list[str]:
    return [node.name for node in machine.files.children(folder)]


async def test_the_script_lies_where_only_administrators_write(here: Place) -> None:
    machine = here.machine()
    before = under(machine, "C:\\Windows")
    written = await handed(machine)
    scripts = {path for path in written if path.endswith(".js")}
    assert len(scripts) == 1
    (path,) = scripts
    assert path.startswith("C:\\Windows\\activate-")
    assert path.count("\\") == 3, "not in a folder of its own"
    assert under(machine, "C:\\Windows") == before
    assert under(machine, FOLDER) == ["activate.bat"]


async def test_no_file_lies_in_system32_which_a_32_bit_cmd_sees_elsewhere(here: Place) -> None:
    """A service that runs as the system has its temporary folder there."""
    machine = here.machine()
    folder = "C:\\Windows\\System32\\config"
    machine.files.make_folder(folder)
    written = await handed(machine, f"set TEMP={folder}&")
    assert [path for path in written if path.endswith(".js")]
    assert not [path for path in written if path.lower().startswith("c:\\windows\\system32")]
    assert here.errors == []


async def test_an_account_that_may_not_uses_its_own_folder(here: Place) -> None:
    machine = here.machine()
    machine.elevated = False
    written = await handed(machine)
    scripts = {path for path in written if path.endswith(".js")}
    assert [path.startswith(f"{machine.temp}\\activate-") for path in scripts] == [True]
    assert under(machine, machine.temp) == []
    assert under(machine, FOLDER) == ["activate.bat"]


@pytest.mark.parametrize("lost", ["whole", "part"])
async def test_a_script_that_was_not_written_whole_never_runs(here: Place, lost: str) -> None:
    """As on a full disk: what is there is not what was sent, from any writer."""
    machine = here.machine()
    request = new_request("probe", load_profile("tencent"), (), id="0" * 16)
    machine.files.write(FILE, render(request, keep=True))
    files = machine.files

    class Full(Files):
        def write(self, path: str, data: bytes, *rest: object) -> None:
            if path.endswith(".js"):
                data = b"WScript.Echo('planted');" if lost == "whole" else data[: len(data) // 2]
            files.write(path, data, *rest)  # type: ignore[arg-type]

        def __getattribute__(self, name: str) -> object:
            return super().__getattribute__(name) if name == "write" else getattr(files, name)

    machine.files = Full({})
    try:
        result = await command(machine, f'cmd.exe /c "{FILE}"')
    finally:
        machine.files = files
    assert result.stdout.strip() == b"VOLACT0 not-started cannot-write cannot-write"
    assert not [name for name in under(machine, "C:\\Windows") if name.startswith("activate")]


@pytest.mark.parametrize("name", ["R&D.bat", "a ^b&c (1).bat", "ha!d.bat"])
async def test_a_file_may_have_a_name_that_cmd_takes_for_more(here: Place, name: str) -> None:
    machine = here.machine()
    await runs_as(machine, f"{FOLDER}\\{name}")
    assert under(machine, FOLDER) == [name]


async def test_a_temporary_folder_may_have_a_name_that_cmd_takes_for_more(here: Place) -> None:
    machine = here.machine()
    machine.elevated = False
    machine.temp = f"{machine.home}\\R&D ^x"
    machine.files.make_folder(machine.temp)
    await runs_as(machine, FILE)
    assert under(machine, machine.temp) == []


async def runs_as(machine: Machine, file: str) -> None:
    """The file runs under any name of its own and of its folders."""
    request = new_request("standalone", load_profile("tencent"), (), id="0" * 16)
    machine.files.write(file, render(request, keep=True, handed=True))
    ran = await command(machine, f'"{file}"')
    assert b"volact: activation of this server" in ran.stdout, ran
    assert ran.stderr == b""
