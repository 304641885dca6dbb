"""chcp: show or change the console's code page."""

from __future__ import annotations

from volact_lab.cmd.process import Process
from volact_lab.errors import LabError


def run(process: Process) -> int:
    """Show the code page; changing it is not modelled."""
    if process.argv():
        raise LabError(f"chcp {process.arguments} is not modelled")
    process.say(f"Active code page: {process.machine.language.oem.removeprefix('cp')}")
    return 0
