"""How far the clock is off, and whether it stays right once it was set.

The time of a domain member or controller is never set: it comes from the domain.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from volact.core import shell
from volact.core.assessment import Assessment
from volact.core.assessment.clock import (
    ERROR_S,
    WARNING_S,
    beyond_own_limit,
    ntp_client,
    source_by_policy,
    source_gap,
)
from volact.core.findings.kind import FindingKind, Found, Place, error, on_server, reported, warning
from volact.core.findings.shared_repairs import name_time_source, start_service
from volact.core.steps import kind_of
from volact.core.steps.clock import SYNC_CLOCK, SYNC_WITHIN_S, SyncClock
from volact.core.steps.params import StepParams
from volact.core.steps.services import DEFAULT_START
from volact.core.steps.time_source import SetTimeSource
from volact.model.fact import Absent, is_unreadable, value_of
from volact.model.finding import Repair
from volact.model.text import Text, say, typed

_SERVICE_KEY = r"HKLM\SYSTEM\CurrentControlSet\Services\W32Time"
TIME_FROM_DOMAIN = "w32tm /config /syncfromflags:domhier /update"
_DOMAIN_REMEDY = say(
    "volact never sets the time of a domain member or domain controller. Correct the clock of "
    "the PDC emulator; on a member: {commands}",
    commands=typed(TIME_FROM_DOMAIN, "w32tm /resync /rediscover"),
)
_SET_RIGHT_S = 60  # what sync-clock leaves at most


def _clock_set_back(a: Assessment) -> Found | None:
    skew, left = a.clock.skew_s, _left_by_step(a)
    if skew is None or left is None or abs(skew) < WARNING_S:
        return None
    make = error if abs(skew) >= ERROR_S else warning
    hyper_v = value_of(a.facts.time.vmic) == 1
    return make(
        say(
            "The clock was corrected and was wrong again a moment later: something else sets "
            "it, most likely the time synchronisation of the virtual machine."
        ),
        {"after_step_s": left, "skew_s": skew, "vmic": value_of(a.facts.time.vmic)},
        remedy=_set_back_remedy(hyper_v=hyper_v),
    )


CLOCK_SET_BACK = reported(
    id="clock-set-back",
    rule=_clock_set_back,
    place=Place.CLOCK,
    severities=("error", "warning"),
    meaning=say("The clock was corrected and was wrong again a moment later."),
    action=say("Reports it: something else sets the clock."),
    blocks="nothing",
    detail=None,
)


def _clock_skew(a: Assessment) -> Found | None:
    skew = a.clock.skew_s
    if skew is None or abs(skew) < WARNING_S:
        return None
    beyond = a.clock.beyond_limit
    make = error if abs(skew) >= ERROR_S else warning
    return make(
        _skew_summary(skew),
        {
            "skew_s": skew,
            "beyond_phase_limit": None if beyond == "unknown" else beyond != "no",
            "role": a.system.role,
        },
        repair=_skew_repair(a, beyond),
        remedy=_skew_remedy(a, skew, beyond),
    )


def _set_clock(a: Assessment) -> Iterator[StepParams]:
    service, skew = a.services.get("W32Time"), a.clock.skew_s
    if skew is None:
        return
    if service and service.start != "Disabled":
        yield from start_service(a, "W32Time")
    yield from name_time_source(a, unless_provided=True)
    raise_limits = a.clock.beyond_limit == "local"
    yield SyncClock(within_s=SYNC_WITHIN_S, raise_limits=raise_limits)


def _set_by_hand(a: Assessment, skew: int) -> Iterator[StepParams]:
    """The same for a person, who sees to group policy first: then the own settings may hold."""
    ntp = a.ctx.knowledge.profile.ntp[:1]
    for params in _set_clock(a):
        if not isinstance(params, SyncClock):
            yield params
            continue
        if ntp and _sourceless_by_policy(a):
            yield SetTimeSource(peers=ntp)
        held_back = a.clock.beyond_limit != "no" and beyond_own_limit(a.facts.time, skew)
        yield replace(params, raise_limits=held_back)


def _commands_to_set(a: Assessment, skew: int) -> Iterator[str]:
    """What is typed for that, and to enable the service, which another finding's steps do."""
    service = a.services.get("W32Time")
    if service and service.start == "Disabled":
        yield shell.enable_service("W32Time", DEFAULT_START["W32Time"])
        yield shell.start_service("W32Time")
    for params in _set_by_hand(a, skew):
        # A role that was not read may be a member's: its time source stays.
        if a.system.role or not isinstance(params, SetTimeSource):
            yield from kind_of(params).commands(params, a)


def _how_far(evidence: dict[str, Any]) -> str:
    """How far, so roughly that servers with one wrong time source are alike."""
    skew = evidence.get("skew_s", 0)
    size = abs(skew)
    side = "ahead" if skew > 0 else "behind"
    if size >= 3600:
        return f"{round(size / 3600)} h {side}"
    return f"under 1 h {side}"


