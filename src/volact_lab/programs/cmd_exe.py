"""cmd.exe started as a program: switches, and what /c makes of its quotes."""

from __future__ import annotations

import re

from volact_lab.cmd import launch
from volact_lab.cmd.control import ExitShell, LeaveBatch
from volact_lab.cmd.process import Process
from volact_lab.cmd.shell import Shell
from volact_lab.errors import LabError

_SWITCH = re.compile(r"\s*/([A-Za-z])(:\w+)?")
_SPECIAL = frozenset("&<>()@^|")


def run(process: Process) -> int:
    """Run the command behind /c and return its error level."""
    text, simple_quotes, command = process.arguments, False, None
    shell = Shell(process)
    while command is None:
        match = _SWITCH.match(text)
        if match is None:
            return _prompt(process)
        letter, text = match[1].lower() + (match[2] or "").lower(), text[match.end() :]
        match letter:
            case "c":
                command = text.lstrip()
            case "u" | "a":
                process.unicode = letter == "u"
            case "s":
                simple_quotes = True
            case "v:on":
                shell.delayed = True
            case "d" | "q" | "e:on":
                shell.echo = shell.echo and letter != "q"
            case _:
                raise LabError(f"cmd.exe /{letter} is not modelled")
    try:
        shell.run_line(unquote(process, command, simple=simple_quotes))
    except ExitShell as left:
        return left.code
    except LeaveBatch:
        pass
    return shell.errorlevel


def _prompt(process: Process) -> int:
    """Without /c it reads commands; there are none, so it greets and ends."""
    if process.stdin:
        raise LabError("commands on the standard input of cmd.exe are not modelled")
    machine = process.machine
    process.say(f"Microsoft Windows [{machine.language.version} {machine.release.version}]")
    process.out.write(machine.encode(f"\r\n{process.cwd}>"))
    return 0


def unquote(process: Process, command: str, *, simple: bool) -> str:
    """Strip the outer quotes, except where cmd.exe keeps them.

    It keeps them when there are exactly two, without /s, around something
    with a blank and no special character that names a program.
    """
    if not command.startswith('"'):
        return command
    inside = command[1 : command.rfind('"')]
    keeps = (
        not simple
        and command.count('"') == 2
        and not _SPECIAL & set(command)
        and " " in inside
        and launch.find(process, inside) is not None
    )
    if keeps:
        return command
    end = command.rfind('"')
    return command[1:] if end == 0 else command[1:end] + command[end + 1 :]
