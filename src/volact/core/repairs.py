"""The steps that mend a finding, by finding id.

Only the repair itself: whether it is wanted, allowed and in which order is
``plan``'s business.  A repair that rests on a fact that is not known yields
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from volact.core.assessment import Assessment
from volact.core.sddl import NETWORK_SERVICE
from volact.core.steps.clock import RestoreTimeLimits, SyncClock
from volact.core.steps.keys import InstallKey
from volact.core.steps.kind import StepParams
from volact.core.steps.kms_hosts import ClearKmsHost, SetKmsHost
from volact.core.steps.last_resorts import Rearm, RebuildTokenStore
from volact.core.steps.network import AddDns, AddRoute
from volact.core.steps.program import GrantExecute, RemoveDebugger
from volact.core.steps.services import DEFAULT_START, EnableService, StartService
from volact.core.steps.time_source import SetTimeSource, SetTimeTrigger
from volact.model.fact import Known, is_known, is_unreadable, value_of

Repair = Callable[[Assessment], Iterator[StepParams]]

SYNC_WITHIN_S = 60  # closer than this to the reference needs no correction
_RUNNING = ("Running", "Start Pending")


def enable_services(a: Assessment) -> Iterator[StepParams]:
    """Give disabled services their start mode back and start them."""
    for name in a.service.disabled:
        yield EnableService(name=name, start=DEFAULT_START[name])
        yield from _start(a, name)


def start_licensing(a: Assessment) -> Iterator[StepParams]:
    """Start the licensing service."""
    yield from _start(a, a.system.licensing_service)


def start_notification(a: Assessment) -> Iterator[StepParams]:
    """Start the notification service of Server 2008 and 2008 R2."""
    name = a.system.notification_service
    service = a.find_service(name)
    if service and service.start == "Disabled":
        yield EnableService(name=name, start=DEFAULT_START[name])
    yield from _start(a, name)


def let_program_run(a: Assessment) -> Iterator[StepParams]:
    """Let the licensing program be executed, and start it where it is down."""
    why = a.service.obstacle
    if why == "acl":
        yield GrantExecute(sid=NETWORK_SERVICE, deny=a.service.access.deny)
    elif why == "debugger":
        yield RemoveDebugger(debugger=value_of(a.facts.binary.debugger) or "")
        if a.service.access.access in ("denied", "missing"):
            yield GrantExecute(sid=NETWORK_SERVICE, deny=a.service.access.deny)
    else:
        return
    service = a.service.service
    if service and service.start != "Disabled" and a.service.silent:
        yield from _start(a, a.system.licensing_service)


def set_clock(a: Assessment) -> Iterator[StepParams]:
    """Bring the clock back, from the provider's time servers."""
    service, skew = a.find_service("W32Time"), a.clock.skew_s
    if skew is None:
        return
    if service and service.start != "Disabled":
        yield from _start(a, "W32Time")
    yield from _time_source(a, unless_provided=True)
    raise_limits = a.clock.beyond_limit == "local"
    yield SyncClock(within_s=SYNC_WITHIN_S, raise_limits=raise_limits)


def run_time_service(a: Assessment) -> Iterator[StepParams]:
    """Let the Windows Time service run again."""
    service = a.find_service("W32Time")
    if service and service.start == "Disabled":
        yield EnableService(name="W32Time", start=DEFAULT_START["W32Time"])
    triggers = a.facts.time.triggers
    if isinstance(triggers, Known) and _stops_by_itself(triggers.value):
        yield SetTimeTrigger()
    yield from _start(a, "W32Time")


def restore_time_limits(a: Assessment) -> Iterator[StepParams]:
    """Put back phase limits that a run which was cut off has left raised."""
    if is_known(a.facts.time.saved):
        yield RestoreTimeLimits()


def add_name_servers(a: Assessment) -> Iterator[StepParams]:
    """Ask the provider's name servers, too."""
    wanted = a.network.name_servers
    if wanted:
        yield AddDns(servers=wanted.servers, position=wanted.position)


def add_routes(a: Assessment) -> Iterator[StepParams]:
    """The routes to the provider's services."""
    for route in a.network.routes_to_add:
        rule = route.rule
        yield AddRoute(destination=rule.destination, mask=rule.mask, gateway=route.gateway)


