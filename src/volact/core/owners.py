"""Whose KMS host is that?  By the names and addresses in the profiles, never by asking.

Several clouds can own the same link-local address (``same_address_as``), so the
answer is a list; it says where a server may come from, not where it is.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from functools import lru_cache

from volact.model.profile import HostPort, Profile


def owners(host: HostPort, profiles: Iterable[Profile]) -> tuple[Profile, ...]:
    """The clouds that have this KMS host, by its name or by their documented addresses."""
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
