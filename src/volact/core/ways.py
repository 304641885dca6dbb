"""Ways to the provider that can be mended: name servers and routes to add.

Whether the person agreed is ``consent``'s affair; here it is whether adding
them is what is missing.  Nothing rests on a fact that could not be read.
"""

from __future__ import annotations

import ipaddress

from volact.core.clock import role_of
from volact.core.context import Context
from volact.core.kms import Reach, accepted_hosts, reach_of, reachable_hosts
from volact.core.steps.network import ADD_DNS, ADD_ROUTE, AddDns, AddRoute
from volact.model.fact import value_of
from volact.model.facts import Facts, Route
from volact.model.profile import RouteRule

_ANY = "0.0.0.0"  # noqa: S104 - the destination of a default route, nothing is bound


def servers_to_add(facts: Facts, ctx: Context) -> AddDns | None:
    """``add-dns`` where the names do not resolve for want of these servers.

    Outside of a domain they are asked first, because the first one's "no" is
    final; in a domain the domain's own stay in front.
    """
    role, present, wanted = role_of(facts), value_of(facts.dns), ctx.knowledge.profile.dns
    if not wanted or present is None or set(present) & set(wanted):
        return None
    if role not in ("standalone", "member") or not _all(facts, ctx, "unresolved"):
        return None
    return AddDns(servers=wanted, position="first" if role == "standalone" else "last")


def routes_to_add(facts: Facts, ctx: Context) -> tuple[AddRoute, ...]:
    """``add-route`` where KMS hosts are silent and routes are missing."""
    if not _all(facts, ctx, "timeout"):
        return ()
    found = [(rule, through(rule, facts)) for rule in missing_routes(facts, ctx)]
    return tuple(
        AddRoute(destination=rule.destination, mask=rule.mask, gateway=hop)
        for rule, hop in found
        if hop
    )


def missing_routes(facts: Facts, ctx: Context) -> tuple[RouteRule, ...]:
    """The provider's routes that are not there, where that matters; () when unread."""
    routes = value_of(facts.routes)
    if routes is None:
        return ()
    fine = bool(reachable_hosts(facts, ctx))
    return tuple(
        rule
        for rule in ctx.knowledge.profile.routes
        if not (rule.when == "unreachable" and fine)
        and not any(_leads_to(route, rule) for route in routes)
    )


def will_reach(facts: Facts, ctx: Context) -> bool:
    """Whether steps that the person agreed to open the way to the KMS hosts."""
    agreed, servers = ctx.policy.consent, servers_to_add(facts, ctx)
    by_name = ADD_DNS.name in agreed and servers is not None and servers.position == "first"
    return by_name or (ADD_ROUTE.name in agreed and bool(routes_to_add(facts, ctx)))


def through(rule: RouteRule, facts: Facts) -> str:
    """The next hop of a route to add; ``""`` when it is not known."""
    if rule.via == "self":
        own = value_of(facts.addresses) or ()
        return next((address for address in own if ":" not in address), "")
    routes = value_of(facts.routes) or ()
    return next((route.next_hop for route in routes if route.destination == _ANY), "")


def _leads_to(route: Route, rule: RouteRule) -> bool:
    """Whether a route of the server covers what the rule needs; a default route does not."""
    if route.destination == _ANY:
        return False
    try:
        wanted = ipaddress.ip_network(f"{rule.destination}/{rule.mask}", strict=False)
        there = ipaddress.ip_network(f"{route.destination}/{route.mask}", strict=False)
    except ValueError:
        return route.destination == rule.destination
    return (
        isinstance(there, ipaddress.IPv4Network)
        and isinstance(wanted, ipaddress.IPv4Network)
        and wanted.subnet_of(there)
    )


def _all(facts: Facts, ctx: Context, why: Reach) -> bool:
    hosts = accepted_hosts(facts, ctx)
    return bool(hosts) and all(reach_of(facts, host) == why for host in hosts)
