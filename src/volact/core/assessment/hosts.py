"""KMS hosts as values: spelling, equality, and which cloud owns one.

Nothing is resolved or contacted: names and addresses are compared with those in the
profiles.  Several clouds can own the same link-local address
(``same_address_as``), so the owners of a host are a list.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache

import msgspec

from volact.model.profile import HostPort, Profile

DEFAULT_PORT = 1688


def same_host(one: HostPort, other: HostPort) -> bool:
    """Equal in the eyes of DNS and IP: case, a trailing dot and IPv6 spelling do not count."""
    return plain_name(one.host) == plain_name(other.host) and one.port == other.port


@lru_cache(maxsize=1024)
def plain_name(host: str) -> str:
    """One spelling for all spellings of a name or an address."""
    plain = host.lower().rstrip(".").removeprefix("[").removesuffix("]")
    try:
        return str(ipaddress.ip_address(plain))
    except ValueError:
        return plain


class HostNames(msgspec.Struct, frozen=True, kw_only=True):
    """Which names and addresses are one host to this server.

    A name of one label is below ``domain``, the server's own.  ``found`` holds, by name,
    the full name and the address that the server itself resolved.
    """

    domain: str = ""
    found: Mapping[str, tuple[str, ...]] = {}

    def same(self, one: HostPort, other: HostPort) -> bool:
        """Whether both are the same host at the same port."""
        return one.port == other.port and self.same_name(one.host, other.host)

    def same_name(self, one: str, other: str) -> bool:
        """The same for hosts without a port."""
        return not self._all_of(one).isdisjoint(self._all_of(other))

    def _all_of(self, host: str) -> frozenset[str]:
        plain = plain_name(host)
        full = f"{plain}.{self.domain}" if self.domain and not set(".:") & set(plain) else plain
        found = (*self.found.get(plain, ()), *self.found.get(full, ()))
        # What a hosts file leads to this server itself is no address of a KMS host.
        return frozenset({full, *(plain_name(name) for name in found if not _is_own(name))})


def is_address(host: str) -> bool:
    """Whether a host is written as an address, not as a name."""
    return address_of(plain_name(host)) is not None


def _is_own(name: str) -> bool:
    address = address_of(plain_name(name))
    return address is not None and (address.is_loopback or address.is_unspecified)


def owners(host: HostPort, profiles: Iterable[Profile]) -> tuple[Profile, ...]:
    """The clouds that own this KMS host, by its name or by their documented addresses."""
    return tuple(p for p in profiles if p.owns(host.host) or in_ranges(host, p))


def of_no_cloud(profile: Profile, clouds: Collection[Profile]) -> bool:
    """Whether the KMS hosts are the operator's own: then no provider's licence decides anything."""
    hosts = profile.all_kms_hosts()
    return profile.hosts_elsewhere and not any(owners(host, clouds) for host in hosts)


def in_ranges(host: HostPort, profile: Profile) -> bool:
    """Whether the host is an address inside those that the cloud documents."""
    address = address_of(host.host) if profile.kms_ranges else None
    return address is not None and any(address in _network(net) for net in profile.kms_ranges)


@lru_cache(maxsize=1024)
def address_of(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that a host is written as; ``None`` for a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


@lru_cache(maxsize=256)
def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    return ipaddress.ip_network(text)
