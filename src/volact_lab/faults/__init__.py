"""Everything that can be wrong with a simulated server, by fault id."""

from __future__ import annotations

from volact.errors import InputError
from volact_lab.faults import clock, elsewhere, images, keys, kms, line, rare, script_host, system
from volact_lab.faults.base import Fault

FAULTS: dict[str, Fault] = {
    fault.id: fault
    for fault in (
        *(*kms.FAULTS, *clock.FAULTS, *system.FAULTS, *keys.FAULTS),
        *(*images.FAULTS, *rare.FAULTS, *elsewhere.FAULTS, *line.FAULTS, *script_host.FAULTS),
    )
}


def fault(name: str) -> Fault:
    """The fault of that id."""
    found = FAULTS.get(name)
    if found is None:
        raise InputError(f"unknown fault {name!r}", f"known: {', '.join(sorted(FAULTS))}")
    return found


__all__ = ["FAULTS", "Fault", "fault"]
