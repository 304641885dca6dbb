"""Which strings of an answer are names of the fleet: computers, domains, hosts, accounts.

Only where names stand; ``pseudonyms`` replaces them.  The keys are those of
docs/agent-protocol.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

# Microsoft's ids of what can be activated: Windows, and Office's two.
APPLICATION_IDS = frozenset(
    {
        "55c92734-d682-4d71-983e-d6ec3f16059f",
        "0ff1ce15-a989-479d-af46-f275c6370663",
        "59a52881-a989-479d-af46-f275c6370663",
    }
)
# A dotted word that ends like this is a file, not a host.
FILE_ENDINGS = frozenset(
    {"bar", "bat", "cmd", "dat", "dll", "exe", "inf", "ini", "js", "log", "mof", "msi"}
    | {"ocx", "ps1", "sys", "tmp", "txt", "vbs", "wsf", "xml"}
)

_HOST_FACTS = {
    "licensing": ("machine", "lookup_domain"),
    "registry": ("machine", "policy_machine", "discovered_name"),
    "os": ("name", "domain", "asset"),
    "online": ("proxy",),
}
_HOST_PROPERTIES = (
    "KeyManagementServiceMachine",
    "DiscoveredKeyManagementServiceMachineName",
    "KeyManagementServiceLookupDomain",
    "AutomaticVMActivationHostMachineName",
    "ADActivationObjectName",
    "ProcessorURL",
    "MachineURL",
    "UseLicenseURL",
    "ProductKeyURL",
    "ValidationURL",
)
_PEERS = ("peers", "policy_peers")
# Values of the metadata service that identify no server and no customer.
_PLAIN_METADATA = (
    "billing",
    "licen",
    "type",
    "kms",
    "edition",
    "environment",
    "region",
    "zone",
    "sku",
    "offer",
    "os",
)


def names_in(raw: dict[str, Any], kept: frozenset[str]) -> Iterator[str]:
    """Every name in the raw facts of an answer; ``kept`` are image ids that are public."""
    for group, keys in _HOST_FACTS.items():
        facts = raw.get(group)
        if isinstance(facts, dict):
            yield from _texts(facts.get(key) for key in keys)
            yield from _netbios(facts.get("domain"))
    products = raw.get("products")
    for row in products if isinstance(products, list) else ():
        yield from _texts(row.get(key) for key in _HOST_PROPERTIES)
    yield from _peers(raw.get("time"))
    for group in ("reach", "resolved"):
        hosts = raw.get(group)
        yield from (_without_port(str(host)) for host in (hosts if isinstance(hosts, dict) else ()))
    yield from _asked_hosts(raw.get("events"))
    yield from _metadata(raw.get("metadata"), kept)


def _netbios(domain: Any) -> Iterator[str]:
    """The name that a domain has in front of its accounts: by custom its first label."""
    if isinstance(domain, str):
        yield domain.partition(".")[0]


def _texts(values: Iterator[Any] | Any) -> Iterator[str]:
    for value in values:
        if isinstance(value, str) and value.strip():
            yield _without_port(value.strip())


def _peers(time: Any) -> Iterator[str]:
    for key in _PEERS if isinstance(time, dict) else ():
        value = time.get(key)
        if isinstance(value, str):
            yield from (peer.partition(",")[0] for peer in value.split())


def _asked_hosts(events: Any) -> Iterator[str]:
    """The KMS hosts of requests, other products' too: the third field of event 12288."""
    for key, event in events.items() if isinstance(events, dict) else ():
        if str(key).startswith("12288") and isinstance(event, list) and len(event) > 1:
            yield from _texts(event[1][2:3] if isinstance(event[1], list) else ())


def _metadata(values: Any, kept: frozenset[str]) -> Iterator[str]:
    for key, value in values.items() if isinstance(values, dict) else ():
        plain = any(word in str(key).lower() for word in _PLAIN_METADATA)
        if isinstance(value, str) and value and not plain and value not in kept:
            yield value


def _without_port(text: str) -> str:
    host, colon, port = text.rpartition(":")
    return host if colon and port.isdigit() and ":" not in host.strip("[]") else text
