"""The list of steps in the standalone script.

The server was not probed before, so every step guards itself: by build,
by the measured clock, and by being an "ensure" that leaves alone what is right.
"""

from __future__ import annotations

from volact.core.assessment.clock import WARNING_S
from volact.core.sddl import NETWORK_SERVICE, SERVICE_GROUPS
from volact.core.steps.activation import ACTIVATE, Activate
from volact.core.steps.clock import SYNC_WITHIN_S, SyncClock
from volact.core.steps.keys import INSTALL_KEY, InstallKey
from volact.core.steps.kms_hosts import SET_KMS_HOST, ClearKmsHost, PutBackKmsHost, SetKmsHost
from volact.core.steps.params import Guard, StepDraft
from volact.core.steps.program import GrantExecute
from volact.core.steps.services import DEFAULT_START, EnableService, StartService
from volact.core.steps.time_source import SetTimeSource
from volact.core.steps.wire import to_wire
from volact.model.profile import HostPort, Knowledge
from volact.model.step import Step

_BUILDS_2008 = (0, 6999)
_BUILDS_2008_R2 = (7000, 7999)
_BUILDS_FROM_2008_R2 = (7000, 99_999)
_LAST_BUILD = 99_999

# Everyone, Authenticated Users and so on: if one of these is denied, the
# licensing service is.
_DENIABLE = (*SERVICE_GROUPS, NETWORK_SERVICE)


def standalone_steps(knowledge: Knowledge) -> tuple[Step, ...]:
    """Every step in the safe order, for any release the provider covers."""
    activate = Guard(unless_failed=(INSTALL_KEY.name, SET_KMS_HOST.name))
    steps = (
        _enable("sppsvc", Guard(builds=_BUILDS_FROM_2008_R2)),
        _enable("slsvc", Guard(builds=_BUILDS_2008)),
        StepDraft(params=GrantExecute(sid=NETWORK_SERVICE, deny=_DENIABLE)),
        _start("sppuinotify", Guard(builds=_BUILDS_2008_R2, optional=True)),
        _start("SLUINotify", Guard(builds=_BUILDS_2008, optional=True)),
        *_clock(knowledge),
        StepDraft(params=InstallKey(keys=_keys(knowledge), replace=False)),
        *_kms_hosts(knowledge),
        *_product_hosts(knowledge),
        StepDraft(params=Activate(), guard=activate),
        StepDraft(params=PutBackKmsHost(layer="service", if_failed=(ACTIVATE.name,))),
    )
    return tuple(map(to_wire, steps))


def _enable(name: str, guard: Guard) -> StepDraft:
    return StepDraft(params=EnableService(name=name, start=DEFAULT_START[name]), guard=guard)


def _start(name: str, guard: Guard) -> StepDraft:
    return StepDraft(params=StartService(name=name), guard=guard)


def _clock(knowledge: Knowledge) -> tuple[StepDraft, ...]:
    """Only where the clock is measured to be off."""
    guard = Guard(clock_off=WARNING_S)
    source = tuple(SetTimeSource(peers=(peer,)) for peer in knowledge.profile.ntp[:1])
    sync = SyncClock(within_s=SYNC_WITHIN_S, raise_limits=True)
    return (
        _enable("W32Time", guard),
        _start("W32Time", guard),
        *(StepDraft(params=params, guard=guard) for params in (*source, sync)),
    )


def _keys(knowledge: Knowledge) -> dict[str, str]:
    """The published key by build/SKU."""
    return {
        f"{build}/{sku}": edition.gvlk
        for edition in knowledge.editions
        for build in edition.builds
        for sku in edition.skus
    }


def _kms_hosts(knowledge: Knowledge) -> tuple[StepDraft, ...]:
    """One step for each range of builds that has the same hosts."""
    ranges: list[tuple[int, int, tuple[HostPort, ...]]] = []
    for low, hosts in _hosts_by_build(knowledge):
        if ranges and ranges[-1][2] == hosts:
            continue
        if ranges:
            start, _, before = ranges[-1]
            ranges[-1] = (start, low - 1, before)
        ranges.append((low, _LAST_BUILD, hosts))
    return tuple(
        StepDraft(
            params=SetKmsHost(layer="service", hosts=tuple(map(str, hosts)), unproven=True),
            guard=Guard(builds=(low, high)),
        )
        for low, high, hosts in ranges
        if hosts
    )


def _product_hosts(knowledge: Knowledge) -> tuple[StepDraft, ...]:
    """No product keeps a host of its own that is not the provider's."""
    keep = tuple(map(str, knowledge.profile.all_kms_hosts()))
    guard = Guard(builds=_BUILDS_FROM_2008_R2)  # before, products had none
    return (
        (StepDraft(params=ClearKmsHost(layer="product", keep=keep), guard=guard),) if keep else ()
    )


def _hosts_by_build(knowledge: Knowledge) -> list[tuple[int, tuple[HostPort, ...]]]:
    """The hosts from each build on; a build between two releases goes with the later."""
    by_build: dict[int, tuple[HostPort, ...]] = {0: knowledge.profile.kms_hosts("")}
    for release in sorted(knowledge.releases, key=lambda release: min(release.builds)):
        hosts = knowledge.profile.kms_hosts(release.name)
        by_build[min(release.builds)] = hosts
        by_build[max(release.builds) + 1] = knowledge.profile.kms_hosts("")
    return sorted(by_build.items())
