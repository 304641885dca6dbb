"""The TAT agent on a simulated server: a ``.bat`` as LocalSystem, one pipe for all output.

As the real agent does it: the bytes as they came into a file under its own
folder, ``cmd.exe /C <file>``, killed with everything below it when time is up.
"""

from __future__ import annotations

from volact_lab.instances.agent import Command, Ran, make_folder, run_file
from volact_lab.windows.machine import Machine

FOLDER = "C:\\Program Files\\QCloud\\tat_agent"


def run_bat(machine: Machine, name: str, script: bytes, limit_s: float) -> Ran:
    """Run a script to its end or until time is up."""
    make_folder(machine, f"{FOLDER}\\tmp")
    path = f"{FOLDER}\\tmp\\{name}.bat"
    machine.files.write(path, script)
    ran = run_file(machine, Command(f'/C "{path}"', f"{FOLDER}\\workdir", 1), limit_s)
    if machine.files.is_file(path):
        machine.files.delete(path)
    return ran
