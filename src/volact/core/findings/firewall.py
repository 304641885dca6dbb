"""Does Windows' own firewall keep the server from its KMS host?

Judged by the fields of a rule as the registry holds it, which are no
language's ([MS-GPFAS] 2.2.2.19).  A rule blocks only where it certainly is about licensing
traffic in a profile in force; one that may let that traffic out is enough against a default.
"""

from __future__ import annotations

import ipaddress
import re

from volact.core.assessment import Assessment
from volact.core.assessment.hosts import DEFAULT_PORT, is_address, plain_name
from volact.core.findings.kind import Found, Place, error, evidence_field, on_server, reported
from volact.model.fact import value_of
from volact.model.text import say, typed

_TCP = "6"
# Since 2012 the service's helper SppExtComObj.exe speaks with KMS hosts.
_PROGRAMS = ("sppsvc.exe", "sppextcomobj.exe", "slsvc.exe", "system")
_SERVICES = ("sppsvc", "slsvc", "*")
# Fields that narrow a rule to what is not known here.
_NARROWING = {
    *("LPORT", "IF", "IFTYPE", "LUAUTH", "RMAUTH", "RUAUTH", "LUOWN", "LA4", "LA6"),
    *("SECURITY", "SECURITYREALMID", "TTK", "NNM", "APPPKGID"),
}
# By the words of rules and by the keys that hold a profile's defaults.
_PROFILES = {"domain": 1, "private": 2, "standard": 2, "public": 4}
# A later form of a field: RPort2_10 holds ranges where RPort holds single ports.
_LATER_FORM = re.compile(r"2(_\d+)?$")
_NETWORK_CODES = range(0x80070000, 0x80080000)
RuleFields = dict[str, list[str]]


def firewall_blocks_kms(a: Assessment) -> Found | None:
    """The server's own firewall blocks the way out to TCP 1688."""
    if value_of(a.facts.firewall.service) != "Running" or not _matters(a):
        return None
    block = [_fields(rule) for rule in value_of(a.facts.firewall.block) or ()]
    port, hosts = _target(a)
    # A host that this script reached is blocked for the licensing service at most.
    rules = [
        fields
        for fields in block
        if _covers(fields, port, hosts, unknown=False)
        and not _NARROWING & fields.keys()
        and _in_force(fields.get("PROFILE", []), a, unknown=False)
        and (not a.kms.target_reached or fields.keys() & {"APP", "SVC"})
    ]
    if rules:
        return _by_rule(rules, port)
    return None if a.kms.target_reached else _blocked_by_default(a, port, hosts)


def _blocked_by_default(a: Assessment, port: int, hosts: tuple[str, ...]) -> Found | None:
    """The agent lists the rules that may let the usual port out, not those for another."""
    profiles = tuple(
        name
        for name in value_of(a.facts.firewall.blocking) or ()
        if _in_force([name.removesuffix("Profile")], a, unknown=True)
    )
    allow = value_of(a.facts.firewall.allow)
    if not profiles or allow is None or port != DEFAULT_PORT:
        return None
    allowed = any(
        _covers(fields, port, hosts, unknown=True)
        and _in_force(fields.get("PROFILE", []), a, unknown=True)
        for fields in map(_fields, allow)
    )
    return None if allowed else _by_default(profiles, port)


def _in_force(names: list[str], a: Assessment, *, unknown: bool) -> bool:
    """Whether one of these profiles is in force; without any, all are meant."""
    active = value_of(a.facts.firewall.active)
    if not names or active is None:
        return not names or unknown
    return any(_PROFILES.get(name.lower(), 0) & active for name in names)


FIREWALL_BLOCKS_KMS = reported(
    id="firewall-blocks-kms",
    rule=firewall_blocks_kms,
    place=Place.FIREWALL,
    severities=("error",),
    meaning=say("The server's own firewall blocks the connection to the KMS host."),
    action=say("Names the rule; volact does not change firewalls."),
    blocks="activation",
    detail=evidence_field("why"),
)


