"""cscript.exe: the console script host."""

from __future__ import annotations

import re

from volact_lab.cmd.process import Process
from volact_lab.errors import LabError
from volact_lab.programs import slmgr
from volact_lab.script import engine
from volact_lab.windows import acl
from volact_lab.windows.files import normal
from volact_lab.windows.image import JSCRIPT

_SETTINGS = "SOFTWARE\\Microsoft\\Windows Script Host\\Settings"
_OPTION = re.compile(r"//(nologo|b|e:jscript|t:\d+)", re.IGNORECASE)
_FAILED = 1


def run(process: Process) -> int:
    """Run a script file; its exit code is what it quits with."""
    machine = process.machine
    words = process.argv()
    options = [word for word in words if word.startswith("//") or word.lower() == "/nologo"]
    rest = [word for word in words if word not in options]
    for option in options:
        if not _OPTION.fullmatch(option) and option.lower() != "/nologo":
            raise LabError(f"cscript {option} is not modelled")
    if _switched_off(process):
        process.say(machine.language.script_host_off)
        return _FAILED
    if not rest:
        raise LabError("cscript without a file is not modelled")
    path = normal(rest[0], process.cwd)
    if not machine.files.is_file(path):
        process.complain(f'Input Error: Can not find script file "{path}".')
        return _FAILED
    if machine.odd == "antivirus-js" and path.lower().endswith(".js"):
        machine.files.delete(path)
        process.complain(f'Input Error: Can not find script file "{path}".')
        return _FAILED
    if path.lower().endswith("\\slmgr.vbs"):
        return slmgr.run(process, rest[1:])
    if not path.lower().endswith(".js"):
        raise LabError(f"cscript {process.arguments} is not modelled")
    return _run_script(process, path, rest[1:])


def _run_script(process: Process, path: str, arguments: list[str]) -> int:
    machine = process.machine
    engine_file = machine.files.stat("C:\\Windows\\System32\\jscript.dll")
    there = machine.registry.find(JSCRIPT, "") is not None
    if not there or not engine_file.dacl.allows(machine.token, acl.READ):
        process.complain(f'CScript Error: Can\'t find script engine "JScript" for script "{path}".')
        return _FAILED
    if machine.odd == "enforced":
        process.complain(f"CScript Error: {machine.language.win32_text(5)}")
        return _FAILED
    source = machine.files.read(path).decode(machine.language.ansi, "replace")
    outcome = engine.run(process, source, path, arguments)
    if outcome.error:
        first = outcome.error.splitlines()[0]
        process.complain(f"{path}(1, 1) Microsoft JScript runtime error: {first}")
        machine.report(LabError(f"a script ended with an uncaught error: {first}"))
    return outcome.exit_code


def _switched_off(process: Process) -> bool:
    registry = process.machine.registry
    for root in ("HKLM", "HKCU"):
        value = registry.find(f"{root}\\{_SETTINGS}", "Enabled")
        if value is not None and str(value.data) == "0":
            return True
    return False
