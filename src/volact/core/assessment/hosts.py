"""KMS hosts as values: spelling, equality, and which cloud owns one.

Nothing is resolved or contacted: names and addresses are compared with those in the
profiles.  Several clouds can own the same link-local address
(``same_address_as``), so the owners of a host are a list.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from functools import lru_cache

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


def owners(host: HostPort, profiles: Iterable[Profile]) -> tuple[Profile, ...]:
    """The clouds that own this KMS host, by its name or by their documented addresses."""
    return tuple(p for p in profiles if p.owns(host.host) or in_ranges(host, p))


def in_ranges(host: HostPort, profile: Profile) -> bool:
    """Whether the host is an address inside those that the cloud documents."""
    address = _address(host.host) if profile.kms_ranges else None
    return address is not None and any(address in _network(net) for net in profile.kms_ranges)


@lru_cache(maxsize=1024)
def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


@lru_cache(maxsize=256)
def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    return ipaddress.ip_network(text)