def reach_kms(a: Assessment) -> Iterator[StepParams]:
    """Another of the provider's hosts where one is reached, else the way to them."""
    if a.kms.reached:
        yield from set_kms_host(a)
    else:
        yield from add_routes(a)


def rebuild_store(a: Assessment) -> Iterator[StepParams]:
    """Have the licence store made anew."""
    yield RebuildTokenStore()


def rearm(a: Assessment) -> Iterator[StepParams]:
    """A machine ID of its own, where more than one rearm is left."""
    if (value_of(a.facts.licensing.rearm) or 0) > 1:
        yield Rearm()


def give_time_source(a: Assessment) -> Iterator[StepParams]:
    """Name the provider's time servers."""
    yield from _time_source(a, unless_provided=False)


def install_key(a: Assessment) -> Iterator[StepParams]:
    """Install the published client key where there is none."""
    yield from _key(a, replace=False)


def replace_key(a: Assessment) -> Iterator[StepParams]:
    """Install the published client key over another one."""
    yield from _key(a, replace=True)


def set_kms_host(a: Assessment) -> Iterator[StepParams]:
    """Point the server at the provider, where it reaches one of its hosts."""
    if a.kms.reached or a.network.will_reach:
        hosts = tuple(str(host) for host in a.kms.accepted)
        yield SetKmsHost(layer="service", hosts=hosts)


def clear_overrides(a: Assessment) -> Iterator[StepParams]:
    """Take away products' own KMS hosts that are not the provider's."""
    if not (a.kms.reached or a.network.will_reach):
        return
    for product in a.licence.clients:
        own, id = product.own_kms, value_of(product.facts.id)
        if isinstance(own, Known) and id and not a.kms.is_accepted(own.value.host):
            yield ClearKmsHost(layer="product", product=id)


REPAIRS: dict[str, Repair] = {
    "service-disabled": enable_services,
    "service-stopped": start_licensing,
    "spp-notification-stopped": start_notification,
    "licensing-binary-blocked": let_program_run,
    "clock-skew": set_clock,
    "time-service-off": run_time_service,
    "time-source-missing": give_time_source,
    "key-missing": install_key,
    "key-wrong-channel": replace_key,
    "key-avma": replace_key,
    "key-wrong-edition": replace_key,
    "kms-host-wrong": set_kms_host,
    "kms-port-wrong": set_kms_host,
    "kms-unreachable": reach_kms,
    "kms-name-unresolved": add_name_servers,
    "dns-not-provider": add_name_servers,
    "provider-route-missing": add_routes,
    "time-limits-raised": restore_time_limits,
    "token-store-damaged": rebuild_store,
    "duplicate-cmid": rearm,
    "kms-host-per-product-override": clear_overrides,
}


def _stops_by_itself(triggers: str) -> bool:
    """Type 3 is joining a domain: outside of one that stops the service; 2/1 is the network."""
    return "3/1" in triggers.split() and "2/1" not in triggers.split()


def _start(a: Assessment, name: str) -> Iterator[StepParams]:
    """Start a service that is known to be there and not to run."""
    service = a.find_service(name)
    if service and service.state not in _RUNNING:
        yield StartService(name=name)


def _time_source(a: Assessment, *, unless_provided: bool) -> Iterator[StepParams]:
    """Never against group policy, and not where the provider's servers are set already."""
    time, peers = a.facts.time, a.ctx.knowledge.profile.ntp
    unread = any(is_unreadable(fact) for fact in (time.type, time.peers, time.policy_type))
    if not peers or unread or is_known(time.policy_type) or is_known(time.policy_peers):
        return
    current = (value_of(time.peers) or "").lower()
    provided = value_of(time.type) == "NTP" and any(peer in current for peer in peers)
    if not (unless_provided and provided):
        yield SetTimeSource(peers=(peers[0],))


def _key(a: Assessment, *, replace: bool) -> Iterator[StepParams]:
    edition, build, sku = a.system.published_key, a.system.build, a.system.sku
    if edition is not None:
        yield InstallKey(keys={f"{build}/{sku}": edition.gvlk}, replace=replace)
