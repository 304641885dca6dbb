"""The steps that mend a finding, by finding id.

Only the repair itself: whether it is wanted, allowed and in which order is
``plan``'s business.  A repair that rests on a fact that is not known yields
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from volact.core.clock import beyond_limit, skew_s
from volact.core.context import Context
from volact.core.diagnose.binary import blocked_by, execute_verdict
from volact.core.diagnose.case import Case
from volact.core.diagnose.services import notification_service, service_disabled
from volact.core.kms import accepted_hosts, is_accepted, product_setting, reachable_hosts
from volact.core.licensing import kms_clients, licensing_silent
from volact.core.release import gvlk_for, licensing_service
from volact.core.sddl import NETWORK_SERVICE
from volact.core.steps.clock import RestoreTimeLimits, SyncClock
from volact.core.steps.keys import InstallKey
from volact.core.steps.kind import StepParams
from volact.core.steps.kms_hosts import ClearKmsHost, SetKmsHost
from volact.core.steps.last_resorts import Rearm, RebuildTokenStore
from volact.core.steps.program import GrantExecute, RemoveDebugger
from volact.core.steps.services import DEFAULT_START, EnableService, StartService
from volact.core.steps.time_source import SetTimeSource, SetTimeTrigger
from volact.core.ways import routes_to_add, servers_to_add, will_reach
from volact.model.fact import ABSENT, Known, is_known, is_unreadable, value_of
from volact.model.facts import Facts, ServiceFact

Repair = Callable[[Facts, Context], Iterator[StepParams]]

SYNC_WITHIN_S = 60  # closer than this to the reference needs no correction
_RUNNING = ("Running", "Start Pending")


def enable_services(facts: Facts, ctx: Context) -> Iterator[StepParams]:
    """Give disabled services their start mode back and start them."""
    finding = service_disabled(Case(facts, ctx))
    for name in finding.evidence["services"] if finding else ():
        yield EnableService(name=name, start=DEFAULT_START[name])
        yield from _start(facts, name)


def start_licensing(facts: Facts, ctx: Context) -> Iterator[StepParams]:
    """Start the licensing service."""
    yield from _start(facts, licensing_service(facts.os))


def start_notification(facts: Facts, ctx: Context) -> Iterator[StepParams]:
    """Start the notification service of Server 2008 and 2008 R2."""
    name = notification_service(Case(facts, ctx))
    service = _service(facts, name)
    if service and service.start == "Disabled":
        yield EnableService(name=name, start=DEFAULT_START[name])
    yield from _start(facts, name)


def let_program_run(facts: Facts, ctx: Context) -> Iterator[StepParams]:
    """Let the licensing program be executed, and start it where it is down."""
    why = blocked_by(facts)
    if why == "acl":
        yield GrantExecute(sid=NETWORK_SERVICE, deny=execute_verdict(facts).deny)
    elif why == "debugger":
        yield RemoveDebugger(debugger=value_of(facts.binary.debugger) or "")
        if execute_verdict(facts).access in ("denied", "missing"):
            yield GrantExecute(sid=NETWORK_SERVICE, deny=execute_verdict(facts).deny)
    else:
        return
    service = _service(facts, licensing_service(facts.os))
    if service and service.start != "Disabled" and licensing_silent(facts):
        yield from _start(facts, licensing_service(facts.os))


def set_clock(facts: Facts, ctx: Context) -> Iterator[StepParams]:
    """Bring the clock back, from the provider's time servers."""
    service, skew = _service(facts, "W32Time"), skew_s(facts)
    if skew is None:
        return
    if service and service.start != "Disabled":
        yield from _start(facts, "W32Time")
    yield from _time_source(facts, ctx, unless_provided=True)
    raise_limits = beyond_limit(facts, skew) == "local"
    yield SyncClock(within_s=SYNC_WITHIN_S, raise_limits=raise_limits)


def run_time_service(facts: Facts, ctx: Context) -> Iterator[StepParams]:
    """Let the Windows Time service run again."""
    service = _service(facts, "W32Time")
    if service and service.start == "Disabled":
        yield EnableService(name="W32Time", start=DEFAULT_START["W32Time"])
    triggers = facts.time.triggers
    if isinstance(triggers, Known) and _stops_by_itself(triggers.value):
        yield SetTimeTrigger()
    yield from _start(facts, "W32Time")


