"""The list of steps that the handed-out script carries.

Nobody has looked at the server before, so every step guards itself: by build,
by the measured clock, and by being an "ensure" that leaves alone what is right.
"""

from __future__ import annotations

from typing import Any

from volact.core.clock import WARNING_S
from volact.core.diagnose.services import DEFAULT_START
from volact.core.repairs import SYNC_WITHIN_S
from volact.core.sddl import NETWORK_SERVICE, SERVICE_GROUPS
from volact.model.profile import HostPort, Knowledge
from volact.model.step import Step

_BUILDS_2008 = [0, 6999]
_BUILDS_2008_R2 = [7000, 7999]
_BUILDS_FROM_2008_R2 = [7000, 99_999]
_LAST_BUILD = 99_999

# Everyone, Authenticated Users and so on: whoever of these is denied, the
# licensing service is.
_DENIABLE = [*SERVICE_GROUPS, NETWORK_SERVICE]


def standalone_steps(knowledge: Knowledge) -> tuple[Step, ...]:
    """Every step in the safe order, for any release the provider covers."""
    return (
        _enable("sppsvc", builds=_BUILDS_FROM_2008_R2),
        _enable("slsvc", builds=_BUILDS_2008),
        Step(do="grant-execute", params={"sid": NETWORK_SERVICE, "deny": _DENIABLE}),
        _start("sppuinotify", builds=_BUILDS_2008_R2, optional=True),
        _start("SLUINotify", builds=_BUILDS_2008, optional=True),
        *_clock(knowledge),
        Step(do="install-key", params={"keys": _keys(knowledge), "replace": False}),
        *_kms_hosts(knowledge),
        *_product_hosts(knowledge),
        Step(do="activate", params={"unless_failed": ["install-key", "set-kms-host"]}),
    )


def _enable(name: str, **guard: Any) -> Step:
    return Step(do="enable-service", params={"name": name, "start": DEFAULT_START[name], **guard})


def _start(name: str, **guard: Any) -> Step:
    return Step(do="start-service", params={"name": name, **guard})


def _clock(knowledge: Knowledge) -> tuple[Step, ...]:
    """Only where the clock is seen to be off."""
    guard = {"clock_off": WARNING_S}
    source = (
        (Step(do="set-time-source", params={"peers": [knowledge.profile.ntp[0]], **guard}),)
        if knowledge.profile.ntp
        else ()
    )
    sync = {"within_s": SYNC_WITHIN_S, "raise_limits": True, **guard}
    return (
        _enable("W32Time", **guard),
        _start("W32Time", **guard),
        *source,
        Step(do="sync-clock", params=sync),
    )


def _keys(knowledge: Knowledge) -> dict[str, str]:
    """The published key by build/SKU."""
    return {
        f"{build}/{sku}": edition.gvlk
        for edition in knowledge.editions
        for build in edition.builds
        for sku in edition.skus
    }


def _kms_hosts(knowledge: Knowledge) -> tuple[Step, ...]:
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
        Step(
            do="set-kms-host",
            params={
                "layer": "service",
                "hosts": [str(host) for host in hosts],
                "builds": [low, high],
            },
        )
        for low, high, hosts in ranges
        if hosts
    )


def _product_hosts(knowledge: Knowledge) -> tuple[Step, ...]:
    """No product keeps a host of its own that is not the provider's."""
    keep = [str(host) for host in knowledge.profile.all_kms_hosts()]
    builds = _BUILDS_FROM_2008_R2  # before, products had none
    params = {"layer": "product", "keep": keep, "builds": builds}
    return (Step(do="clear-kms-host", params=params),) if keep else ()


def _hosts_by_build(knowledge: Knowledge) -> list[tuple[int, tuple[HostPort, ...]]]:
    """The hosts from each build on; a build between two releases goes with the later."""
    by_build: dict[int, tuple[HostPort, ...]] = {0: knowledge.profile.kms_hosts("")}
    for release in sorted(knowledge.releases, key=lambda release: min(release.builds)):
        hosts = knowledge.profile.kms_hosts(release.name)
        by_build[min(release.builds)] = hosts
        by_build[max(release.builds) + 1] = knowledge.profile.kms_hosts("")
    return sorted(by_build.items())
