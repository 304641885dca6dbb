"""takeown.exe: make the administrators the owner of a file."""

from __future__ import annotations

from volact_lab.cmd.process import Process
from volact_lab.errors import LabError, WinFault
from volact_lab.windows import acl
from volact_lab.windows.files import normal


def run(process: Process) -> int:
    """Run ``takeown /f FILE /a``."""
    words = process.argv()
    if len(words) != 3 or words[0].lower() != "/f" or words[2].lower() != "/a":
        raise LabError(f"takeown {process.arguments} is not modelled")
    machine = process.machine
    try:
        machine.need_admin()
        machine.files.change(normal(words[1], process.cwd), owner=acl.ADMINISTRATORS)
    except WinFault as fault:
        process.complain(machine.language.win32_text(fault.code & 0xFFFF))
        return 1
    process.say(machine.language.done)
    return 0
