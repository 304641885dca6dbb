"""Can the server reach its KMS hosts, and if not, why not?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from volact.core import shell
from volact.core.assessment import Assessment
from volact.core.assessment.kms import SILENT, Reach
from volact.core.consent import allow
from volact.core.findings.kind import (
    FindingKind,
    Found,
    Place,
    error,
    evidence_field,
    on_server,
    reported,
    warning,
)
from volact.core.findings.network import forwarding
from volact.core.findings.shared_repairs import (
    add_name_servers,
    add_routes,
    by_name_servers,
    by_routes,
    set_kms_host,
)
from volact.core.steps.network import ADD_DNS, ADD_ROUTE
from volact.core.steps.params import StepParams
from volact.model.fact import Absent, Known, value_of
from volact.model.profile import HostPort
from volact.model.text import Text, listed, ready, say, typed

_REACH_WORDS: dict[Reach, Text] = {
    "refused": say("refused"),
    "timeout": say("time-out"),
    "local": say("the connection does not leave this server"),
    "unresolved": say("name not resolved"),
}


def _kms_name_unresolved(a: Assessment) -> Found | None:
    reach = _failed(a)
    if not reach or set(reach.values()) != {"unresolved"}:
        return None
    asked = value_of(a.facts.dns)
    names = [host.host for host in reach]
    alone = a.system.role == "standalone"
    return error(
        say(
            "The name of the KMS host does not resolve on the server ({names}).",
            names=listed(names),
        ),
        {"hosts": [str(host) for host in reach], "dns": list(asked or ())},
        repair=by_name_servers(a) if alone else "manual",
        remedy=_name_remedy(a, names[0]),
    )


def _name_remedy(a: Assessment, name: str) -> Text:
    """Servers in a domain need its name servers, and where the role is unread it may be one."""
    check = say("Check the server's DNS settings: {command}.", command=typed(f"nslookup {name}"))
    dns, role = a.ctx.knowledge.profile.dns, a.system.role
    asked = value_of(a.facts.dns) or ()
    first = set(asked[:1]) & set(dns)  # the first one's "no" is final
    if role == "standalone" and dns and not first:
        return say(
            "{check} Use the provider's DNS servers: {servers}.", check=check, servers=listed(dns)
        )
    domain = forwarding(a) if role in ("member", "controller") else None
    return say("{check} {domain}", check=check, domain=domain) if domain else check


KMS_NAME_UNRESOLVED = FindingKind(
    id="kms-name-unresolved",
    rule=_kms_name_unresolved,
    place=Place.NAME_RESOLUTION,
    severities=("error",),
    meaning=say("The names of the provider's KMS hosts do not resolve on the server."),
    action=say(
        "Outside of a domain, adds the provider's DNS servers with --allow add-dns; otherwise "
        "reports it and does not activate."
    ),
    blocks="activation",
    calls_for="nothing",
    consent=allow(ADD_DNS.name),
    repair_steps=add_name_servers,
    detail=evidence_field("hosts"),
)


def _kms_unreachable(a: Assessment) -> Found | None:
    """No KMS host of the provider takes a connection, or the one in use does not."""
    reach = _failed(a)
    failing = [host for host, why in reach.items() if why in ("refused", *SILENT)]
    if not failing:
        return _other_in_reach(a)
    hosts = [host for host in failing if reach[host] != "local"]
    if hosts or not a.licensed_by_accepted:
        return _unreachable(a, (hosts or failing)[0], reach, error)
    if a.attempts.answer == 0:
        return None  # the licensing service is let out
    return _unreachable(a, failing[0], reach, warning)


def _reach_kms(a: Assessment) -> Iterator[StepParams]:
    if a.kms.reached or a.kms.unclear:
        yield from set_kms_host(a)
    else:
        yield from add_routes(a)


def _port_and_outcome(evidence: dict[str, Any]) -> str:
    """``TCP 1688 refused``."""
    host = next(iter(evidence.get("hosts", {})), "")
    return f"TCP {host.rpartition(':')[2] or '1688'} {evidence.get('why', '')}"


KMS_UNREACHABLE = FindingKind(
    id="kms-unreachable",
    rule=_kms_unreachable,
    place=Place.REACH,
    severities=("error", "warning"),
    meaning=say("The server cannot connect to its KMS host."),
    action=say(
        "Uses another of the provider's KMS hosts if one can be reached; adds a missing route "
        "with --allow add-route; after a mere time-out, or where the connection does not leave "
        "the server, tries the activation all the same if Windows is not licensed; otherwise "
        "reports it."
    ),
    blocks="activation",
    calls_for="nothing",
    consent=allow(ADD_ROUTE.name),
    repair_steps=_reach_kms,
    detail=_port_and_outcome,
)


def _unreachable(
    a: Assessment, host: HostPort, reach: dict[HostPort, Reach], make: Callable[..., Found]
) -> Found:
    return make(
        _failed_how(host, reach[host]),
        {"why": reach[host], "hosts": {str(tried): why for tried, why in reach.items()}},
        repair=by_routes(a),
        remedy=_local_remedy(host) if reach[host] == "local" else _path_remedy(a, host),
    )


def _failed_how(host: HostPort, why: Reach) -> Text:
    if why == "refused":
        return say("The KMS host {host} refuses connections from this server.", host=host)
    if why == "timeout":
        return say("The KMS host {host} does not answer this server.", host=host)
    return say(
        "The connection to the KMS host {host} does not leave this server: its own firewall blocks "
        "it, or there is no route to the address.",
        host=host,
    )


def _local_remedy(host: HostPort) -> Text:
    return say(
        "Check the server's own firewall for outbound TCP {port}, and its routes: {command}. Where "
        "a firewall rule allows the licensing service and no other program, activation works all "
        "the same.",
        port=host.port,
        command=typed("route print"),
    )


def _path_remedy(a: Assessment, host: HostPort) -> Text:
    command = typed(shell.connect(host.host, host.port, a.system.build))
    needs = needs_of(a)
    if needs is None:
        return say(
            "Allow outbound TCP from the server to the KMS host's port: check firewalls, "
            "security groups and routes, then on the server: {command}",
            command=command,
        )
    return say(
        "What the provider requires: {needs} Check firewalls, security groups and routes for "
        "outbound TCP to the KMS host's port, then on the server: {command}",
        needs=needs,
        command=command,
    )


def needs_of(a: Assessment) -> Text | None:
    """What the provider asks of the path to its own KMS hosts."""
    needs = a.ctx.knowledge.profile.needs
    return ready(needs) if needs and not a.kms.by_dns else None


def _other_in_reach(a: Assessment) -> Found | None:
    """The accepted host that is set cannot be reached, another accepted one can, or may be."""
    setting = a.kms.service
    others = a.kms.reached or (() if a.licence.all_licensed else a.kms.unclear)
    if not isinstance(setting, Known) or not a.kms.applies or not others:
        return None
    host = setting.value.host
    if a.kms.reach_of(host) not in _REACH_WORDS or not a.kms.is_accepted(host):
        return None
    if not isinstance(a.kms.policy, Absent):
        return None
    return _another(a, host, others[0])


def _another(a: Assessment, host: HostPort, other: HostPort) -> Found:
    unlicensed = a.licence.unlicensed or a.licence.none_to_lose
    settable = a.licence.status_known and not a.licence.kept_from_kms
    make = error if unlicensed or _renewal_needs_it(a) else warning
    why, found = a.kms.reach_of(host), a.kms.reach_of(other)
    words = {"host": host, "why": _REACH_WORDS[why], "other": other}
    return make(
        say("The KMS host {host} cannot be reached ({why}), but {other} can.", **words)
        if found == "yes"
        else say(
            "The KMS host {host} cannot be reached ({why}); whether {other} can is not certain.",
            **words,
        ),
        {"why": why, "hosts": {str(host): why, str(other): found}},
        repair="automatic" if settable else "manual",
        remedy=on_server(a.console.set_kms_host(other)),
    )


def _renewal_needs_it(a: Assessment) -> bool:
    """Whether a licence that is not renewed, and has to be, comes from the server-wide host."""
    used = [setting for p in a.licence.clients if (setting := value_of(p.kms))]
    by_service = a.licensed_by_accepted and any(s.layer == "service" for s in used)
    return by_service and bool(a.renewal.ending or a.renewal.failed)


def not_reached(a: Assessment, host: HostPort) -> Text | None:
    """That the server tried this host in vain, and how; ``None``: it did not."""
    if why := _REACH_WORDS.get(a.kms.reach_of(host)):
        return say("The KMS host {host} cannot be reached ({why}).", host=host, why=why)
    return None


def _kms_answered_by_http(a: Assessment) -> Found | None:
    """HTTP is spoken at the KMS host's port: a device in between answers for it."""
    if a.licence.all_licensed or a.kms.target_reached or not a.kms.applies:
        return None
    hosts = [host for host in a.kms.targets if a.kms.reach_of(host) == "http"]
    if not hosts:
        return None
    return warning(
        say(
            "At the port of the KMS host {host} something answers HTTP, which a KMS host "
            "does not speak.",
            host=hosts[0],
        ),
        {"hosts": [str(host) for host in hosts]},
        repair="manual",
        remedy=say(
            "Let TCP port {port} through to the KMS host unchanged: look for a proxy, a "
            "firewall with application control, or a wrong DNS entry.",
            port=hosts[0].port,
        ),
    )


KMS_ANSWERED_BY_HTTP = reported(
    id="kms-answered-by-http",
    rule=_kms_answered_by_http,
    place=Place.REACH,
    severities=("warning",),
    meaning=say("Something that speaks HTTP answers at the KMS host's port."),
    action=say("Tries the activation, and reports what answers in between."),
    blocks="nothing",
    detail=evidence_field("hosts"),
)


def _failed(a: Assessment) -> dict[HostPort, Reach]:
    """What each accepted host that was tried answered; {} as soon as one may be reached."""
    if a.kms.target_reached or a.kms.target_unclear or not a.kms.matters:
        return {}
    return {
        host: a.kms.reach_of(host)
        for host in a.kms.targets
        if isinstance(a.facts.reach.get(str(host)), Known)
    }
