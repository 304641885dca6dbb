"""What is missing between a server and the provider: name servers and routes.

Whether the operator agreed to add them is decided in ``consent``; here it is
whether adding them is what is missing.  Nothing rests on a fact that could not
be read.
"""

from __future__ import annotations

import ipaddress

import msgspec

from volact.core.assessment.kms import SILENT, KmsState
from volact.core.assessment.system import SystemState
from volact.core.context import Context
from volact.model.fact import value_of
from volact.model.facts import Facts, Route
from volact.model.profile import Profile, RouteRule

_ANY = "0.0.0.0"  # noqa: S104 - the destination of a default route, nothing is bound
ON_LINK = _ANY  # as a next hop


class MissingRoute(msgspec.Struct, frozen=True):
    """A route of the provider that the server lacks; ``gateway`` is ``""`` when not known.

    ``dead``: gateways to that same network that are in none of the server's networks.
    """

    rule: RouteRule
    gateway: str
    dead: tuple[str, ...] = ()


class NetworkState(msgspec.Struct, frozen=True, kw_only=True):
    """What to add.

    ``name_servers``: where names do not resolve for want of these servers.
    ``missing_routes``: the provider's routes that are not there, where that
    matters.  ``routes_to_add``: those of them through which silent KMS hosts are
    reached.  ``will_reach``: what the operator agreed to opens a path to the KMS
    hosts.
    """

    name_servers: tuple[str, ...]
    missing_routes: tuple[MissingRoute, ...]
    routes_to_add: tuple[MissingRoute, ...]
    will_reach: bool


def network_of(facts: Facts, ctx: Context, system: SystemState, kms: KmsState) -> NetworkState:
    """The name servers and routes that a server lacks."""
    agreed = ctx.policy.consent
    wanted = _name_servers(facts, ctx.knowledge.profile, system, kms)
    may_reach = bool(kms.reached or kms.unclear)
    missing = _missing_routes(facts, ctx.knowledge.profile, may_reach=may_reach)
    silent = bool(missing) and kms.all_are(*SILENT)
    routes = tuple(route for route in missing if route.gateway) if silent else ()
    by_name = "add-dns" in agreed and bool(wanted)
    return NetworkState(
        name_servers=wanted,
        missing_routes=missing,
        routes_to_add=routes,
        will_reach=by_name or ("add-route" in agreed and bool(routes)),
    )


def _name_servers(
    facts: Facts, profile: Profile, system: SystemState, kms: KmsState
) -> tuple[str, ...]:
    """Outside of a domain they are asked first, because the first one's "no" is final.

    In a domain the domain's own stay in front, so that there they would help nothing.
    """
    present, wanted = value_of(facts.dns), profile.dns
    if present is None or set(present) & set(wanted) or system.role != "standalone":
        return ()
    return wanted if kms.all_are("unresolved") else ()


def _missing_routes(facts: Facts, profile: Profile, *, may_reach: bool) -> tuple[MissingRoute, ...]:
    """Without those of a family whose routes could not be read, or that the server lacks."""
    routes, own = value_of(facts.routes) or (), value_of(facts.addresses) or ()
    dead = frozenset() if may_reach else _dead_gateways(routes, own)
    return tuple(
        MissingRoute(rule, _next_hop(rule, facts, routes), _dead_hops(rule, routes, dead))
        for rule in profile.routes
        if not (rule.when == "unreachable" and may_reach)
        and (there := _routes_of_its_family(rule, facts)) is not None
        and not any(may_reach or _leads(route, rule, dead) for route in _closest(there, rule))
    )


def _routes_of_its_family(rule: RouteRule, facts: Facts) -> tuple[Route, ...] | None:
    """``None``: not known, or the server has no address of this family, IPv4 or IPv6."""
    v6, own = ":" in rule.destination, value_of(facts.addresses) or ()
    if own and not any((":" in address) == v6 for address in own):
        return None
    return value_of(facts.routes6 if v6 else facts.routes)


def _closest(routes: tuple[Route, ...], rule: RouteRule) -> list[Route]:
    """Of the routes that cover the rule those to the smallest network: Windows takes these."""
    covering = [route for route in routes if _covers(route, rule)]
    sizes = [net.prefixlen if (net := _net(route)) else 0 for route in covering]
    closest = zip(covering, sizes, strict=True)
    return [route for route, size in closest if size == max(sizes)]


def _dead_gateways(routes: tuple[Route, ...], own: tuple[str, ...]) -> frozenset[str]:
    """Gateways that are in none of the server's networks, as an image that moved brings them.

    None where the default route's gateway is not in one either: such a network
    works by other rules.
    """
    links = [net for route in routes if route.next_hop in (ON_LINK, *own) and (net := _net(route))]
    lost = {
        route.next_hop
        for route in routes
        if (hop := _address(route.next_hop)) and not any(hop in link for link in links)
    }
    lost -= {ON_LINK, *own}
    default = {route.next_hop for route in routes if route.destination == _ANY}
    return frozenset() if default <= lost else frozenset(lost)


def _dead_hops(rule: RouteRule, routes: tuple[Route, ...], dead: frozenset[str]) -> tuple[str, ...]:
    to = (rule.destination, rule.mask)
    found = (r.next_hop for r in routes if (r.destination, r.mask) == to and r.next_hop in dead)
    return tuple(dict.fromkeys(found))


def _leads(route: Route, rule: RouteRule, dead: frozenset[str]) -> bool:
    """Whether a route that covers the rule can lead to the provider.

    Not by a dead gateway, nor by the link of an adapter that gave itself an address.
    """
    given_itself = (route.destination, route.mask) == ("169.254.0.0", "255.255.0.0")
    on_link = given_itself and route.next_hop == ON_LINK and rule.via == "gateway"
    return route.next_hop not in dead and not on_link


def _next_hop(rule: RouteRule, facts: Facts, routes: tuple[Route, ...]) -> str:
    """The gateway of a route to add; ``""`` when it is not known."""
    if ":" in rule.destination:
        return ""  # on the link; routes of IPv6 are never added
    if rule.via == "self":
        return own_ipv4(facts)
    hops = [route.next_hop for route in routes if route.destination == _ANY]
    dead = _dead_gateways(routes, value_of(facts.addresses) or ())
    return next((hop for hop in hops if hop not in dead), "")


def own_ipv4(facts: Facts) -> str:
    """The first of the server's own addresses, by which routes with ``via = "self"`` go."""
    own = value_of(facts.addresses) or ()
    return next((address for address in own if ":" not in address), "")


def _covers(route: Route, rule: RouteRule) -> bool:
    """Whether a route of the server covers what the rule needs; a default route does not."""
    if route.destination in (_ANY, "::"):
        return False
    wanted, there = _net(rule), _net(route)
    if wanted is None or there is None:
        return route.destination == rule.destination
    # Of one family: both have numbers of one length.
    return there.max_prefixlen == wanted.max_prefixlen and (
        there.prefixlen <= wanted.prefixlen and wanted.network_address in there
    )


def _net(route: Route | RouteRule) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(f"{route.destination}/{route.mask}", strict=False)
    except ValueError:
        return None


def _address(text: str) -> ipaddress.IPv4Address | None:
    try:
        return ipaddress.IPv4Address(text)
    except ValueError:
        return None
