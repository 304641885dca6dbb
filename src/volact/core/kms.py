"""Which KMS host a server uses, which layer says so, and whether it may.

Layers, the strongest first: group policy, the product's own setting, the
setting of the whole server, what DNS discovered.  A layer that cannot be read
hides all below it: then nobody knows which host is used.
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import Literal

import msgspec

from volact.core.context import Context
from volact.core.licensing import kms_clients
from volact.core.once import once
from volact.core.owners import in_ranges
from volact.core.release import is_2008, release_name
from volact.model.fact import ABSENT, Absent, Fact, Known, Unreadable, value_of
from volact.model.facts import Facts, Product
from volact.model.profile import HostPort, Profile

Layer = Literal["policy", "product", "service", "discovered", "event"]
# How the host that is used came to be used: an explicit setting, DNS (below a
# lookup domain of its own), or the host of the last success, which is cached.
Origin = Literal["policy", "product", "service", "lookup-domain", "dns", "cached"]
Reach = Literal["yes", "unresolved", "refused", "timeout", "unknown"]

DEFAULT_PORT = 1688
_PORT_DIGITS = 5

# What WinHTTP answers when something is there, HTTP or not.
REACHED_CODES = frozenset({0, 0x80072F78, 0x80072EFE, 0x80072EFF, 0x80072746})
_FAILED: dict[int, Reach] = {
    0x80072EE7: "unresolved",
    0x80072EFD: "refused",
    0x80072EE2: "timeout",
}


class Setting(msgspec.Struct, frozen=True):
    """A KMS host and the layer that names it."""

    host: HostPort
    layer: Layer


@once
def accepted_hosts(facts: Facts, ctx: Context) -> tuple[HostPort, ...]:
    """The provider's KMS hosts for this release, preferred first.

    A host that the provider's metadata service names goes before the profile's,
    if by its name it is the provider's: metadata may not point anywhere else.
    """
    profile = ctx.knowledge.profile
    hosts = profile.kms_hosts(release_name(facts, ctx))
    named = named_by_metadata(facts, profile)
    first = (named,) if named and profile.owns(named.host) else ()
    return tuple(dict.fromkeys((*first, *hosts)))


def named_by_metadata(facts: Facts, profile: Profile) -> HostPort | None:
    """The KMS host that the provider's metadata service names for this very server."""
    named = value_of(facts.metadata.get(profile.kms_from_metadata, ABSENT))
    try:
        return HostPort.parse(named) if named else None
    except ValueError:
        return None


def target_hosts(facts: Facts, ctx: Context) -> tuple[HostPort, ...]:
    """The hosts that must be reached: the accepted ones, else those that DNS or a person chose."""
    hosts = accepted_hosts(facts, ctx)
    if hosts or ctx.knowledge.profile.discovery != "dns":
        return hosts
    used = [value_of(serving(facts, product)) for product in kms_clients(facts)]
    return tuple(dict.fromkeys(setting.host for setting in used if setting))


def is_accepted(host: HostPort, facts: Facts, ctx: Context) -> bool:
    """Whether this is one of the provider's hosts, port included."""
    known = accepted_hosts(facts, ctx)
    if any(same_host(host, accepted) for accepted in known):
        return True
    if any(_name(host.host) == _name(accepted.host) for accepted in known):
        return False
    # A host of a sub-cloud or below one of the provider's own domains.
    return host.port == DEFAULT_PORT and ctx.knowledge.profile.owns(host.host)


def is_accepted_name(host: HostPort, facts: Facts, ctx: Context) -> bool:
    """Whether the name is one of the provider's, whatever the port."""
    names = {_name(accepted.host) for accepted in accepted_hosts(facts, ctx)}
    return _name(host.host) in names or ctx.knowledge.profile.owns(host.host)


def is_pinned(host: HostPort, ctx: Context) -> bool:
    """Whether this is one of the provider's KMS hosts, set by its documented address."""
    return host.port == DEFAULT_PORT and in_ranges(host, ctx.knowledge.profile)


def preferred_host(facts: Facts, ctx: Context) -> HostPort:
    """The accepted host to name: the first reachable, else the first.  There must be one."""
    return (reachable_hosts(facts, ctx) or accepted_hosts(facts, ctx))[0]


def same_host(one: HostPort, other: HostPort) -> bool:
    """Equal in the eyes of DNS and IP: case, a trailing dot and IPv6 spelling do not count."""
    return _name(one.host) == _name(other.host) and one.port == other.port


def policy_setting(facts: Facts) -> Fact[Setting]:
    """What group policy says."""
    registry = facts.registry
    return _setting("policy", registry.policy_machine, _number(registry.policy_port))


