"""A cloud's agent on a simulated server: it has ``cmd.exe`` run a file as LocalSystem.

Where the file is and how it got there is each cloud's own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from volact_lab.cmd.process import Process
from volact_lab.cmd.streams import Buffer
from volact_lab.programs import cmd_exe
from volact_lab.session import attended
from volact_lab.windows.environment import Environment
from volact_lab.windows.machine import Machine

SYSTEM_TEMP = "C:\\Windows\\TEMP"
_PROFILE = "C:\\Windows\\system32\\config\\systemprofile"
_KILLED = 1


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of a script.  ``errors`` is empty where all output goes through one pipe."""

    exit_code: int
    output: bytes
    timed_out: bool
    errors: bytes = b""


# Runs the script of a task, by the task's id, to its end or until time is up.
Runner = Callable[[Machine, str, bytes, float], Ran]


@dataclass(frozen=True, slots=True)
class Command:
    """A file for ``cmd.exe``; ``pipes`` is 2 where its errors have a pipe of their own."""

    arguments: str
    folder: str
    pipes: int


def run_file(machine: Machine, command: Command, limit_s: float) -> Ran:
    """Run a file; it is killed with everything below it when time is up."""
    make_folder(machine, command.folder)
    out = Buffer()
    err = out if command.pipes == 1 else Buffer()
    process = Process(machine, _environment(machine), command.folder, out, err)
    process.arguments = command.arguments
    code = attended(process, lambda: cmd_exe.run(process), limit_s, system=True)
    errors = b"" if err is out else err.value()
    return Ran(_KILLED if code is None else code, out.value(), code is None, errors)


def make_folder(machine: Machine, folder: str) -> None:
    """Make a folder and those above it."""
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
        "TEMP": SYSTEM_TEMP,
        "TMP": SYSTEM_TEMP,
    }.items():
        env.set(name, value)
    return env
