"""Which KMS host a server is set to, and by which layer; from its facts alone.

Layers, the strongest first: group policy, the product's own setting, the
setting of the whole server, what DNS discovered, the host of the last success.
A layer that cannot be read hides all below it: then the host in use is unknown.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from volact.core.assessment.attempts import (
    event_code,
    kms_answer,
    tried_host,
    windows_event,
)
from volact.core.assessment.hosts import DEFAULT_PORT, same_host
from volact.core.assessment.system import Family, family_of
from volact.model.fact import ABSENT, Absent, Fact, Known, Unreadable, value_of
from volact.model.facts import Facts, Product
from volact.model.profile import HostPort

KmsLayer = Literal["policy", "product", "service", "discovered", "event"]

_PORT_DIGITS = 5


class KmsSetting(msgspec.Struct, frozen=True):
    """A KMS host and the layer that names it."""

    host: HostPort
    layer: KmsLayer


class KmsLayers(msgspec.Struct, frozen=True, kw_only=True):
    """The layers that hold for the whole server.

    ``server`` is the strongest explicit setting of them; absent: none is set, so
    Windows asks DNS.  ``last_success`` is the host of the newest request,
    where that was a success.  ``discovered`` is what Server 2008 keeps for the whole server.
    """

    policy: Fact[KmsSetting]
    service: Fact[KmsSetting]
    server: Fact[KmsSetting]
    last_success: Fact[KmsSetting]
    discovered: Fact[KmsSetting]


def kms_layers(facts: Facts) -> KmsLayers:
    """The layers of a server, each read once."""
    policy, service = policy_setting(facts), service_setting(facts)
    registry = facts.registry
    return KmsLayers(
        policy=policy,
        service=service,
        server=_strongest(policy, service),
        last_success=_last_success(facts),
        discovered=_setting(
            "discovered", registry.discovered_name, _number(registry.discovered_port)
        ),
    )


def policy_setting(facts: Facts) -> Fact[KmsSetting]:
    """What group policy says."""
    registry = facts.registry
    return _setting("policy", registry.policy_machine, _number(registry.policy_port))


def service_setting(facts: Facts) -> Fact[KmsSetting]:
    """What the whole server is set to; from the registry where WMI has no answer."""
    service, registry = facts.licensing, facts.registry
    port = _number(registry.port) if isinstance(service.port, Unreadable) else service.port
    wmi_knows = isinstance(service.machine, Known)
    registry_knows = isinstance(registry.machine, Known)
    if wmi_knows or (isinstance(service.machine, Absent) and not registry_knows):
        return _setting("service", service.machine, port)
    return _setting("service", registry.machine, _number(registry.port))


def own_setting(product: Product, service: Fact[KmsSetting], family: Family) -> Fact[KmsSetting]:
    """What the product is set to, where that differs from the server's setting.

    A product without a setting of its own shows the server's.
    """
    if family == "2008":
        return ABSENT  # Server 2008 has no such layer
    own = _setting("product", product.kms_machine, product.kms_port)
    if not isinstance(own, Known):
        return own
    inherited = isinstance(service, Known) and same_host(service.value.host, own.value.host)
    return ABSENT if inherited else own


def product_setting(facts: Facts, product: Product) -> Fact[KmsSetting]:
    """The product's own setting, from the facts of its server."""
    return own_setting(product, service_setting(facts), family_of(facts.os))


def host_in_use(
    product: Product, own: Fact[KmsSetting], layers: KmsLayers, family: Family
) -> Fact[KmsSetting]:
    """The host that activates this product, explicit or discovered."""
    discovered = (
        layers.discovered
        if family == "2008"
        else _setting("discovered", product.discovered_name, product.discovered_port)
    )
    return _strongest(layers.policy, own, layers.service, discovered, layers.last_success)


def _strongest(*layers: Fact[KmsSetting]) -> Fact[KmsSetting]:
    return next((layer for layer in layers if not isinstance(layer, Absent)), ABSENT)


def _last_success(facts: Facts) -> Fact[KmsSetting]:
    """The host of the newest request, where its answer (event 12289) is a success."""
    request, response = (windows_event(facts, event_id) for event_id in ("12288", "12289"))
    if not isinstance(request, Known):
        return request
    if event_code(facts, "12288") != 0:
        return ABSENT
    if not isinstance(response, Known):
        return response
    if kms_answer(facts) != 0:
        return ABSENT
    try:
        return Known(KmsSetting(HostPort.parse(tried_host(facts)), "event"))
    except ValueError:
        return ABSENT


def _setting(layer: KmsLayer, name: Fact[str], port: Fact[int]) -> Fact[KmsSetting]:
    """Name and port of one layer; an unset or zero port means 1688."""
    if not isinstance(name, Known):
        return name
    # A blank around the name stays: Windows takes it for a part of the name (0x8007007B).
    host = name.value.removeprefix("[").removesuffix("]")
    if not host.strip():
        return ABSENT
    if isinstance(port, Unreadable):
        return port
    return Known(KmsSetting(HostPort(host, value_of(port) or DEFAULT_PORT), layer))


def _number(fact: Fact[str]) -> Fact[int]:
    """A port that the registry holds as a text; what can be none counts as not set."""
    if not isinstance(fact, Known):
        return fact
    digits = fact.value.strip()
    return Known(int(digits)) if digits.isdecimal() and len(digits) <= _PORT_DIGITS else ABSENT