CLOCK_SKEW = FindingKind(
    id="clock-skew",
    rule=_clock_skew,
    place=Place.CLOCK,
    severities=("error", "warning"),
    meaning=say(
        "The clock is wrong by five minutes or more; from 3.5 hours it is an error, because a "
        "KMS host refuses more than four."
    ),
    action=say(
        "Sets it from the provider's time servers on a stand-alone server; never in a domain."
    ),
    blocks="activation",
    calls_for="nothing",
    consent="",
    repair_steps=_set_clock,
    detail=_how_far,
)


def duration(seconds: int) -> Text:
    """A length of time in words, with one unit below the largest."""
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, left = divmod(rest, 60)
    if days:
        return say("{days} d {hours} h", days=days, hours=hours)
    if hours:
        return say("{hours} h {minutes} min", hours=hours, minutes=minutes)
    return say("{minutes} min {seconds} s", minutes=minutes, seconds=left)


def _skew_summary(skew: int) -> Text:
    side = say("ahead") if skew > 0 else say("behind")
    if abs(skew) < ERROR_S:
        return say("The clock is {how_long} {side}.", how_long=duration(abs(skew)), side=side)
    return say(
        "The clock is {how_long} {side}; a KMS host refuses more than 4 h.",
        how_long=duration(abs(skew)),
        side=side,
    )


def _skew_repair(a: Assessment, beyond: str) -> Repair:
    """Automatic only on a stand-alone server, and never against group policy.

    Without its time service nothing can be set, and every attempt would fail.
    """
    time = a.facts.time
    if isinstance(a.facts.services.get("W32Time"), Absent):
        return "manual"
    against_policy = beyond in ("policy", "unknown") or _sourceless_by_policy(a)
    off = value_of(ntp_client(time)) == 0
    unread = is_unreadable(time.policy_type) or is_unreadable(ntp_client(time))
    free = not (against_policy or off or unread or _sourceless(a))
    return "automatic" if a.system.role == "standalone" and free else "manual"


def _sourceless_by_policy(a: Assessment) -> bool:
    """Whether group policy leaves nothing that the time could be taken from."""
    gap = source_gap(a.facts.time, standalone=a.system.role == "standalone")
    return source_by_policy(a.facts.time) and gap != ""


def _sourceless(a: Assessment) -> bool:
    """Whether nothing is known that the time could be taken from."""
    time = a.facts.time
    peers = value_of(time.peers) or ""
    kept = value_of(time.type) == "NTP" and peers != ""
    return not a.ctx.knowledge.profile.ntp and not kept


def _skew_remedy(a: Assessment, skew: int, beyond: str) -> Text:
    if a.system.role in ("member", "controller"):
        return _DOMAIN_REMEDY
    commands = (*_commands_to_set(a, skew),)
    if value_of(a.facts.time.policy_client) == 0:
        return client_by_policy(*commands)
    if _sourceless_by_policy(a):
        return source_left_by_policy(*commands)
    if beyond == "unknown":
        return say(
            "It is not known whether group policy allows a correction this large, so volact does "
            "not set the clock. On the server: {commands}",
            commands=typed(*commands),
        )
    if beyond == "policy":
        return say(
            "Group policy forbids a correction this large; change the policy, then: {commands}",
            commands=typed(*commands),
        )
    return on_server(*commands)


def client_by_policy(*commands: str) -> Text:
    """What is left to a person where group policy turns the NTP client off."""
    return say(
        "volact does not override group policy. Enable the policy {policy} or set it to Not "
        "configured, then on the server: {commands}",
        policy="Enable Windows NTP Client",
        commands=typed("gpupdate /force", *commands),
    )


def source_left_by_policy(*commands: str) -> Text:
    """What is left to a person where group policy names no time source."""
    return say(
        "volact does not override group policy. In the policy {policy}, name a time server or "
        "choose Not configured, then on the server: {commands}",
        policy="Configure Windows NTP Client",
        commands=typed("gpupdate /force", *commands),
    )


def _left_by_step(a: Assessment) -> int | None:
    """How far the clock was off right after it was set, where that was right."""
    for result in reversed(a.results):
        left = result.after.get("skew_s")
        if result.do == SYNC_CLOCK.name and result.ok and isinstance(left, int):
            return left if abs(left) <= _SET_RIGHT_S else None
    return None


def _set_back_remedy(*, hyper_v: bool) -> Text:
    if not hyper_v:
        return say(
            "Turn off time synchronisation in the hypervisor's guest tools, or correct the "
            "hypervisor's clock; to see what sets the time: {command}",
            command=typed("w32tm /query /source"),
        )
    key = f"{_SERVICE_KEY}\\TimeProviders\\VMICTimeProvider"
    return say(
        "Correct the Hyper-V host's clock, or stop the server from using it: {command}",
        command=typed(
            f'reg add "{key}" /v Enabled /t REG_DWORD /d 0 /f',
            "net stop w32time",
            "net start w32time",
        ),
    )
