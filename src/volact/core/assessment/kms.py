"""The provider's KMS hosts, which of them this server reaches, and the host it uses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeVar

import msgspec

from volact.core.assessment.hosts import (
    DEFAULT_PORT,
    HostNames,
    in_ranges,
    is_address,
    plain_name,
)
from volact.core.assessment.kms_setting import KmsLayers, KmsSetting
from volact.core.assessment.licence import LicenceState, ProductState
from volact.core.assessment.system import SystemState
from volact.core.context import Context
from volact.model.fact import ABSENT, Fact, value_of
from volact.model.facts import Facts, ReachTry
from volact.model.profile import HostPort, Profile

T = TypeVar("T")
# How the host that is used came to be used: an explicit setting, DNS (below a
# lookup domain of its own), or the host of the last success, which is cached.
Origin = Literal["policy", "product", "service", "lookup-domain", "dns", "cached"]
# ``unclear``: it was tried without a certain result; ``unknown``: it was not tried.
Reach = Literal["yes", "unresolved", "refused", "timeout", "local", "http", "unclear", "unknown"]

_OUTCOMES: dict[str, Reach] = {
    "connected": "yes",
    "name": "unresolved",
    "refused": "refused",
    "filtered": "timeout",
    "local": "local",
    "http": "http",
}
# Proves neither a host nor a fault of one: an HTTP answer may come from a device in between.
_UNCLEAR: tuple[Reach, ...] = ("unclear", "http")
# No host said no, and the licensing service may fare better than a script.
SILENT: tuple[Reach, ...] = ("timeout", "local")
# By WinHTTP's code alone, of answers that do not say what it means: something is there.
REACHED_CODES = frozenset({0, 0x80072F78, 0x80072EFE, 0x80072EFF, 0x80072746})
_BY_CODE: dict[int, Reach] = {
    **dict.fromkeys(REACHED_CODES, "yes"),
    0x80072EE7: "unresolved",
    0x80072EFD: "refused",
    0x80072EE2: "timeout",
}
_NO_TRIES: Mapping[str, Fact[ReachTry]] = {}
_NO_NAMES = HostNames()


class KmsState(msgspec.Struct, frozen=True, kw_only=True):
    """KMS hosts: set, accepted, reached.

    ``accepted`` are the provider's KMS hosts for this release, preferred first;
    ``reached`` those of them that the server reaches, ``unclear`` those of which
    a try was not conclusive, ``silent`` those that let the try time out, or to which the
    server itself let no connection out, where
    Windows is not licensed: only the activation itself proves more.  ``targets`` must
    be reached: the accepted ones, else those that DNS or a person chose.
    ``target_reached``: one of the targets is; ``target_unclear``: of one of them it is not
    certain.  ``names``: which hosts are the same one.  ``by_dns``: the provider has no
    host of its own and leaves the choice to DNS.  ``applies``: KMS settings
    matter here; ``matters``: so does reaching a KMS host.  ``effective`` is the host in
    use, where that is known.
    ``lookup_domain`` is the server's own domain for finding hosts in DNS.
    """

    profile: Profile
    layers: KmsLayers
    accepted: tuple[HostPort, ...]
    names: HostNames
    reach: Mapping[str, Fact[int]]
    tries: Mapping[str, Fact[ReachTry]]
    reached: tuple[HostPort, ...]
    unclear: tuple[HostPort, ...]
    silent: tuple[HostPort, ...]
    targets: tuple[HostPort, ...]
    target_reached: bool
    target_unclear: bool
    by_dns: bool
    applies: bool
    matters: bool
    effective: KmsSetting | None
    lookup_domain: str | None

    @property
    def policy(self) -> Fact[KmsSetting]:
        """What group policy sets."""
        return self.layers.policy

    @property
    def service(self) -> Fact[KmsSetting]:
        """What the whole server is set to."""
        return self.layers.service

    @property
    def on_trial(self) -> tuple[HostPort, ...]:
        """The accepted hosts that are worth an activation although none is known to be reached."""
        return self.unclear or self.silent

    @property
    def preferred(self) -> HostPort:
        """The accepted host to name: the first reached, else the first that may be.

        There must be one.
        """
        return (self.reached or self.unclear or self.accepted)[0]

    def reach_of(self, host: HostPort) -> Reach:
        """Whether this server can open a connection to a KMS host."""
        return reach_of(self.reach, host, self.tries, self.names)

    def all_are(self, *why: Reach) -> bool:
        """Whether every accepted host, and there is one, was tried with one of these outcomes."""
        return bool(self.accepted) and all(self.reach_of(host) in why for host in self.accepted)

    def is_accepted(self, host: HostPort) -> bool:
        """Whether this is one of the provider's hosts, port included."""
        ports = [accepted.port for accepted in self.accepted_as(host)]
        if ports:
            return host.port in ports
        # A host of a sub-cloud or below one of the provider's own domains.
        return host.port == DEFAULT_PORT and self.profile.owns(host.host)

    def is_accepted_name(self, host: HostPort) -> bool:
        """Whether the name is one of the provider's, with any port."""
        return bool(self.accepted_as(host)) or self.profile.owns(host.host)

    def is_pinned(self, host: HostPort) -> bool:
        """Whether this is one of the provider's KMS hosts, set by an address, not its name."""
        if self.is_accepted_name(host) or not is_address(host.host):
            return False
        known = any(self.names.same(host, accepted) for accepted in self.accepted)
        return known or (host.port == DEFAULT_PORT and in_ranges(host, self.profile))

    def accepted_as(self, host: HostPort) -> tuple[HostPort, ...]:
        """The provider's hosts of this name, not only by the address that one has today."""
        return tuple(
            accepted
            for accepted in self.accepted
            if (is_address(accepted.host) or not is_address(host.host))
            and self.names.same_name(host.host, accepted.host)
        )

    def is_the_providers(self, host: HostPort) -> bool:
        """Whether it is the provider's, by name or by address."""
        return self.is_accepted_name(host) or self.is_pinned(host)

    def origin_of(self, setting: KmsSetting, product: ProductState | None) -> Origin:
        """How the host that is used came to be used."""
        if setting.layer == "event":
            return "cached"
        if setting.layer != "discovered":
            return setting.layer
        own = value_of(product.facts.lookup_domain) if product else None
        return "lookup-domain" if own or self.lookup_domain else "dns"