def product_setting(facts: Facts, product: Product) -> Fact[Setting]:
    """What the product is set to, where that differs from the server's setting.

    A product without a setting of its own shows the server's.
    """
    if is_2008(facts.os):
        return ABSENT  # Server 2008 has no such layer
    own = _setting("product", product.kms_machine, product.kms_port)
    if not isinstance(own, Known):
        return own
    service = service_setting(facts)
    if isinstance(service, Unreadable):
        return own
    inherited = isinstance(service, Known) and same_host(service.value.host, own.value.host)
    return ABSENT if inherited else own


def service_setting(facts: Facts) -> Fact[Setting]:
    """What the whole server is set to; from the registry where WMI has no answer."""
    service, registry = facts.licensing, facts.registry
    port = _number(registry.port) if isinstance(service.port, Unreadable) else service.port
    wmi_knows = isinstance(service.machine, Known)
    registry_knows = isinstance(registry.machine, Known)
    if wmi_knows or (isinstance(service.machine, Absent) and not registry_knows):
        return _setting("service", service.machine, port)
    return _setting("service", registry.machine, _number(registry.port))


def configured(facts: Facts, product: Product | None) -> Fact[Setting]:
    """The strongest explicit setting; absent: none, so Windows asks DNS."""
    layers = [policy_setting(facts), service_setting(facts)]
    if product is not None:
        layers.insert(1, product_setting(facts, product))
    return _first(layers)


def serving(facts: Facts, product: Product) -> Fact[Setting]:
    """The host that activates this product, explicit or discovered."""
    return _first([configured(facts, product), _discovered(facts, product), _last_tried(facts)])


def origin_of(setting: Setting, facts: Facts, product: Product | None) -> Origin:
    """Which layer named the host that is used."""
    if setting.layer == "event":
        return "cached"
    if setting.layer != "discovered":
        return setting.layer
    own = value_of(product.lookup_domain) if product else None
    return "lookup-domain" if own or value_of(facts.licensing.lookup_domain) else "dns"


def reach_of(facts: Facts, host: HostPort) -> Reach:
    """Whether this server can open a connection to a KMS host."""
    code = value_of(_tried(facts, host))
    if code is None:
        return "unknown"
    return "yes" if code in REACHED_CODES else _FAILED.get(code, "unknown")


def reachable_hosts(facts: Facts, ctx: Context) -> tuple[HostPort, ...]:
    """The accepted hosts that this server is known to reach, in order."""
    return tuple(h for h in accepted_hosts(facts, ctx) if reach_of(facts, h) == "yes")


def _tried(facts: Facts, host: HostPort) -> Fact[int]:
    """What came of trying this host, however its name is spelt on the server."""
    if str(host) in facts.reach:
        return facts.reach[str(host)]
    for text, code in facts.reach.items():
        try:
            if same_host(HostPort.parse(text), host):
                return code
        except ValueError:
            continue
    return ABSENT


def _first(layers: list[Fact[Setting]]) -> Fact[Setting]:
    return next((layer for layer in layers if not isinstance(layer, Absent)), ABSENT)


def _discovered(facts: Facts, product: Product) -> Fact[Setting]:
    if is_2008(facts.os):
        registry = facts.registry
        return _setting("discovered", registry.discovered_name, _number(registry.discovered_port))
    return _setting("discovered", product.discovered_name, product.discovered_port)


def _last_tried(facts: Facts) -> Fact[Setting]:
    """The host of the newest successful request (event 12288, third field)."""
    event = facts.events.get("12288", Unreadable())
    if not isinstance(event, Known):
        return event
    data = event.value.data
    if len(data) < 3 or data[0].strip().lower() != "0x00000000":
        return ABSENT
    try:
        return Known(Setting(HostPort.parse(data[2]), "event"))
    except ValueError:
        return ABSENT


def _setting(layer: Layer, name: Fact[str], port: Fact[int]) -> Fact[Setting]:
    """Name and port of one layer; an unset or zero port means 1688."""
    if not isinstance(name, Known):
        return name
    # A blank around the name stays: Windows takes it for a part of the name (0x8007007B).
    host = name.value.removeprefix("[").removesuffix("]")
    if not host.strip():
        return ABSENT
    if isinstance(port, Unreadable):
        return port
    return Known(Setting(HostPort(host, value_of(port) or DEFAULT_PORT), layer))


def _number(fact: Fact[str]) -> Fact[int]:
    """A port that the registry holds as a text; what can be none counts as not set."""
    if not isinstance(fact, Known):
        return fact
    digits = fact.value.strip()
    return Known(int(digits)) if digits.isdecimal() and len(digits) <= _PORT_DIGITS else ABSENT


@lru_cache(maxsize=1024)
def _name(host: str) -> str:
    plain = host.lower().rstrip(".").removeprefix("[").removesuffix("]")
    try:
        return str(ipaddress.ip_address(plain))
    except ValueError:
        return plain
