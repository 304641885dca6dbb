"""net.exe: start and stop a service.  2 is every failure."""

from __future__ import annotations

from volact_lab.cmd.process import Process
from volact_lab.errors import LabError, WinFault


def run(process: Process) -> int:
    """Run ``net start NAME`` or ``net stop NAME``."""
    words = process.argv()
    services = process.machine.services
    actions = {"start": services.start, "stop": services.stop}
    if len(words) != 2 or words[0].lower() not in actions:
        raise LabError(f"net {process.arguments} is not modelled")
    try:
        process.machine.need_admin()
        actions[words[0].lower()](words[1])
    except WinFault as fault:
        process.complain(process.machine.language.win32_text(fault.code & 0xFFFF))
        return 2
    process.say(process.machine.language.done)
    return 0
