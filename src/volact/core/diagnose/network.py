"""Can the server reach its KMS hosts, and if not, why not?"""

from __future__ import annotations

from volact.core import shell
from volact.core.clock import role_of
from volact.core.codes import hex_code, kms_answer, last_code, named, tried_host
from volact.core.consent import repair_with
from volact.core.diagnose.case import Case, error, on_server, warning
from volact.core.diagnose.kms import uses_kms
from volact.core.kms import (
    Reach,
    accepted_hosts,
    is_accepted,
    policy_setting,
    reach_of,
    reachable_hosts,
    service_setting,
    target_hosts,
)
from volact.core.licensing import all_licensed, has_key, is_kms_host, unlicensed
from volact.core.ways import missing_routes, routes_to_add, servers_to_add, through
from volact.model.fact import Absent, Known, value_of
from volact.model.finding import Finding, Repair
from volact.model.profile import HostPort, RouteRule
from volact.model.text import Text, joined, listed, ready, say

# Codes by which a KMS host that was reached says no.
HOST_REFUSALS = frozenset({0xC004F038, 0xC004F039, 0xC004F041, 0xC004F06B})

_REACH_WORDS: dict[Reach, Text] = {
    "refused": say("refused"),
    "timeout": say("timeout"),
    "unresolved": say("unresolved"),
}


def kms_name_unresolved(case: Case) -> Finding | None:
    """None of the provider's KMS host names resolves on the server."""
    reach = _failed(case)
    if not reach or set(reach.values()) != {"unresolved"}:
        return None
    asked = value_of(case.facts.dns)
    names = [host.host for host in accepted_hosts(case.facts, case.ctx) if str(host) in reach]
    dns = case.ctx.knowledge.profile.dns
    check = say("Check the server's DNS settings: {command}.", command=f"nslookup {names[0]}")
    return error(
        "kms-name-unresolved",
        say(
            "The name of the KMS host does not resolve on the server ({names}).",
            names=listed(names),
        ),
        {"hosts": list(reach), "dns": list(asked or ())},
        repair=_by_name_servers(case) if role_of(case.facts) == "standalone" else "manual",
        remedy=say(
            "{check} Use the provider's DNS servers: {servers}.", check=check, servers=listed(dns)
        )
        if dns
        else check,
    )


def kms_unreachable(case: Case) -> Finding | None:
    """No KMS host of the provider takes a connection, or the one in use does not."""
    reach = _failed(case)
    failing = [host for host, why in reach.items() if why in ("refused", "timeout")]
    if failing:
        return _unreachable(case, failing[0], reach)
    return _other_in_reach(case)


def _unreachable(case: Case, first: str, reach: dict[str, Reach]) -> Finding:
    host = HostPort.parse(first)
    return error(
        "kms-unreachable",
        say("The KMS host {host} refuses the connection when the server tries it.", host=first)
        if reach[first] == "refused"
        else say("The KMS host {host} does not answer when the server tries it.", host=first),
        {"why": reach[first], "hosts": dict(reach)},
        repair=_by_routes(case),
        remedy=say(
            "Let the server out to the KMS host on its TCP port: check firewalls, security "
            "groups and routes, then on the server: {command}",
            command=f"powershell Test-NetConnection {host.host} -Port {host.port}",
        ),
    )


def _other_in_reach(case: Case) -> Finding | None:
    """The accepted host that is set cannot be reached, another accepted one can."""
    setting = service_setting(case.facts)
    if not isinstance(setting, Known) or not uses_kms(case) or not _fine(case):
        return None
    host = setting.value.host
    why = reach_of(case.facts, host)
    if why in ("yes", "unknown") or not is_accepted(host, case.facts, case.ctx):
        return None
    if not isinstance(policy_setting(case.facts), Absent):
        return None
    other = reachable_hosts(case.facts, case.ctx)[0]
    make = warning if all_licensed(case.facts) else error
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


def kms_host_refuses(case: Case) -> Finding | None:
    """A KMS host was reached and said no."""
    if not unlicensed(case.facts):
        return None
    codes = (last_code(case.facts, case.results), kms_answer(case.facts))
    code = next((code for code in codes if code in HOST_REFUSALS), None)
    if code is None:
        return None
    errors = case.ctx.knowledge.errors
    known = errors.get(code)
    return error(
        "kms-host-refuses",
        say("The KMS host refuses: {code}.", code=named(code, errors)),
        {"code": hex_code(code), "host": tried_host(case.facts)},
        remedy=ready(known.remedy) if known else say("Ask the keeper of the KMS host."),
    )


def dns_not_provider(case: Case) -> Finding | None:
    """The server asks other name servers, and no KMS host can be reached."""
    servers, wanted = value_of(case.facts.dns), case.ctx.knowledge.profile.dns
    if servers is None or not wanted or set(servers) & set(wanted) or _fine(case):
        return None
    return warning(
        "dns-not-provider",
        _dns_summary(servers, wanted),
        {"dns": list(servers), "expected": list(wanted)},
        repair="manual" if all_licensed(case.facts) else _by_name_servers(case),
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


def provider_route_missing(case: Case) -> Finding | None:
    """A route to the provider's internal services is gone, where that matters."""
    missing = missing_routes(case.facts, case.ctx)
    if not missing:
        return None
    commands = [_route_add(rule, case) for rule in missing]
    return warning(
        "provider-route-missing",
        say(
            "The route to {destination} mask {mask} is missing; "
            "the provider's internal services are behind it.",
            destination=missing[0].destination,
            mask=missing[0].mask,
        ),
        {"missing": [[rule.destination, rule.mask] for rule in missing]},
        repair="manual" if all_licensed(case.facts) else _by_routes(case),
        remedy=on_server(*commands),
    )


def _route_add(rule: RouteRule, case: Case) -> str:
    unknown = "GATEWAY" if rule.via == "gateway" else "ADDRESS-OF-THIS-SERVER"
    hop = through(rule, case.facts) or unknown
    return shell.add_route(rule.destination, rule.mask, hop)


def _by_name_servers(case: Case) -> Repair:
    """Adding the provider's name servers, where that is what is missing."""
    wanted = servers_to_add(case.facts, case.ctx)
    return repair_with("add-dns", case.ctx) if wanted else "manual"


def _by_routes(case: Case) -> Repair:
    """Adding the provider's routes, where those are what is missing."""
    wanted = routes_to_add(case.facts, case.ctx)
    return repair_with("add-route", case.ctx) if wanted else "manual"


def _failed(case: Case) -> dict[str, Reach]:
    """What each accepted host that was tried answered; {} as soon as one is reached."""
    hosts = target_hosts(case.facts, case.ctx)
    by_dns = not accepted_hosts(case.facts, case.ctx) and not is_kms_host(case.facts)
    if _fine(case) or not (uses_kms(case) or by_dns or has_key(case.facts) is None):
        return {}
    return {
        str(host): reach_of(case.facts, host)
        for host in hosts
        if isinstance(case.facts.reach.get(str(host)), Known)
    }


def _fine(case: Case) -> bool:
    hosts = target_hosts(case.facts, case.ctx)
    return any(reach_of(case.facts, host) == "yes" for host in hosts)
