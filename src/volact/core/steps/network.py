"""Steps that add name servers and routes, and the two settings that they change."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal

from msgspec.structs import replace

from volact.core import shell
from volact.core.assessment import Assessment, assess
from volact.core.assessment.network import ON_LINK, own_ipv4
from volact.core.console import set_name_servers
from volact.core.context import Context
from volact.core.steps.kind import Changes, Stage, plan_kind, undo_kind
from volact.core.steps.params import StepParams
from volact.core.steps.setting import (
    MISSING,
    Reading,
    Reversal,
    Setting,
    SettingKey,
    StepValues,
    known_value,
    reported,
)
from volact.model.fact import NOT_ASKED, Fact, Known, value_of
from volact.model.facts import Adapter, Facts, Route
from volact.model.text import Text, say

_ADDRESS = re.compile(r"[0-9A-Fa-f.:]{2,45}(?:%[0-9]{1,10})?")
_CONNECTED = 0x80072EFE  # a KMS host's answer to an HTTP request


class AddDns(StepParams, frozen=True, kw_only=True):
    """The name servers to add, before or behind those that are set."""

    servers: tuple[str, ...]
    position: Literal["first", "last"]

    def beside(self, present: tuple[str, ...]) -> tuple[str, ...]:
        """The name servers of an adapter that asked these before."""
        others = tuple(server for server in present if server not in self.servers)
        first = self.position == "first"
        return (*self.servers, *others) if first else (*others, *self.servers)


class RouteParams(StepParams, frozen=True, kw_only=True):
    """An IPv4 route."""

    destination: str
    mask: str
    gateway: str


class AddRoute(RouteParams, frozen=True, kw_only=True):
    """The route that is to exist, in the place of those by ``dead`` gateways."""

    dead: tuple[str, ...] = ()


class RemoveRoute(RouteParams, frozen=True, kw_only=True):
    """The route that is to go."""


class RestoreDns(StepParams, frozen=True, kw_only=True):
    """The name servers of one adapter to put back; ``None``: those of DHCP."""

    adapter: str
    expect: tuple[tuple[str, ...], ...]
    servers: tuple[str, ...] | None


def _commands_for_dns(params: AddDns, a: Assessment) -> Iterator[str]:
    """One line for each adapter with a gateway; before 2012 PowerShell has no such cmdlet."""
    adapters = {} if a.system.before_2012 else a.facts.adapters
    for index, fact in adapters.items():
        adapter = value_of(fact)
        if adapter is not None and index.isdecimal():
            yield set_name_servers(index, params.beside(_addresses(adapter.dns)))
    if not adapters:
        yield shell.set_name_servers(params.beside(_addresses(value_of(a.facts.dns))))


def _addresses(present: tuple[str, ...] | None) -> tuple[str, ...]:
    """Those that may stand in a command."""
    return tuple(one for one in present or () if _ADDRESS.fullmatch(one))


def _commands_for_route(params: AddRoute, a: Assessment) -> Iterator[str]:
    for hop in filter(_ADDRESS.fullmatch, params.dead):
        yield shell.delete_route(params.destination, params.mask, hop)
    if _ADDRESS.fullmatch(params.gateway):
        yield shell.add_route(params.destination, params.mask, params.gateway)


def _previous_of_adapter(params: RestoreDns, facts: Facts) -> StepValues:
    every = _all_servers(facts)
    return {params.adapter: every[params.adapter]} if params.adapter in every else {}


def _all_servers(facts: Facts) -> StepValues:
    values: StepValues = {}
    for index, adapter in facts.adapters.items():
        if isinstance(adapter, Known):
            one = adapter.value
            values[index] = {"dns": list(one.dns), "dhcp": one.dhcp, "fixed": one.fixed}
        else:
            values.update(reported(**{index: adapter}))
    return values


def _previous_route(params: RouteParams, facts: Facts) -> StepValues:
    hops = reported(hops=_hops(facts, params.destination, params.mask, params.gateway))
    return {"destination": params.destination, "mask": params.mask, **hops}


def _hops(facts: Facts, destination: str, mask: str, gateway: str) -> Fact[str]:
    """The next hops to a network, with blanks between them."""
    if not isinstance(facts.routes, Known):
        return facts.routes
    to, shown = (destination, mask), _shown(facts, gateway)
    hops = (r.next_hop for r in facts.routes.value if (r.destination, r.mask) == to)
    return Known(" ".join(gateway if hop in shown else hop for hop in hops))


def _shown(facts: Facts, gateway: str) -> tuple[str, ...]:
    """As what the table shows a gateway: one that is an own address also as on the link."""
    own = value_of(facts.addresses) or ()
    return (gateway, ON_LINK) if gateway in own else (gateway,)


def _hops_now(facts: Facts, key: SettingKey) -> Fact[str]:
    return _hops(facts, key[1], key[2], own_ipv4(facts))


def _promise_dns(params: AddDns, facts: Facts, ctx: Context) -> Facts:
    """In front of the others they resolve the names; behind them that is not certain."""
    servers = params.beside(value_of(facts.dns) or ())
    adapters = {name: _asking_too(adapter, params) for name, adapter in facts.adapters.items()}
    facts = replace(facts, dns=Known(servers), adapters=adapters)
    return _reached(facts, ctx) if params.position == "first" else facts


def _asking_too(adapter: Fact[Adapter], params: AddDns) -> Fact[Adapter]:
    if not isinstance(adapter, Known):
        return adapter
    return Known(Adapter(params.beside(adapter.value.dns), adapter.value.dhcp, True))


def _promise_route(params: AddRoute, facts: Facts, ctx: Context) -> Facts:
    route = Route(params.destination, params.mask, params.gateway)
    kept = (
        there
        for there in value_of(facts.routes) or ()
        if (there.destination, there.mask) != (params.destination, params.mask)
        or there.next_hop not in params.dead
    )
    facts = replace(facts, routes=Known((*kept, route)))
    return _reached(facts, ctx)


def _reached(facts: Facts, ctx: Context) -> Facts:
    answers = {str(host): Known(_CONNECTED) for host in assess(facts, ctx).kms.accepted}
    tries = {host: found for host, found in facts.reached.items() if host not in answers}
    return replace(facts, reach={**facts.reach, **answers}, reached=tries)


def _promise_dns_back(params: RestoreDns, facts: Facts, ctx: Context) -> Facts:
    """The name servers that DHCP gives are not known beforehand."""
    adapter = value_of(facts.adapters[params.adapter])
    dhcp = adapter.dhcp if adapter else True
    own = Known(Adapter(params.servers or (), dhcp, params.servers is not None))
    return replace(facts, adapters={**facts.adapters, params.adapter: own})


def _promise_no_route(params: RemoveRoute, facts: Facts, ctx: Context) -> Facts:
    to, shown = (params.destination, params.mask), _shown(facts, params.gateway)
    kept = tuple(
        route
        for route in value_of(facts.routes) or ()
        if (route.destination, route.mask) != to or route.next_hop not in shown
    )
    return replace(facts, routes=Known(kept))


def _read_servers(params: AddDns | RestoreDns, values: StepValues) -> Iterator[Reading]:
    for index, one in values.items():
        key = ("dns", index)
        if isinstance(one, dict) and "!" not in one and isinstance(one.get("dns"), list):
            value = {"dns": one["dns"], "fixed": one.get("fixed")}
            promise = _servers_promised(params, one["dns"])
            yield Reading(key=key, value=value, promise=(promise,), part=one)
        else:
            yield Reading(key=key, value=MISSING, promise=(), part={})


def _servers_promised(params: AddDns | RestoreDns, present: list[str]) -> StepValues:
    if isinstance(params, AddDns):
        return {"dns": list(params.beside(tuple(present))), "fixed": True}
    return {"dns": list(params.servers or ()), "fixed": params.servers is not None}


def _read_route(params: RouteParams, values: StepValues) -> Iterator[Reading]:
    """A route by a dead gateway is as good as none, and is not put back."""
    hops = known_value(values, "hops")
    if isinstance(params, AddRoute) and isinstance(hops, str):
        hops = " ".join(hop for hop in hops.split() if hop not in params.dead)
    promise = hops or params.gateway if isinstance(params, AddRoute) else ""
    yield Reading(key=("route", params.destination, params.mask), value=hops, promise=(promise,))


def _servers_now(facts: Facts, key: SettingKey) -> Fact[Any]:
    adapter = facts.adapters.get(key[1], NOT_ASKED)
    if not isinstance(adapter, Known):
        return adapter
    return Known({"dns": list(adapter.value.dns), "fixed": adapter.value.fixed})


def _same_servers(one: Any, other: Any) -> bool:
    """Where DHCP sets the name servers, which ones they are does not matter."""
    if one.get("fixed") is False:
        return other.get("fixed") is False
    return bool(other.get("fixed") is not False and one.get("dns") == other.get("dns"))


def _restore_servers(reversal: Reversal) -> RestoreDns:
    servers = tuple(reversal.before["dns"]) if reversal.before["fixed"] else None
    return RestoreDns(
        adapter=reversal.key[1], expect=(tuple(reversal.now["dns"]),), servers=servers
    )


def _servers_forbidden(facts: Facts, reversal: Reversal) -> Text | None:
    if not isinstance(reversal.before.get("fixed"), bool):
        return say("it is not known whether the DNS servers came from DHCP")
    return None


def _restore_route(reversal: Reversal) -> AddRoute | RemoveRoute:
    _, destination, mask = reversal.key
    if reversal.before == "":
        return RemoveRoute(destination=destination, mask=mask, gateway=reversal.now)
    return AddRoute(destination=destination, mask=mask, gateway=reversal.before)


def _route_forbidden(facts: Facts, reversal: Reversal) -> Text | None:
    if " " in (reversal.before or "") or " " in (reversal.now or ""):
        return say("there are several routes to that network")
    return None


NAME_SERVERS = Setting(
    name="dns",
    title=say("DNS servers of adapter"),
    now=_servers_now,
    restore=_restore_servers,
    same=_same_servers,
    forbidden=_servers_forbidden,
)
ROUTE = Setting(
    name="route",
    title=say("route to"),
    now=_hops_now,
    restore=_restore_route,
    forbidden=_route_forbidden,
)
ADD_DNS = plan_kind(
    name="add-dns",
    params=AddDns,
    label=say("add the provider's DNS servers"),
    agent_parts=("network", "network_steps"),
    stage=Stage.NAME_SERVERS,
    needs_consent=True,
    activation_needs_it=True,
    restarts=0,
    commands=_commands_for_dns,
    previous=lambda params, facts: _all_servers(facts),
    promise=_promise_dns,
    changes=Changes(setting=NAME_SERVERS, read=_read_servers, answer_tells=True),
    stays=None,
)
ADD_ROUTE = plan_kind(
    name="add-route",
    params=AddRoute,
    label=say("add the route to the provider's services"),
    agent_parts=("network", "network_steps"),
    stage=Stage.ROUTE,
    needs_consent=True,
    activation_needs_it=True,
    restarts=0,
    commands=_commands_for_route,
    previous=_previous_route,
    promise=_promise_route,
    changes=Changes(setting=ROUTE, read=_read_route, answer_tells=True),
    stays=None,
)
RESTORE_DNS = undo_kind(
    name="restore-dns",
    params=RestoreDns,
    agent_parts=("network", "back_network"),
    restarts=0,
    previous=_previous_of_adapter,
    promise=_promise_dns_back,
    changes=Changes(setting=NAME_SERVERS, read=_read_servers, answer_tells=True),
    undo_consent=None,
)
REMOVE_ROUTE = undo_kind(
    name="remove-route",
    params=RemoveRoute,
    agent_parts=("network", "back_network"),
    restarts=0,
    previous=_previous_route,
    promise=_promise_no_route,
    changes=Changes(setting=ROUTE, read=_read_route, answer_tells=True),
    undo_consent=None,
)
