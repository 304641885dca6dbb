"""What a script gets from WMI: queries, single objects, and methods.

Rows come back with the properties that were asked for, by their proper names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from volact_lab import codes
from volact_lab.errors import LabError, WinFault
from volact_lab.windows import adapter, upkeep
from volact_lab.windows.licensing import NAME, PORT
from volact_lab.windows.machine import Machine
from volact_lab.windows.products import Product
from volact_lab.wmi import file_rights, key_rights, schema, wql
from volact_lab.wmi.rows import PROVIDERS, Cells
from volact_lab.wmi.schema import WmiClass

_PATH = re.compile(r"(?P<name>\w+)(?:\.(?P<key>\w+)=(?P<quote>['\"])(?P<value>[^'\"]*)(?P=quote))?")
# Win32_Service's own return values for the failures of the service manager.
_RETURNS = {
    codes.ACCESS_DENIED: 2,
    1051: 3,
    1052: 5,
    codes.SERVICE_NOT_ACTIVE: 6,
    codes.SERVICE_REQUEST_TIMEOUT: 7,
    codes.FILE_NOT_FOUND: 9,
    codes.PATH_NOT_FOUND: 9,
    codes.SERVICE_ALREADY_RUNNING: 10,
    codes.SERVICE_DEPENDENCY_FAIL: 13,
    codes.SERVICE_DISABLED: 14,
}

# Methods whose parameters may stay null.
_OPTIONAL = frozenset({"setdnsserversearchorder"})

Values = Mapping[str, wql.Cell]


@dataclass(frozen=True, slots=True)
class Found:
    """One object: its class, the key that names it, and the properties asked for.

    A query that leaves the key out gets objects without a path: ``key`` is "".
    """

    class_name: str
    key: str
    values: dict[str, wql.Cell]


class Wmi:
    """The namespace root\\cimv2 of one machine."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        without = bool(machine.spec.variant("service-port"))
        self._classes = schema.classes(machine.release.generation, without_port=without)

    def class_of(self, name: str, missing: int = codes.WBEM_INVALID_CLASS) -> WmiClass:
        """A class; WinFault when Windows has none of that name."""
        found = self._classes.get(name.lower())
        if found is None:
            if schema.is_reserved(name):
                raise LabError(f"the WMI class {name} is not modelled")
            raise WinFault(missing, name)
        return found

    def query(self, text: str) -> list[Found]:
        """The rows of a query.  WinFault is what Windows answers to a wrong one."""
        # Now and then, that is: deterministic, and between two steps.
        self._machine.clock.follow_hypervisor()
        query = wql.parse(text)
        kind = self.class_of(query.class_name)
        licensing = kind.name == schema.SERVICE
        if not query.columns and licensing:
            raise LabError(f"SELECT * would read a whole product key: {text}")
        for name in query.names():
            self._check(kind, name)
        columns = query.columns or tuple(kind.properties)
        rows = PROVIDERS[kind.name.lower()](self._machine)
        found = [self._found(kind, row, columns) for row in rows if wql.matches(query.where, row)]
        named = schema.KEYS.get(kind.name.lower(), "").lower() in {c.lower() for c in columns}
        return found if named else [replace(one, key="") for one in found]

    def get(self, path: str) -> Found | WmiClass:
        """The object (or class) of an object path."""
        match = _PATH.fullmatch(path)
        if match is None:
            raise LabError(f"this WMI object path is not modelled: {path}")
        kind = self.class_of(match["name"], codes.WBEM_NOT_FOUND)
        if match["key"] is None:
            return kind
        if match["key"].lower() != schema.KEYS.get(kind.name.lower(), "").lower():
            raise LabError(f"this WMI object path is not modelled: {path}")
        if kind.name == file_rights.CLASS:
            return Found(kind.name, file_rights.path_of(self._machine, match["value"]), {})
        wanted = match["value"].lower()
        for row in PROVIDERS[kind.name.lower()](self._machine):
            if str(row[match["key"].lower()]).lower() == wanted:
                return self._found(kind, row, tuple(n for n in kind.properties if n in row))
        raise WinFault(codes.WBEM_NOT_FOUND, path)

    def _check(self, kind: WmiClass, name: str) -> None:
        if name.lower() in schema.FORBIDDEN:
            raise LabError(f"{name} may not be asked for")
        if name.lower() in self._machine.failing:
            raise WinFault(self._machine.failing[name.lower()], f"{kind.name}.{name}")
        if name.lower() not in kind.properties:
            odd = self._machine.odd == "wmi-column"
            raise WinFault(
                codes.WBEM_INVALID_CLASS if odd else codes.WBEM_INVALID_QUERY, f"{kind.name}.{name}"
            )

    @staticmethod
    def _found(kind: WmiClass, row: Cells, columns: tuple[str, ...]) -> Found:
        key = schema.KEYS.get(kind.name.lower(), "")
        values = {kind.properties[name.lower()]: row[name.lower()] for name in columns}
        return Found(kind.name, str(row[key.lower()]) if key else "", values)

    def call(self, class_name: str, key: str, method: str, given: Values) -> Mapping[str, Any]:
        """Call a method of an object; its out parameters."""
        kind = self._classes[class_name.lower()]
        lower = method.lower()
        if not key:  # which of its codes Windows takes here is not known for certain
            raise WinFault(codes.WBEM_INVALID_OBJECT_PATH, f"{class_name}.{method}")
        if lower in kind.unmodelled:
            raise LabError(f"the WMI method {class_name}.{method} is not modelled")
        if lower not in kind.methods:
            raise WinFault(codes.WBEM_INVALID_METHOD, f"{class_name}.{method}")
        if set(given) != set(kind.methods[lower][1]) and not (lower in _OPTIONAL and not given):
            raise WinFault(codes.WBEM_INVALID_METHOD_PARAMETERS, f"{class_name}.{method}")
        if class_name == "Win32_Service":
            return {"ReturnValue": self._control(key, lower)}
        if class_name == "Win32_NetworkAdapterConfiguration":
            servers = [str(server) for server in _list(given.get("DNSServerSearchOrder"))]
            return {"ReturnValue": adapter.set_name_servers(self._machine, servers)}
        if class_name == file_rights.CLASS:
            return file_rights.descriptor(self._machine, key)
        self._license(class_name, key, lower, given)
        return {"ReturnValue": 0}

    def call_static(self, class_name: str, method: str, given: Values) -> dict[str, Any]:
        """Call a method of a class; its out parameters, objects among them."""
        kind = self.class_of(class_name)
        name, parameters = kind.methods.get(method.lower(), ("", {}))
        if kind.name != schema.STDREGPROV or not name:
            raise LabError(f"the WMI method {class_name}.{method} of the class is not modelled")
        if set(given) != set(parameters):
            raise WinFault(codes.WBEM_INVALID_METHOD_PARAMETERS, f"{class_name}.{method}")
        return key_rights.descriptor(
            self._machine.registry, int(str(given["hDefKey"])), str(given["sSubKeyName"])
        )

    def _control(self, name: str, method: str) -> int:
        services = self._machine.services
        if not self._machine.elevated:
            return 2
        action = services.start if method == "startservice" else services.stop
        try:
            action(name)
        except WinFault as fault:
            return _RETURNS.get(fault.code & 0xFFFF, 8)
        return 0

    def _license(self, class_name: str, key: str, method: str, given: Values) -> None:
        licensing = self._machine.licensing
        licensing.need_service()
        product = licensing.product(key) if class_name == schema.PRODUCT else None
        if method not in {"activate", "refreshlicensestatus"}:
            self._machine.need_admin()
        self._actions(product, given)[method]()

    def _actions(self, product: Product | None, given: Values) -> dict[str, Callable[[], None]]:
        licensing = self._machine.licensing

        def activate() -> None:
            assert product is not None
            licensing.activate(product)

        return {
            "activate": activate,
            "refreshlicensestatus": lambda: None,
            "installlicense": lambda: upkeep.install_licence(licensing, str(given["License"])),
            "rearmwindows": lambda: upkeep.rearm_windows(licensing),
            "installproductkey": lambda: licensing.install_key(str(given["ProductKey"])),
            "setkeymanagementservicemachine": lambda: licensing.set_machine(
                str(given["MachineName"]), product
            ),
            "setkeymanagementserviceport": lambda: licensing.set_port(
                int(str(given["PortNumber"])), product
            ),
            "clearkeymanagementservicemachine": lambda: licensing.clear(NAME, product),
            "clearkeymanagementserviceport": lambda: licensing.clear(PORT, product),
        }


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
