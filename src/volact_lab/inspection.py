"""What a simulated server is like, to compare before and after; nothing is changed here.

Plain values, ready for JSON: all that a step may set, whether the server is
licensed, and what of volact is on it.
"""

from __future__ import annotations

from typing import Any

from volact_lab.windows.machine import Machine

_KEYS = (
    "HKLM\\SYSTEM\\CurrentControlSet\\Services",
    "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Image File Execution Options",
    "HKLM\\SOFTWARE\\Policies",
    "HKLM\\HARDWARE\\DESCRIPTION\\System",
)
_LOCK = "volact.lock"


def picture(machine: Machine) -> dict[str, Any]:
    """Everything of a server that a step may set, but its clock and its licence."""
    file = machine.licensing_file()
    return {
        "registry": _registry(machine),
        "keys": {product.id: product.partial_key for product in machine.licensing.products},
        "services": {s.name: [s.start, s.delayed] for s in machine.services.services.values()},
        "dacl": file.dacl.sddl(),
        "owner": file.owner,
        "dns": list(machine.network.dns),
        "routes": sorted([r.destination, r.mask, r.next_hop] for r in machine.network.routes),
    }


def licensed(machine: Machine) -> bool:
    """Whether a Windows of the server is licensed."""
    return any(product.status == 1 for product in machine.licensing.products)


def locked(machine: Machine) -> bool:
    """Whether a lock of volact stands on it."""
    return machine.files.is_file(f"C:\\Windows\\{_LOCK}")


def left(machine: Machine) -> list[str]:
    """The files of volact on it, but for the lock."""
    folders = dict.fromkeys((machine.temp, "C:\\Windows\\Temp", "C:\\Windows"))
    names = [node.name for folder in folders for node in machine.files.children(folder)]
    return [name for name in names if "volact" in name.lower() and name != _LOCK]


def _registry(machine: Machine) -> dict[str, str]:
    found: dict[str, str] = {}
    for root in (machine.release.licensing_key, *_KEYS):
        _below(machine, root, found)
    return found


def _below(machine: Machine, path: str, found: dict[str, str]) -> None:
    if not machine.registry.has_key(path):
        return
    for name, value in machine.registry.values(path):
        found[f"{path}\\{name}".lower()] = repr(value)
    for below in machine.registry.subkeys(path):
        _below(machine, below, found)
