"""StdRegProv.GetSecurityDescriptor: the rights of a registry key as WMI objects."""

from __future__ import annotations

from typing import Any

from volact_lab import codes
from volact_lab.windows.acl import Ace
from volact_lab.windows.protection import key_acl
from volact_lab.windows.registry import Registry, normal

_HIVES = {
    0x80000000: "HKCR",
    0x80000001: "HKCU",
    0x80000002: "HKLM",
    0x80000003: "HKU",
}
_INHERIT_ONLY = 8


def descriptor(registry: Registry, hive: int, path: str) -> dict[str, Any]:
    """The out parameters of the method; a key that is not there is a return value."""
    root = _HIVES.get(hive)
    if root is None or not registry.has_key(f"{root}\\{path}"):
        return {"ReturnValue": codes.FILE_NOT_FOUND, "Descriptor": None}
    full = normal(f"{root}\\{path}")
    dacl = registry.dacls.get(full.lower()) or key_acl(full)
    entries = [_entry(ace) for ace in dacl.aces]
    found = _object("__SecurityDescriptor", {"ControlFlags": 0x8004, "DACL": entries})
    return {"ReturnValue": 0, "Descriptor": found}


def _entry(ace: Ace) -> dict[str, Any]:
    return _object(
        "__ACE",
        {
            "AccessMask": ace.mask,
            "AceFlags": _INHERIT_ONLY if "IO" in ace.flags else 0,
            "AceType": 0 if ace.allow else 1,
            "Trustee": _object("__Trustee", {"SIDString": ace.sid}),
        },
    )


def _object(name: str, values: dict[str, Any]) -> dict[str, Any]:
    return {"row": [name, "", values]}