def restore_time_limits(facts: Facts, ctx: Context) -> Iterator[StepParams]:
    """Put back phase limits that a run which was cut off has left raised."""
    if is_known(facts.time.saved):
        yield RestoreTimeLimits()


def add_name_servers(facts: Facts, ctx: Context) -> Iterator[StepParams]:
    """Ask the provider's name servers, too."""
    wanted = servers_to_add(facts, ctx)
    if wanted:
        yield wanted


def add_routes(facts: Facts, ctx: Context) -> Iterator[StepParams]:
    """The routes to the provider's services."""
    yield from routes_to_add(facts, ctx)


def reach_kms(facts: Facts, ctx: Context) -> Iterator[StepParams]:
    """Another of the provider's hosts where one is reached, else the way to them."""
    if reachable_hosts(facts, ctx):
        yield from set_kms_host(facts, ctx)
    else:
        yield from add_routes(facts, ctx)


def rebuild_store(facts: Facts, ctx: Context) -> Iterator[StepParams]:
    """Have the licence store made anew."""
    yield RebuildTokenStore()


def rearm(facts: Facts, ctx: Context) -> Iterator[StepParams]:
    """A machine ID of its own, where more than one rearm is left."""
    if (value_of(facts.licensing.rearm) or 0) > 1:
        yield Rearm()


def give_time_source(facts: Facts, ctx: Context) -> Iterator[StepParams]:
    """Name the provider's time servers."""
    yield from _time_source(facts, ctx, unless_provided=False)


def install_key(facts: Facts, ctx: Context) -> Iterator[StepParams]:
    """Install the published client key where there is none."""
    yield from _key(facts, ctx, replace=False)


def replace_key(facts: Facts, ctx: Context) -> Iterator[StepParams]:
    """Install the published client key over another one."""
    yield from _key(facts, ctx, replace=True)


def set_kms_host(facts: Facts, ctx: Context) -> Iterator[StepParams]:
    """Point the server at the provider, where it reaches one of its hosts."""
    if reachable_hosts(facts, ctx) or will_reach(facts, ctx):
        hosts = tuple(str(host) for host in accepted_hosts(facts, ctx))
        yield SetKmsHost(layer="service", hosts=hosts)


def clear_overrides(facts: Facts, ctx: Context) -> Iterator[StepParams]:
    """Take away products' own KMS hosts that are not the provider's."""
    if not (reachable_hosts(facts, ctx) or will_reach(facts, ctx)):
        return
    for product in kms_clients(facts):
        own, id = product_setting(facts, product), value_of(product.id)
        if isinstance(own, Known) and id and not is_accepted(own.value.host, facts, ctx):
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


def _start(facts: Facts, name: str) -> Iterator[StepParams]:
    """Start a service that is known to be there and not to run."""
    service = _service(facts, name)
    if service and service.state not in _RUNNING:
        yield StartService(name=name)


def _service(facts: Facts, name: str) -> ServiceFact | None:
    return value_of(facts.services.get(name, ABSENT))


def _time_source(facts: Facts, ctx: Context, *, unless_provided: bool) -> Iterator[StepParams]:
    """Never against group policy, and not where the provider's servers are set already."""
    time, peers = facts.time, ctx.knowledge.profile.ntp
    unread = any(is_unreadable(fact) for fact in (time.type, time.peers, time.policy_type))
    if not peers or unread or is_known(time.policy_type) or is_known(time.policy_peers):
        return
    current = (value_of(time.peers) or "").lower()
    provided = value_of(time.type) == "NTP" and any(peer in current for peer in peers)
    if not (unless_provided and provided):
        yield SetTimeSource(peers=(peers[0],))


def _key(facts: Facts, ctx: Context, *, replace: bool) -> Iterator[StepParams]:
    edition = gvlk_for(facts.os, ctx.knowledge.editions)
    build, sku = value_of(facts.os.build), value_of(facts.os.sku)
    if edition is not None:
        yield InstallKey(keys={f"{build}/{sku}": edition.gvlk}, replace=replace)
