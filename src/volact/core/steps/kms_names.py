"""The KMS host of a server or a product, spelt as the agent reports it."""

from __future__ import annotations

from typing import Any

import msgspec

from volact.core.steps.setting import StepValues, reported
from volact.model.fact import ABSENT, Absent, Fact, Known, Unreadable, value_of
from volact.model.facts import Facts
from volact.model.profile import HostPort

# The HRESULTs of WMI that lacks the class or the property: the registry holds the setting.
_NOT_IN_WMI = frozenset(
    {0x80041002, 0x80004001, 0x80041017, 0x8004102E, 0x80041055, 0x80041010},
)
_DEFAULT_PORT = 1688


class KmsNames(msgspec.Struct, frozen=True):
    """A KMS host as it is spelt; port 0 is none."""

    name: Fact[str] = ABSENT
    port: int = 0

    @property
    def host(self) -> Fact[str]:
        """``host:port`` as the agent writes it: lower case, no final dot, 1688 unless set."""
        if not isinstance(self.name, Known):
            return self.name
        if not self.name.value:
            return ABSENT
        host = self.name.value.removesuffix(".").removeprefix("[").removesuffix("]").lower()
        return Known(str(HostPort(host, self.port or _DEFAULT_PORT)))


def kms_names(facts: Facts, product: str | None) -> KmsNames:
    """The KMS host of the whole server, or a product's own."""
    server = _of_server(facts)
    if product is None:
        return server
    if isinstance(facts.products, Unreadable):
        return KmsNames(facts.products)
    products = value_of(facts.products) or ()
    found = next((one for one in products if value_of(one.id) == product), None)
    if found is None:
        return KmsNames()
    own = KmsNames(found.kms_machine, _number(found.kms_port))
    inherited = isinstance(own.host, Known) and own.host == server.host
    return KmsNames() if inherited else own


def host_values(names: KmsNames, product: str | None) -> StepValues:
    """Name and port are added beside the host where they differ from it."""
    values = reported(host=names.host)
    host = values.get("host")
    if not isinstance(host, str | None) or "host" not in values or (host is None and product):
        return values
    if host is not None and value_of(names.name) != host.rpartition(":")[0]:
        values["name"] = value_of(names.name)
    if (host is None) != (names.port == 0):
        values["port"] = names.port or None
    return values


def _of_server(facts: Facts) -> KmsNames:
    """As WMI reports it, else as the registry behind it does."""
    service, registry = facts.licensing, facts.registry
    if isinstance(service.machine, Unreadable) and service.machine.hresult in _NOT_IN_WMI:
        return KmsNames(registry.machine, _number(registry.port))
    unread = isinstance(service.port, Unreadable)
    port = _number(registry.port if unread else service.port)
    if port == _DEFAULT_PORT and isinstance(registry.port, Absent):
        port = 0  # so WMI says where none is set
    return KmsNames(service.machine, port)


def _number(port: Fact[Any]) -> int:
    digits = str(value_of(port) or "").strip()
    return int(digits) if digits.isdecimal() and len(digits) <= 5 else 0
