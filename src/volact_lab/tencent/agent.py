"""The TAT agent on a simulated server: a ``.bat`` as LocalSystem, one pipe for all output.

As the real agent does it: the bytes as they came into a file under its own
folder, ``cmd.exe /C <file>``, killed with everything below it when time is up.
"""

from __future__ import annotations

from dataclasses import dataclass

from volact_lab.cmd.process import Process
from volact_lab.cmd.streams import Buffer
from volact_lab.programs import cmd_exe
from volact_lab.session import attended
from volact_lab.windows.environment import Environment
from volact_lab.windows.machine import Machine

FOLDER = "C:\\Program Files\\QCloud\\tat_agent"
_PROFILE = "C:\\Windows\\system32\\config\\systemprofile"
_KILLED = 1


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of a script."""

    exit_code: int
    output: bytes
    timed_out: bool


def run_bat(machine: Machine, name: str, script: bytes, limit_s: float) -> Ran:
    """Run a script to its end or until time is up."""
    for folder in (FOLDER, f"{FOLDER}\\tmp", f"{FOLDER}\\workdir"):
        _make(machine, folder)
    path = f"{FOLDER}\\tmp\\{name}.bat"
    machine.files.write(path, script)
    pipe = Buffer()
    process = Process(machine, _environment(machine), f"{FOLDER}\\workdir", pipe, pipe)
    process.arguments = f'/C "{path}"'
    code = attended(process, lambda: cmd_exe.run(process), limit_s, system=True)
    if machine.files.is_file(path):
        machine.files.delete(path)
    return Ran(_KILLED if code is None else code, pipe.value(), code is None)


def _make(machine: Machine, folder: str) -> None:
    path = ""
    for part in folder.split("\\"):
        path = f"{path}\\{part}" if path else part
        if len(path) > 2 and machine.files.find(path) is None:
            machine.files.make_folder(path)


def _environment(machine: Machine) -> Environment:
    """The variables of a service of LocalSystem."""
    env = machine.environment()
    for name, value in {
        "USERNAME": f"{machine.name}$",
        "USERDOMAIN": machine.domain.partition(".")[0].upper() or "WORKGROUP",
        "USERPROFILE": _PROFILE,
        "HOMEPATH": "",
        "HOMEDRIVE": "",
        "TEMP": "C:\\Windows\\TEMP",
        "TMP": "C:\\Windows\\TEMP",
    }.items():
        env.set(name, value)
    return env