def kms_of(
    facts: Facts, ctx: Context, system: SystemState, layers: KmsLayers, licence: LicenceState
) -> KmsState:
    """The KMS hosts of a server, from its facts and the provider's profile."""
    profile = ctx.knowledge.profile
    accepted = _accepted_hosts(facts, profile, system.release_name)
    targets = accepted or _chosen_by_dns(profile, licence)
    names = _names(facts, system)
    found = {host: reach_of(facts.reach, host, facts.reached, names) for host in targets}
    silent = accepted if licence.none_to_lose else ()
    by_dns = not accepted and profile.discovery == "dns"
    applies = bool(accepted) and _is_client(ctx, system, licence)
    reached = tuple(host for host in accepted if found[host] == "yes")
    return KmsState(
        profile=profile,
        layers=layers,
        accepted=accepted,
        names=names,
        reach=facts.reach,
        tries=facts.reached,
        reached=reached,
        unclear=tuple(host for host in accepted if found[host] in _UNCLEAR),
        silent=tuple(host for host in silent if found[host] in SILENT),
        targets=targets,
        target_reached="yes" in found.values(),
        target_unclear=any(reach in _UNCLEAR for reach in found.values()),
        by_dns=by_dns,
        applies=applies,
        matters=applies or (by_dns and not licence.is_kms_host) or licence.has_key is None,
        effective=_effective(layers, licence),
        lookup_domain=value_of(facts.licensing.lookup_domain),
    )


def reach_of(
    reach: Mapping[str, Fact[int]],
    host: HostPort,
    tries: Mapping[str, Fact[ReachTry]] = _NO_TRIES,
    names: HostNames = _NO_NAMES,
) -> Reach:
    """The outcome of trying this host, in any spelling of its name."""
    told = value_of(_tried(tries, host, names))
    if told is not None:
        return _OUTCOMES.get(told.outcome, "unclear")
    code = value_of(_tried(reach, host, names))
    return "unknown" if code is None else _BY_CODE.get(code, "unknown")


def _accepted_hosts(facts: Facts, profile: Profile, release: str) -> tuple[HostPort, ...]:
    """The provider's hosts for this release, preferred first.

    A host that the provider's metadata service names goes before the profile's,
    if by its name it is the provider's: metadata may not point anywhere else.
    """
    named = named_by_metadata(facts, profile)
    first = (named,) if named and profile.owns(named.host) else ()
    return _in_its_families(facts, tuple(dict.fromkeys((*first, *profile.kms_hosts(release)))))


def _in_its_families(facts: Facts, hosts: tuple[HostPort, ...]) -> tuple[HostPort, ...]:
    """Without addresses of a family, IPv4 or IPv6, of which the server itself has none."""
    own = value_of(facts.addresses)
    if not own:
        return hosts
    usable = (
        host
        for host in hosts
        if not is_address(host.host) or any((":" in a) == (":" in host.host) for a in own)
    )
    return tuple(usable) or hosts


def named_by_metadata(facts: Facts, profile: Profile) -> HostPort | None:
    """The KMS host that the provider's metadata service names for this very server."""
    named = value_of(facts.metadata.get(profile.kms_from_metadata, ABSENT))
    try:
        return HostPort.parse(named) if named else None
    except ValueError:
        return None


def _chosen_by_dns(profile: Profile, licence: LicenceState) -> tuple[HostPort, ...]:
    if profile.discovery != "dns":
        return ()
    used = [value_of(product.kms) for product in licence.clients]
    return tuple(dict.fromkeys(setting.host for setting in used if setting))


def _is_client(ctx: Context, system: SystemState, licence: LicenceState) -> bool:
    """Whether this server is a KMS client, or is yet to get its client key."""
    if licence.is_kms_host or licence.has_key is None:
        return False  # unread: it may be a KMS host, or licensed by a key of its own
    if not licence.has_key or licence.clients:
        return True
    return ctx.policy.replace_key and system.published_key is not None and licence.replaceable


def _effective(layers: KmsLayers, licence: LicenceState) -> KmsSetting | None:
    product = licence.main
    return value_of(product.kms if product and product.is_client else layers.server)


def _names(facts: Facts, system: SystemState) -> HostNames:
    """The server's own domain, where it is in one, and what it resolved."""
    domain = (value_of(facts.os.domain) or "").lower()
    member = system.role in ("member", "controller") and "." in domain
    found = {plain_name(name): value_of(fact) or () for name, fact in facts.resolved.items()}
    return HostNames(domain=domain if member else "", found=found)


def _tried(reach: Mapping[str, Fact[T]], host: HostPort, names: HostNames) -> Fact[T]:
    if str(host) in reach:
        return reach[str(host)]
    for text, code in reach.items():
        try:
            if names.same(HostPort.parse(text), host):
                return code
        except ValueError:
            continue
    return ABSENT
