"""Win32_LogicalFileSecuritySetting: who owns a file, as WMI objects."""

from __future__ import annotations

from typing import Any

from volact_lab import codes
from volact_lab.errors import WinFault
from volact_lab.windows.files import normal
from volact_lab.windows.machine import Machine

CLASS = "Win32_LogicalFileSecuritySetting"


def path_of(machine: Machine, escaped: str) -> str:
    """The file that an object path names, with its backslashes doubled."""
    path = normal(escaped.replace("\\\\", "\\"))
    if machine.files.find(path) is None:
        raise WinFault(codes.WBEM_NOT_FOUND, escaped)
    return path


def descriptor(machine: Machine, path: str) -> dict[str, Any]:
    """The out parameters of GetSecurityDescriptor; only the owner is modelled."""
    owner = {"SIDString": machine.files.stat(path).owner}
    found = {"ControlFlags": 0x8004, "Owner": _object("__Trustee", owner)}
    return {"ReturnValue": 0, "Descriptor": _object("__SecurityDescriptor", found)}


def _object(name: str, values: dict[str, Any]) -> dict[str, Any]:
    return {"row": [name, "", values]}
