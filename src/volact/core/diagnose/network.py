"""Can the server reach its KMS hosts, and if not, why not?"""

from __future__ import annotations

from volact.core import shell
from volact.core.assessment import Assessment
from volact.core.assessment.kms import Reach
from volact.core.assessment.network import MissingRoute
from volact.core.codes import hex_code, named
from volact.core.consent import repair_with
from volact.core.diagnose.case import error, on_server, warning
from volact.model.fact import Absent, Known, value_of
from volact.model.finding import Finding, Repair
from volact.model.profile import HostPort
from volact.model.text import Text, joined, listed, ready, say

# Codes by which a KMS host that was reached says no.
HOST_REFUSALS = frozenset({0xC004F038, 0xC004F039, 0xC004F041, 0xC004F06B})

_REACH_WORDS: dict[Reach, Text] = {
    "refused": say("refused"),
    "timeout": say("timeout"),
    "unresolved": say("unresolved"),
}


def kms_name_unresolved(a: Assessment) -> Finding | None:
    """None of the provider's KMS host names resolves on the server."""
    reach = _failed(a)
    if not reach or set(reach.values()) != {"unresolved"}:
        return None
    asked = value_of(a.facts.dns)
    names = [host.host for host in a.kms.accepted if str(host) in reach]
    dns = a.ctx.knowledge.profile.dns
    check = say("Check the server's DNS settings: {command}.", command=f"nslookup {names[0]}")
    return error(
        "kms-name-unresolved",
        say(
            "The name of the KMS host does not resolve on the server ({names}).",
            names=listed(names),
        ),
        {"hosts": list(reach), "dns": list(asked or ())},
        repair=_by_name_servers(a) if a.system.role == "standalone" else "manual",
        remedy=say(
            "{check} Use the provider's DNS servers: {servers}.", check=check, servers=listed(dns)
        )
        if dns
        else check,
    )


def kms_unreachable(a: Assessment) -> Finding | None:
    """No KMS host of the provider takes a connection, or the one in use does not."""
    reach = _failed(a)
    failing = [host for host, why in reach.items() if why in ("refused", "timeout")]
    if failing:
        return _unreachable(a, failing[0], reach)
    return _other_in_reach(a)


def _unreachable(a: Assessment, first: str, reach: dict[str, Reach]) -> Finding:
    host = HostPort.parse(first)
    return error(
        "kms-unreachable",
        say("The KMS host {host} refuses the connection when the server tries it.", host=first)
        if reach[first] == "refused"
        else say("The KMS host {host} does not answer when the server tries it.", host=first),
        {"why": reach[first], "hosts": dict(reach)},
        repair=_by_routes(a),
        remedy=say(
            "Let the server out to the KMS host on its TCP port: check firewalls, security "
            "groups and routes, then on the server: {command}",
            command=f"powershell Test-NetConnection {host.host} -Port {host.port}",
        ),
    )


def _other_in_reach(a: Assessment) -> Finding | None:
    """The accepted host that is set cannot be reached, another accepted one can."""
    setting = a.kms.service
    if not isinstance(setting, Known) or not a.kms.applies or not a.kms.target_reached:
        return None
    host = setting.value.host
    why = a.kms.reach_of(host)
    if why in ("yes", "unknown") or not a.kms.is_accepted(host):
        return None
    if not isinstance(a.kms.policy, Absent):
        return None
    other = a.kms.reached[0]
    make = warning if a.licence.all_licensed else error
    return make(
        "kms-unreachable",
        say(
            "The KMS host {host} cannot be reached ({why}), but {other} can.",
            host=host,
            why=_REACH_WORDS[why],
            other=other,
        ),
        {"why": why, "hosts": {str(host): why, str(other): "yes"}},
        repair="automatic",
        remedy=on_server(shell.set_kms_host(other)),
    )


def kms_host_refuses(a: Assessment) -> Finding | None:
    """A KMS host was reached and said no."""
    if not a.licence.unlicensed:
        return None
    codes = (a.attempts.code, a.attempts.answer)
    code = next((code for code in codes if code in HOST_REFUSALS), None)
    if code is None:
        return None
    errors = a.ctx.knowledge.errors
    known = errors.get(code)
    return error(
        "kms-host-refuses",
        say("The KMS host refuses: {code}.", code=named(code, errors)),
        {"code": hex_code(code), "host": a.attempts.host},
        remedy=ready(known.remedy) if known else say("Ask the keeper of the KMS host."),
    )


def dns_not_provider(a: Assessment) -> Finding | None:
    """The server asks other name servers, and no KMS host can be reached."""
    servers, wanted = value_of(a.facts.dns), a.ctx.knowledge.profile.dns
    if servers is None or not wanted or set(servers) & set(wanted) or a.kms.target_reached:
        return None
    return warning(
        "dns-not-provider",
        _dns_summary(servers, wanted),
        {"dns": list(servers), "expected": list(wanted)},
        repair="manual" if a.licence.all_licensed else _by_name_servers(a),
        remedy=say(
            "Set the DNS servers of the network card to automatic, or to {servers}; "
            "in a domain, after those of the domain.",
            servers=joined(wanted),
        ),
    )


def _dns_summary(servers: tuple[str, ...], wanted: tuple[str, ...]) -> Text:
    return say(
        "The server asks {servers}, not the provider's ({wanted}), which alone know "
        "the internal names.",
        servers=listed(servers) if servers else say("no name server"),
        wanted=listed(wanted),
    )


def provider_route_missing(a: Assessment) -> Finding | None:
    """A route to the provider's internal services is gone, where that matters."""
    missing = a.network.missing_routes
    if not missing:
        return None
    commands = [_route_add(route) for route in missing]
    return warning(
        "provider-route-missing",
        say(
            "The route to {destination} mask {mask} is missing; "
            "the provider's internal services are behind it.",
            destination=missing[0].rule.destination,
            mask=missing[0].rule.mask,
        ),
        {"missing": [[route.rule.destination, route.rule.mask] for route in missing]},
        repair="manual" if a.licence.all_licensed else _by_routes(a),
        remedy=on_server(*commands),
    )


def _route_add(route: MissingRoute) -> str:
    rule = route.rule
    unknown = "GATEWAY" if rule.via == "gateway" else "ADDRESS-OF-THIS-SERVER"
    return shell.add_route(rule.destination, rule.mask, route.gateway or unknown)


def _by_name_servers(a: Assessment) -> Repair:
    """Adding the provider's name servers, where that is what is missing."""
    wanted = a.network.name_servers
    return repair_with("add-dns", a.ctx) if wanted else "manual"


def _by_routes(a: Assessment) -> Repair:
    """Adding the provider's routes, where those are what is missing."""
    wanted = a.network.routes_to_add
    return repair_with("add-route", a.ctx) if wanted else "manual"


def _failed(a: Assessment) -> dict[str, Reach]:
    """What each accepted host that was tried answered; {} as soon as one is reached."""
    hosts = a.kms.targets
    by_dns = not a.kms.accepted and not a.licence.is_kms_host
    if a.kms.target_reached or not (a.kms.applies or by_dns or a.licence.has_key is None):
        return {}
    return {
        str(host): a.kms.reach_of(host)
        for host in hosts
        if isinstance(a.facts.reach.get(str(host)), Known)
    }
