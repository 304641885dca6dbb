"""Why a clock is off: the hardware clock, the time zone, what else sets the time.

How far it is off is ``clocks``' topic.
"""

from __future__ import annotations

from volact.core.assessment import Assessment
from volact.core.assessment.clock import ERROR_S, WARNING_S
from volact.core.diagnose.case import error, info, warning
from volact.model.fact import is_unreadable, value_of
from volact.model.finding import Finding
from volact.model.text import Text, raw, say

_ZONE_KEY = r"HKLM\SYSTEM\CurrentControlSet\Control\TimeZoneInformation"
_CONFIG = r"HKLM\SYSTEM\CurrentControlSet\Services\W32Time"
_SET_RIGHT_S = 60  # what sync-clock leaves at most


def rtc_utc_mismatch(a: Assessment) -> Finding | None:
    """Windows reads the hardware clock in another time than it runs in.

    Then the clock is off by exactly the time zone's distance from UTC.
    """
    time, skew = a.facts.time, a.clock.skew_s
    bias = value_of(time.bias)
    if not bias or is_unreadable(time.rtu):
        return None
    universal = value_of(time.rtu) == 1
    off = skew is not None and abs(skew) >= WARNING_S
    by_minus_zone = off and skew is not None and abs(skew + bias * 60) <= WARNING_S
    by_zone = off and skew is not None and abs(skew - bias * 60) <= WARNING_S
    if by_zone and universal:
        return _mismatch(a, why="read-as-utc", fix=_unset())
    if by_minus_zone and not universal:
        return _mismatch(a, why="read-as-local", fix=_set())
    if a.ctx.knowledge.profile.hardware_clock == "utc" and not universal:
        return _mismatch(a, why="provider", fix=_set())
    return None


def time_seeding(a: Assessment) -> Finding | None:
    """The clock is off, and Windows may also take the time from TLS traffic."""
    skew, service = a.clock.skew_s, a.find_service("W32Time")
    if skew is None or abs(skew) < WARNING_S or value_of(a.facts.time.seed) != 1:
        return None
    if service is None or service.state != "Running":
        return None  # then it takes the time from nowhere
    command = f'reg add "{_CONFIG}\\Config" /v UtilizeSslTimeData /t REG_DWORD /d 0 /f'
    return info(
        "time-seeding",
        say(
            "Secure time seeding is on: beside its time server Windows also goes by the times "
            "it sees in TLS traffic."
        ),
        {"seed": 1, "skew_s": skew},
        remedy=say(
            "If the clock goes wrong again after it was set: {command}, then restart the "
            "Windows Time service.",
            command=raw(command),
        ),
    )


def clock_set_back(a: Assessment) -> Finding | None:
    """The clock was right after the step that set it, and is wrong again."""
    skew, left = a.clock.skew_s, _left_by_step(a)
    if skew is None or left is None or abs(skew) < WARNING_S:
        return None
    make = error if abs(skew) >= ERROR_S else warning
    hyper_v = value_of(a.facts.time.vmic) == 1
    return make(
        "clock-set-back",
        say(
            "The clock was set right and was wrong again a moment later: something else sets it, "
            "most likely the time synchronisation of the virtual machine."
        ),
        {"after_step_s": left, "skew_s": skew, "vmic": value_of(a.facts.time.vmic)},
        remedy=_set_back_remedy(hyper_v=hyper_v),
    )


def _left_by_step(a: Assessment) -> int | None:
    """How far the clock was off right after it was set, where that was right."""
    for result in reversed(a.results):
        left = result.after.get("skew_s")
        if result.do == "sync-clock" and result.ok and isinstance(left, int):
            return left if abs(left) <= _SET_RIGHT_S else None
    return None


def _set_back_remedy(*, hyper_v: bool) -> Text:
    if not hyper_v:
        return say(
            "Turn off the time synchronisation of the hypervisor's guest tools, or mend the "
            "hypervisor's own clock; see what sets it: {command}",
            command=raw("w32tm /query /source"),
        )
    key = f"{_CONFIG}\\TimeProviders\\VMICTimeProvider"
    return say(
        "Mend the Hyper-V host's clock, or take the server off it: {command}",
        command=raw(
            f'reg add "{key}" /v Enabled /t REG_DWORD /d 0 /f & net stop w32time & '
            "net start w32time"
        ),
    )


def _mismatch(a: Assessment, *, why: str, fix: str) -> Finding:
    time = a.facts.time
    return warning(
        "rtc-utc-mismatch",
        _mismatch_summary(why, a.clock.skew_s),
        {
            "why": why,
            "bias_min": value_of(time.bias),
            "zone": value_of(time.zone),
            "rtu": value_of(time.rtu),
            "skew_s": a.clock.skew_s,
        },
        remedy=say("On the server, then restart it: {command}", command=raw(fix)),
    )


def _mismatch_summary(why: str, skew: int | None) -> Text:
    """East of Greenwich the one reason sets the clock back, west of it ahead; the skew tells."""
    ahead = (skew or 0) > 0
    if why == "read-as-local":
        return say(
            "The clock is {side} by exactly the time zone: the hardware clock runs in UTC and "
            "Windows reads it as local time.",
            side=say("ahead") if ahead else say("behind"),
        )
    if why == "read-as-utc":
        return say(
            "The clock is {side} by exactly the time zone: the hardware clock runs in local time "
            "and Windows reads it as UTC.",
            side=say("ahead") if ahead else say("behind"),
        )
    return say(
        "The provider's hardware clocks run in UTC and Windows reads this one as local time: "
        "after a restart the clock will be off by the time zone."
    )


def _set() -> str:
    return f'reg add "{_ZONE_KEY}" /v RealTimeIsUniversal /t REG_DWORD /d 1 /f'


def _unset() -> str:
    return f'reg delete "{_ZONE_KEY}" /v RealTimeIsUniversal /f'
