"""ipconfig.exe: empty the cache of names, which the lab's servers do not have."""

from __future__ import annotations

from volact_lab.cmd.process import Process
from volact_lab.errors import LabError


def run(process: Process) -> int:
    """Run ``ipconfig /flushdns``."""
    if [word.lower() for word in process.argv()] != ["/flushdns"]:
        raise LabError(f"ipconfig {process.arguments} is not modelled")
    process.say(process.machine.language.done)
    return 0
