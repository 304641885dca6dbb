"""Repair steps that findings of several topics share, and whether they need consent.

The steps for findings of one topic only are beside their rules.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from volact.core.assessment import Assessment
from volact.core.consent import repair_with
from volact.core.steps.keys import InstallKey
from volact.core.steps.kms_hosts import SetKmsHost
from volact.core.steps.network import ADD_DNS, ADD_ROUTE, AddDns, AddRoute
from volact.core.steps.params import StepParams
from volact.core.steps.services import StartService
from volact.core.steps.time_source import SetTimeSource
from volact.model.fact import is_known, is_unreadable, value_of
from volact.model.finding import Repair

_RUNNING = ("Running", "Start Pending")


def start_service(a: Assessment, name: str) -> Iterator[StepParams]:
    """Start a service that is known to be there and not to run."""
    service = a.services.get(name)
    if service and service.state not in _RUNNING:
        yield StartService(name=name)


def name_time_source(a: Assessment, *, unless_provided: bool) -> Iterator[StepParams]:
    """Never against group policy, and not where the provider's servers are set already."""
    time, peers = a.facts.time, a.ctx.knowledge.profile.ntp
    policy = (time.policy_type, time.policy_peers)
    unread = any(is_unreadable(fact) for fact in (time.type, time.peers, *policy))
    if not peers or unread or any(map(is_known, policy)):
        return
    current = (value_of(time.peers) or "").lower()
    provided = value_of(time.type) == "NTP" and any(peer in current for peer in peers)
    if not (unless_provided and provided):
        yield SetTimeSource(peers=(peers[0],))


def add_name_servers(a: Assessment) -> Iterator[StepParams]:
    """Add the provider's name servers."""
    if a.network.name_servers:
        yield AddDns(servers=a.network.name_servers, position="first")


def add_routes(a: Assessment) -> Iterator[StepParams]:
    """The routes to the provider's services."""
    for route in a.network.routes_to_add:
        rule, dead = route.rule, route.dead
        yield AddRoute(
            destination=rule.destination, mask=rule.mask, gateway=route.gateway, dead=dead
        )


def set_kms_host(a: Assessment) -> Iterator[StepParams]:
    """Point the server at the provider, where it reaches one of its hosts or may reach one."""
    certain = certain_reach(a)
    if certain or a.kms.on_trial:
        hosts = tuple(str(host) for host in a.kms.accepted)
        yield SetKmsHost(layer="service", hosts=hosts, unproven=not certain)


def certain_reach(a: Assessment) -> bool:
    """Whether one of the provider's hosts is reached, or will be after other steps."""
    return bool(a.kms.reached) or a.network.will_reach


def client_key(a: Assessment, *, replace: bool) -> Iterator[StepParams]:
    """The published client key, where one is known for this edition."""
    edition, build, sku = a.system.published_key, a.system.build, a.system.sku
    if edition is not None:
        yield InstallKey(keys={f"{build}/{sku}": edition.gvlk}, replace=replace)


replace_key = partial(client_key, replace=True)


def by_name_servers(a: Assessment) -> Repair:
    """Adding the provider's name servers, where that is what is missing."""
    return repair_with(ADD_DNS.name, a.ctx) if a.network.name_servers else "manual"


def by_routes(a: Assessment) -> Repair:
    """Adding the provider's routes, where those are what is missing."""
    wanted = a.network.routes_to_add
    return repair_with(ADD_ROUTE.name, a.ctx) if wanted else "manual"
