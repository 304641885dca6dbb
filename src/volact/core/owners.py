"""Whose KMS host is that?  By the names and addresses in the profiles, never by asking.

Several clouds can own the same link-local address (``same_address_as``), so the
answer is a list; it says where a server may come from, not where it is.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from volact.model.profile import HostPort, Profile


def owners(host: HostPort, profiles: Iterable[Profile]) -> tuple[Profile, ...]:
    """The clouds that have this KMS host, by its name or by their documented addresses."""
    return tuple(p for p in profiles if p.owns(host.host) or in_ranges(host, p))


def in_ranges(host: HostPort, profile: Profile) -> bool:
    """Whether the host is an address inside those that the cloud documents."""
    try:
        address = ipaddress.ip_address(host.host)
    except ValueError:
        return False
    return any(address in ipaddress.ip_network(net) for net in profile.kms_ranges)
