"""Name servers and routes: are the provider's set?"""

from __future__ import annotations

from collections.abc import Iterator

from volact.core import shell
from volact.core.assessment import Assessment
from volact.core.assessment.network import MissingRoute
from volact.core.consent import allow
from volact.core.findings.kind import FindingKind, Found, Place, on_server, warning
from volact.core.findings.shared_repairs import (
    add_name_servers,
    add_routes,
    by_name_servers,
    by_routes,
)
from volact.core.steps.network import ADD_DNS, ADD_ROUTE
from volact.model.fact import value_of
from volact.model.text import Text, joined, listed, raw, say, typed


def _dns_not_provider(a: Assessment) -> Found | None:
    """The server asks other name servers, and no KMS host can be reached."""
    servers, wanted = value_of(a.facts.dns), a.ctx.knowledge.profile.dns
    if servers is None or not wanted or set(servers) & set(wanted):
        return None
    if a.kms.target_reached or a.kms.target_unclear or not a.kms.matters:
        return None
    return warning(
        _dns_summary(servers, wanted),
        {"dns": list(servers), "expected": list(wanted)},
        repair="manual" if a.licence.all_licensed else by_name_servers(a),
        remedy=_dns_remedy(a, joined(wanted)),
    )


DNS_NOT_PROVIDER = FindingKind(
    id="dns-not-provider",
    rule=_dns_not_provider,
    place=Place.NETWORK_SETTING,
    severities=("warning",),
    meaning=say("The server uses other DNS servers than the provider's, and reaches no KMS host."),
    action=say(
        "Outside of a domain, adds the provider's DNS servers with --allow add-dns; otherwise "
        "reports it."
    ),
    blocks="nothing",
    calls_for="nothing",
    consent=allow(ADD_DNS.name),
    repair_steps=add_name_servers,
    detail=None,
)


def _dns_summary(servers: tuple[str, ...], wanted: tuple[str, ...]) -> Text:
    return say(
        "The server uses the DNS servers {servers}, not the provider's ({wanted}); only the "
        "provider's know its internal names.",
        servers=listed(servers) if servers else say("no DNS server"),
        wanted=listed(wanted),
    )


def _dns_remedy(a: Assessment, servers: Text) -> Text:
    alone = say(
        "Set the DNS servers of the network adapter to automatic, or to {servers}.", servers=servers
    )
    if a.system.role == "standalone":
        return alone
    domain = forwarding(a) or say(
        "In a domain, let its DNS servers forward the provider's names to {servers}.",
        servers=servers,
    )
    return domain if a.system.role else say("{check} {domain}", check=alone, domain=domain)


def forwarding(a: Assessment) -> Text | None:
    """What is done on a domain's DNS servers, where the KMS hosts are in the provider's zone.

    The servers in the domain cannot ask the provider's after them: the first "no" is final.
    """
    profile = a.ctx.knowledge.profile
    zone, servers = profile.dns_zone, ",".join(profile.dns)
    if not zone or not any(host.host.endswith(f".{zone}") for host in a.kms.targets):
        return None
    line = f"Add-DnsServerConditionalForwarderZone -Name {zone} -MasterServers {servers}"
    return say(
        "Servers in a domain keep the domain's DNS servers. On those, forward the provider's "
        "names: {command}",
        command=typed(f'powershell -Command "{line}"'),
    )


def _provider_route_missing(a: Assessment) -> Found | None:
    """A route to the provider's internal services is gone, where that matters."""
    missing = [m for m in a.network.missing_routes if a.kms.matters or m.rule.when == "always"]
    if not missing:
        return None
    usable = a.ctx.knowledge.profile.routes_command
    own = next((way for way in usable if a.system.release_name in way.releases), None)
    lines = [command for route in missing for command in _mended(route)]
    commands = (
        on_server(*lines)
        if all(route.gateway for route in missing)
        else say(
            "On the server, with the right value in place of the word in capitals: {commands}",
            commands=raw("; ".join(lines)),
        )
    )
    dead = {route.rule.destination: list(route.dead) for route in missing if route.dead}
    return warning(
        _route_summary(missing[0]),
        {"missing": [[route.rule.destination, route.rule.mask] for route in missing]}
        | ({"dead": dead} if dead else {}),
        repair="manual" if a.licence.all_licensed else by_routes(a),
        remedy=say(
            "{commands} The provider's own way, with {tool}: {command}",
            commands=commands,
            tool=own.tool,
            command=typed(own.command),
        )
        if own
        else commands,
    )


PROVIDER_ROUTE_MISSING = FindingKind(
    id="provider-route-missing",
    rule=_provider_route_missing,
    place=Place.NETWORK_SETTING,
    severities=("warning",),
    meaning=say("A route to the provider's internal services is missing."),
    action=say(
        "Adds it with --allow add-route, in the place of one by a gateway that is in none of the "
        "server's networks; otherwise prints the commands."
    ),
    blocks="nothing",
    calls_for="nothing",
    consent=allow(ADD_ROUTE.name),
    repair_steps=add_routes,
    detail=None,
)


def _route_summary(route: MissingRoute) -> Text:
    words = {"destination": route.rule.destination, "mask": route.rule.mask}
    if route.dead:
        return say(
            "The route to {destination} mask {mask} leads to the gateway {gateway}, which is in "
            "none of the server's networks; the provider's internal services use it.",
            gateway=route.dead[0],
            **words,
        )
    return say(
        "The route to {destination} mask {mask} is missing; the provider's internal "
        "services use it.",
        **words,
    )


def _mended(route: MissingRoute) -> Iterator[str]:
    rule = route.rule
    if ":" in rule.destination:
        yield f"netsh interface ipv6 add route {rule.destination}/{rule.mask} INTERFACE"
        return
    unknown = "GATEWAY" if rule.via == "gateway" else "ADDRESS-OF-THIS-SERVER"
    yield from (shell.delete_route(rule.destination, rule.mask, hop) for hop in route.dead)
    yield shell.add_route(rule.destination, rule.mask, route.gateway or unknown)
