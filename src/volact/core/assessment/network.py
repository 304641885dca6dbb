"""What is missing between a server and the provider: name servers and routes.

Whether the operator agreed to add them is decided in ``consent``; here it is
whether adding them is what is missing.  Nothing rests on a fact that could not
be read.
"""

from __future__ import annotations

import ipaddress
from typing import Literal

import msgspec

from volact.core.assessment.kms import KmsState
from volact.core.assessment.system import SystemState
from volact.core.context import Context
from volact.model.fact import value_of
from volact.model.facts import Facts, Route
from volact.model.profile import Profile, RouteRule

_ANY = "0.0.0.0"  # noqa: S104 - the destination of a default route, nothing is bound


class NameServers(msgspec.Struct, frozen=True):
    """The provider's name servers, and where among the present ones they belong."""

    servers: tuple[str, ...]
    position: Literal["first", "last"]


class MissingRoute(msgspec.Struct, frozen=True):
    """A route of the provider that the server lacks; ``gateway`` is ``""`` when not known."""

    rule: RouteRule
    gateway: str


class NetworkState(msgspec.Struct, frozen=True, kw_only=True):
    """What to add.

    ``name_servers``: where names do not resolve for want of these servers.
    ``missing_routes``: the provider's routes that are not there, where that
    matters.  ``routes_to_add``: those of them through which silent KMS hosts are
    reached.  ``will_reach``: what the operator agreed to opens a path to the KMS
    hosts.
    """

    name_servers: NameServers | None
    missing_routes: tuple[MissingRoute, ...]
    routes_to_add: tuple[MissingRoute, ...]
    will_reach: bool


def network_of(facts: Facts, ctx: Context, system: SystemState, kms: KmsState) -> NetworkState:
    """The name servers and routes that a server lacks."""
    agreed = ctx.policy.consent
    wanted = _name_servers(facts, ctx.knowledge.profile, system, kms)
    may_reach = bool(kms.reached or kms.unclear)
    missing = _missing_routes(facts, ctx.knowledge.profile, may_reach=may_reach)
    silent = bool(missing) and kms.all_are("timeout")
    routes = tuple(route for route in missing if route.gateway) if silent else ()
    by_name = "add-dns" in agreed and wanted is not None and wanted.position == "first"
    return NetworkState(
        name_servers=wanted,
        missing_routes=missing,
        routes_to_add=routes,
        will_reach=by_name or ("add-route" in agreed and bool(routes)),
    )


def _name_servers(
    facts: Facts, profile: Profile, system: SystemState, kms: KmsState
) -> NameServers | None:
    """Outside of a domain they are asked first, because the first one's "no" is
    final; in a domain the domain's own stay in front."""
    present, wanted, role = value_of(facts.dns), profile.dns, system.role
    if not wanted or present is None or set(present) & set(wanted):
        return None
    if role not in ("standalone", "member") or not kms.all_are("unresolved"):
        return None
    return NameServers(wanted, "first" if role == "standalone" else "last")


def _missing_routes(facts: Facts, profile: Profile, *, may_reach: bool) -> tuple[MissingRoute, ...]:
    """() when the routes could not be read."""
    routes = value_of(facts.routes)
    if routes is None:
        return ()
    return tuple(
        MissingRoute(rule, _next_hop(rule, facts, routes))
        for rule in profile.routes
        if not (rule.when == "unreachable" and may_reach)
        and not any(_covers(route, rule) for route in routes)
    )


def _next_hop(rule: RouteRule, facts: Facts, routes: tuple[Route, ...]) -> str:
    """The gateway of a route to add; ``""`` when it is not known."""
    if rule.via == "self":
        own = value_of(facts.addresses) or ()
        return next((address for address in own if ":" not in address), "")
    return next((route.next_hop for route in routes if route.destination == _ANY), "")


def _covers(route: Route, rule: RouteRule) -> bool:
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
