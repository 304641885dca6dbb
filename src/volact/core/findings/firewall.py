"""Does Windows' own firewall keep the server from its KMS host?

Judged by the fields of a rule as the registry holds it, which are no
language's.  A rule that is for certain programs, addresses, accounts or local
ports of others blocks nothing here.
"""

from __future__ import annotations

import ipaddress

from volact.core.assessment import Assessment
from volact.core.assessment.hosts import DEFAULT_PORT
from volact.core.findings.kind import FindingKind, Found, Place, error, evidence_field, on_server
from volact.model.fact import value_of
from volact.model.text import say, typed

_TCP = "6"
_PROGRAMS = ("sppsvc.exe", "slsvc.exe", "system")
_SERVICES = ("sppsvc", "slsvc", "*")
# Fields that narrow a rule to what is not known here.
_NARROWING = ("LPORT", "IF", "IFTYPE", "LUAUTH", "RMAUTH", "RUAUTH", "LUOWN", "LA4", "LA6")
_NETWORK_CODES = range(0x80070000, 0x80080000)
Fields = dict[str, list[str]]


def firewall_blocks_kms(a: Assessment) -> Found | None:
    """The server's own firewall blocks the way out to TCP 1688."""
    if value_of(a.facts.firewall.service) != "Running" or not _matters(a):
        return None
    port, hosts = _target(a)
    block = value_of(a.facts.firewall.block) or ()
    rules = [fields for fields in map(_fields, block) if _covers(fields, port, hosts)]
    if rules:
        return _by_rule(rules, port)
    profiles, allow = value_of(a.facts.firewall.blocking), value_of(a.facts.firewall.allow)
    if not profiles or allow is None:
        return None
    allowed = any(_covers(_fields(rule), port, hosts) for rule in allow)
    return None if allowed else _by_default(profiles, port)


FIREWALL_BLOCKS_KMS = FindingKind(
    id="firewall-blocks-kms",
    rule=firewall_blocks_kms,
    place=Place.FIREWALL,
    severities=("error",),
    meaning=say("The server's own firewall blocks the connection to the KMS host."),
    action=say("Names the rule; volact does not change firewalls."),
    blocks="activation",
    calls_for="nothing",
    consent="",
    repair_steps=None,
    detail=evidence_field("why"),
)


def _by_rule(rules: list[Fields], port: int) -> Found:
    names = [(fields.get("NAME") or ["?"])[0] for fields in rules]
    return error(
        say(
            "A rule of the server's own firewall blocks outbound TCP {port}: {name}.",
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
    hosts = a.kms.accepted
    if hosts and not (a.kms.reached or a.kms.unclear) and a.facts.reach:
        return True
    code = a.attempts.code if a.licence.unlicensed else None
    return code is not None and code in _NETWORK_CODES


def _target(a: Assessment) -> tuple[int, tuple[str, ...]]:
    hosts = a.kms.accepted
    return (hosts[0].port if hosts else DEFAULT_PORT), tuple(host.host for host in hosts)


def _fields(rule: str) -> Fields:
    """``v2.10|Action=Block|RPort=1688|...`` as lists by upper-case name."""
    fields: Fields = {}
    for part in rule.split("|"):
        name, mark, value = part.partition("=")
        if mark:
            fields.setdefault(name.strip().upper(), []).append(value.strip())
    return fields


def _covers(fields: Fields, port: int, hosts: tuple[str, ...]) -> bool:
    """Whether a rule is certainly about licensing traffic to this port."""
    if any(name in fields for name in _NARROWING):
        return False
    protocol = fields.get("PROTOCOL", [_TCP])
    ports = fields.get("RPORT", [])
    programs = [app.lower().rpartition("\\")[2] for app in fields.get("APP", [])]
    services = [service.lower() for service in fields.get("SVC", [])]
    return (
        _TCP in protocol
        and (not ports or any(_holds(text, port) for text in ports))
        and (not programs or any(name in _PROGRAMS for name in programs))
        and (not services or any(name in _SERVICES for name in services))
        and _everywhere_or_there(fields, hosts)
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


def _everywhere_or_there(fields: Fields, hosts: tuple[str, ...]) -> bool:
    """No remote address is named, or one that is the KMS host's own literal."""
    named = [*fields.get("RA4", []), *fields.get("RA6", [])]
    return not named or any(_inside(host, net) for host in hosts for net in named)


def _inside(host: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False
