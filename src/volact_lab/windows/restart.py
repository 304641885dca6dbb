"""A restart of a server: what it completes, what it forgets, which services come up."""

from __future__ import annotations

from volact_lab.windows import upkeep
from volact_lab.windows.machine import Machine
from volact_lab.windows.releases import Generation
from volact_lab.windows.w32time import SERVICE, starts_by_itself

# The hardware hive is made anew at every start.
_VOLATILE = "HKLM\\HARDWARE\\DESCRIPTION\\System"
_MARK = "VolactRestart"


def restart(machine: Machine) -> None:
    """Restart a server as a person would."""
    if machine.registry.find(_VOLATILE, _MARK):
        machine.registry.delete_value(_VOLATILE, _MARK)
    machine.services.read_keys()
    licensing = machine.services.get(machine.release.licensing_service)
    licensing.state, licensing.pid = "Stopped", 0
    scheduler = machine.services.get("Schedule")
    scheduler.state, scheduler.pid = "Stopped", 0
    if scheduler.start == "Auto":
        machine.services.start(scheduler.name)
    upkeep.restarted(machine.licensing)
    old = machine.release.generation is Generation.SL
    clock = machine.services.get(SERVICE)
    if clock.state == "Running":
        machine.services.stop(SERVICE)
    if starts_by_itself(machine.registry, clock, in_domain=bool(machine.domain), old=old):
        machine.services.start(SERVICE)