def _by_rule(rules: list[RuleFields], port: int) -> Found:
    names = [(fields.get("NAME") or ["?"])[0] for fields in rules]
    return error(
        say(
            "A rule of the server's own firewall blocks outbound TCP {port}: '{name}'.",
            port=port,
            name=names[0],
        ),
        {"why": "rule", "port": port, "rules": names},
        remedy=say(
            "On the server, unless a group policy sets the rule: {command}",
            command=typed(
                f'netsh advfirewall firewall set rule name="{names[0]}" dir=out new enable=no'
            ),
        ),
    )


def _by_default(profiles: tuple[str, ...], port: int) -> Found:
    command = (
        'netsh advfirewall firewall add rule name="KMS" dir=out action=allow '
        f"protocol=TCP remoteport={port}"
    )
    return error(
        say(
            "The server's own firewall blocks outbound traffic by default ({profiles}), and no "
            "rule allows TCP {port}.",
            profiles=", ".join(profiles),
            port=port,
        ),
        {"why": "default", "port": port, "profiles": list(profiles)},
        remedy=on_server(command),
    )


def _matters(a: Assessment) -> bool:
    """Whether the network failed: no host answers, or the last request did not get out."""
    clients = any(product.is_client for product in a.licence.unlicensed)
    if not a.kms.matters:
        return False
    if a.kms.targets and not (a.kms.target_reached or a.kms.target_unclear) and a.facts.reach:
        return True
    code = a.attempts.code if clients else None
    return code is not None and code in _NETWORK_CODES


def _target(a: Assessment) -> tuple[int, tuple[str, ...]]:
    """The port, and the addresses of the hosts as far as they are known."""
    hosts, found = a.kms.targets, a.kms.names.found
    addresses = (
        name for host in hosts for name in (host.host, *found.get(plain_name(host.host), ()))
    )
    return (hosts[0].port if hosts else DEFAULT_PORT), tuple(addresses)


def _fields(rule: str) -> RuleFields:
    """``v2.10|Action=Block|RPort=1688|...`` as lists by upper-case name."""
    fields: RuleFields = {}
    for part in rule.split("|"):
        name, mark, value = part.partition("=")
        if mark:
            name = _LATER_FORM.sub("", name.strip().upper())
            fields.setdefault(name, []).append(value.strip())
    return fields


def _covers(fields: RuleFields, port: int, hosts: tuple[str, ...], *, unknown: bool) -> bool:
    """Whether a rule is about licensing traffic to this port; ``unknown``: or may be."""
    protocol = fields.get("PROTOCOL", [_TCP])
    ports = fields.get("RPORT", [])
    programs = [app.lower().rpartition("\\")[2] for app in fields.get("APP", [])]
    services = [service.lower() for service in fields.get("SVC", [])]
    return (
        _TCP in protocol
        and (not ports or any(_holds(text, port) for text in ports))
        and (not programs or any(name in _PROGRAMS for name in programs))
        and (not services or any(name in _SERVICES for name in services))
        and _everywhere_or_there(fields, hosts, unknown=unknown)
    )


def _holds(text: str, port: int) -> bool:
    """``1688``, ``1600-1700`` or a comma list of them."""
    for part in text.split(","):
        low, _, high = part.partition("-")
        if _is_port(low) and int(low) <= port <= int(high if _is_port(high) else low):
            return True
    return False


def _is_port(text: str) -> bool:
    return text.isdecimal() and len(text) <= len("65535")


def _everywhere_or_there(fields: RuleFields, hosts: tuple[str, ...], *, unknown: bool) -> bool:
    """No remote address is named, or one of the KMS host's.

    ``unknown`` is the answer for words such as LocalSubnet, and where no address of a host
    is known.
    """
    named = [*fields.get("RA4", []), *fields.get("RA6", [])]
    if not named or any(_inside(host, net) for host in hosts for net in named):
        return True
    return unknown and (any(map(str.isalpha, named)) or not any(map(is_address, hosts)))


def _inside(host: str, network: str) -> bool:
    """In a network, ``10.0.0.0/8``, or a range, ``10.0.0.1-10.0.0.9``."""
    low, mark, high = network.partition("-")
    try:
        address = ipaddress.ip_address(host)
        if not mark:
            return address in ipaddress.ip_network(network, strict=False)
        first, last = ipaddress.ip_address(low), ipaddress.ip_address(high)
        return int(first) <= int(address) <= int(last) and address.version == first.version
    except ValueError:
        return False
