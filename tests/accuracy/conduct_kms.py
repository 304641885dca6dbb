"""Which KMS host counts on a server, and whose it is; read from the answer itself."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from answer_facts import may_reach, value
from case_words import host_port

from volact.model.profile import Profile

Raw = Mapping[str, Any]

ACTIVATION_ID = 8  # among the fields of a 12288


def host_in_force(raw: Raw, product: Raw) -> str:
    """``host:port`` that activating this product would ask, "" when not known.

    Policy, the product's own (which shows the server's where it has none), the
    server's, discovered, and last the host of the newest successful request.
    """
    pairs = (
        _pair(raw, "registry.policy_machine", "registry.policy_port"),
        (product.get("KeyManagementServiceMachine"), product.get("KeyManagementServicePort")),
        _pair(raw, "licensing.machine", "licensing.port"),
        _pair(raw, "registry.machine", "registry.port"),
        (
            product.get("DiscoveredKeyManagementServiceMachineName"),
            product.get("DiscoveredKeyManagementServiceMachinePort"),
        ),
        _pair(raw, "registry.discovered_name", "registry.discovered_port"),
        last_success(raw),
    )
    host, port = next(((h, p) for h, p in pairs if h), ("", None))
    if port in (None, 0, "0") and host == value(raw, "registry.machine"):
        port = value(raw, "registry.port")  # Server 2008 keeps the port there only
    return f"{host}:{port or 1688}" if host else ""


def hides_the_servers(raw: Raw, product: Raw) -> bool:
    """Whether policy or a setting of the product's own wins over the server's setting."""
    if value(raw, "registry.policy_machine"):
        return True
    own = product.get("KeyManagementServiceMachine")
    servers = value(raw, "licensing.machine") or value(raw, "registry.machine")
    same_port = product.get("KeyManagementServicePort") in (None, 0, value(raw, "licensing.port"))
    return bool(own) and not (own == servers and same_port)


def accepted(host: str, raw: Raw, profile: Profile, *, any_port: bool = False) -> bool:
    """Whether a host is one of the provider's (and its port right)."""
    name, _, port = host.rpartition(":")
    known = {(_plain(h.host), h.port) for h in profile.all_kms_hosts()}
    known |= {(_plain(h.host), h.port) for sub in profile.sub_clouds for h in sub.kms}
    spelt = _spellings(name, raw)
    ports = {right for other, right in known if spelt & _spellings(other, raw)}
    if any_port and ports:
        return True
    below = any(_plain(name).endswith(f".{suffix}") for suffix in profile.kms_suffixes)
    # A host that metadata names counts only below the cloud's own domains, as any host there.
    by_dns = profile.discovery == "dns" and not known
    return int(port) in ports or (below and port == "1688") or by_dns


def reached(host: str, raw: Raw, *, unproven: bool = False) -> bool:
    """Whether the server is known to open a connection to a host; or may, if that counts."""
    name, _, port = host.rpartition(":")
    return any(
        _spellings(other.rpartition(":")[0], raw) & _spellings(name, raw)
        and other.rpartition(":")[2] == port
        and may_reach(raw, other, unproven=unproven)
        for other in value(raw, "reach") or {}
    )


def _pair(raw: Raw, host: str, port: str) -> tuple[Any, Any]:
    return value(raw, host), value(raw, port)


def last_success(raw: Raw) -> tuple[Any, Any]:
    events = value(raw, "events") or {}
    ids = {str(product.get("ID", "")).lower() for product in value(raw, "products") or ()}
    fields = (events.get("12288") or ("", ["", "", ""]))[1]
    if len(fields) > ACTIVATION_ID and fields[ACTIVATION_ID].lower() not in ids:
        return None, None  # another product's
    return host_port(fields[2]) if _is_success(events) else (None, None)


def _is_success(events: Mapping[str, Any]) -> bool:
    """Whether the newest request was sent, and answered with an activation."""
    sent, answer = events.get("12288"), events.get("12289")
    if not sent or not answer or [*answer[2:], answer[0]] < [*sent[2:], sent[0]]:
        return False
    codes = (sent[1][0], answer[1][0])
    flags, bound = int(answer[1][1], 16), answer[1][2]
    return not any(int(code, 16) for code in codes) and not flags & 0x04000000 and bound == "1"


def _spellings(host: str, raw: Raw) -> set[str]:
    """The full name below the server's own domain, and what the server resolved."""
    plain, domain = _plain(host), value(raw, "os.domain") or ""
    member = value(raw, "os.role") in (1, 3, 4, 5) and "." in domain
    full = f"{plain}.{domain}" if member and not {".", ":"} & set(plain) else plain
    found = value(raw, "resolved") or {}
    return {full, *(_plain(name) for name in (*found.get(plain, ()), *found.get(full, ())))}


def _plain(host: str) -> str:
    """Lower case, without brackets and a trailing dot; addresses in one spelling."""
    plain = host.lower().strip("[]").removesuffix(".")
    try:
        return str(ipaddress.ip_address(plain))
    except ValueError:
        return plain
