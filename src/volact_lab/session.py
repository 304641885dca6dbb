"""One command of a remote session: what the login shell makes of the line.

OpenSSH on Windows hands the command to the account's default shell.  cmd.exe
gets it in quotes; PowerShell, the bash of WSL and the bash of MSYS take it
apart by their own rules first.
"""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from volact_lab.cmd import launch
from volact_lab.cmd.process import Process
from volact_lab.cmd.streams import Buffer, Source
from volact_lab.errors import Ended, LabError
from volact_lab.programs import cmd_exe
from volact_lab.windows.machine import Machine
from volact_lab.windows.spec import ShellName

_LAB_FAILED = 250
_KILLED = 1


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a command."""

    exit_code: int
    stdout: bytes
    stderr: bytes


@dataclass(frozen=True, slots=True)
class Start:
    """How a command begins where it does not come from a login over SSH.

    ``program`` is the shell that is started by name instead of the account's
    own; ``variables`` are set in addition to those of a login.
    """

    program: ShellName | None = None
    stdin: bytes | Source = b""
    variables: Mapping[str, str] = field(default_factory=dict)


_LOGIN = Start()


def execute(
    machine: Machine, line: str, *, limit_s: float = 600.0, start: Start = _LOGIN
) -> Result:
    """Run a command line as the login user, to its end or until time is up."""
    out, err = Buffer(), Buffer()
    process = Process(machine, machine.environment(), machine.home, out, err, start.stdin)
    for name, value in start.variables.items():
        process.env.set(name, value)
    shell = _SHELLS[start.program or machine.shell]
    code = attended(process, lambda: shell(process, line), limit_s)
    return Result(_KILLED if code is None else code, out.value(), err.value())


def attended(
    process: Process, work: Callable[[], int], limit_s: float, *, system: bool = False
) -> int | None:
    """Do a process's work while nothing else runs on its machine; its exit code.

    ``None`` when time was up.  With ``system`` it acts as LocalSystem.  What
    the lab does not model is reported on the process's error stream too.
    """
    machine = process.machine
    complaints: list[LabError] = []
    report = machine.on_report

    def keep(name: str, error: LabError) -> None:
        complaints.append(error)
        report(name, error)

    with machine.lock:
        machine.on_report = keep
        machine.stop_at = time.monotonic() + limit_s
        machine.as_system = system
        code: int | None = None
        try:
            code = work()
        except LabError as error:
            machine.report(error)
            code = _LAB_FAILED
        except Ended:
            pass
        finally:
            machine.stop_at = None
            machine.as_system = False
            machine.on_report = report
    for complaint in complaints:
        process.err.write(f"lab: {complaint.line()}\r\n".encode())
    return code


def _cmd(process: Process, line: str) -> int:
    return _started(process, f'/c "{line}"')


def _wide_cmd(process: Process, line: str) -> int:
    """A cmd.exe that prints UTF-16."""
    return _started(process, f'/u /c "{line}"')


def _mistaken_cmd(process: Process, line: str) -> int:
    """What OpenSSH makes of a cmd.exe whose path it does not recognise: -c instead of /c."""
    return _started(process, f'-c "{line}"')


def _started(process: Process, arguments: str) -> int:
    process.arguments = arguments
    return cmd_exe.run(process)


def _powershell(process: Process, line: str) -> int:
    """PowerShell's own exit code only separates success from failure."""
    code = _program(process, _powershell_words(line))
    return 0 if code == 0 else 1


def _powershell_words(line: str) -> list[str]:
    if any(sign in line for sign in ";|&$(){}`><@"):
        raise LabError(f"this PowerShell command line is not modelled: {line}")
    words, word, quote, open_word = [], "", "", False
    for char in line:
        if quote:
            quote, word = ("", word) if char == quote else (quote, word + char)
        elif char in "\"'":
            quote, open_word = char, True
        elif char in " \t":
            if word or open_word:
                words.append(word)
            word, open_word = "", False
        else:
            word += char
    return [*words, word] if word or open_word else words


def _bash(process: Process, line: str) -> int:
    """A POSIX shell: outside quotes a backslash only escapes what follows."""
    if any(sign in line for sign in ";|&$(){}`<>*?!"):
        raise LabError(f"this bash command line is not modelled: {line}")
    return _program(process, shlex.split(line)) & 0xFF


def _msys(process: Process, line: str) -> int:
    """The bash of MSYS: what looks like a path of its own becomes one of Windows."""
    return _bash(process, " ".join(shlex.quote(_converted(word)) for word in shlex.split(line)))


def _converted(word: str) -> str:
    if word.startswith("//"):
        return word[1:]
    drive = re.fullmatch(r"/([A-Za-z])", word)
    return f"{drive[1].upper()}:/" if drive else word


def _program(process: Process, words: list[str]) -> int:
    if not words:
        return 0
    node = launch.find(process, words[0])
    if node is None or not node.path.lower().endswith((".exe", ".com")):
        process.complain(f"{words[0]}: command not found")
        return 127
    arguments = " ".join(f'"{word}"' if " " in word or not word else word for word in words[1:])
    return launch.start(process, node, arguments)


_SHELLS = {
    "cmd": _cmd,
    "powershell": _powershell,
    "bash": _bash,
    "msys": _msys,
    "cmd-u": _wide_cmd,
    "cmd-c": _mistaken_cmd,
}
