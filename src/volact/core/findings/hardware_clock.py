"""Why a clock is off: the hardware clock, the time zone, what else sets the time.

How far it is off is the topic of ``clock``.
"""

from __future__ import annotations

from volact.core.assessment import Assessment
from volact.core.assessment.clock import WARNING_S
from volact.core.findings.kind import Found, Place, info, reported, warning
from volact.model.fact import is_unreadable, value_of
from volact.model.text import Text, say, typed

_ZONE_KEY = r"HKLM\SYSTEM\CurrentControlSet\Control\TimeZoneInformation"
_CONFIG = r"HKLM\SYSTEM\CurrentControlSet\Services\W32Time"


def _rtc_utc_mismatch(a: Assessment) -> Found | None:
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


RTC_UTC_MISMATCH = reported(
    id="rtc-utc-mismatch",
    rule=_rtc_utc_mismatch,
    place=Place.CLOCK,
    severities=("warning",),
    meaning=say(
        "Windows reads the hardware clock as local time although it is UTC, or the reverse."
    ),
    action=say("Reports it, with the command; the clock itself is corrected as for clock-skew."),
    blocks="nothing",
    detail=None,
)


def _time_seeding(a: Assessment) -> Found | None:
    skew, service = a.clock.skew_s, a.services.get("W32Time")
    if skew is None or abs(skew) < WARNING_S or value_of(a.facts.time.seed) != 1:
        return None
    if service is None or service.state != "Running":
        return None  # then it takes the time from nowhere
    command = f'reg add "{_CONFIG}\\Config" /v UtilizeSslTimeData /t REG_DWORD /d 0 /f'
    return info(
        say(
            "Secure Time Seeding is on: besides its time server, Windows also uses the times "
            "in TLS traffic."
        ),
        {"seed": 1, "skew_s": skew},
        remedy=say(
            "If the clock is wrong again after it was corrected: {command}, then restart the "
            "Windows Time service.",
            command=typed(command),
        ),
    )


TIME_SEEDING = reported(
    id="time-seeding",
    rule=_time_seeding,
    place=Place.REMARK,
    severities=("info",),
    meaning=say("The clock is wrong, and Windows also takes the time from TLS traffic."),
    action=say("Reports it."),
    blocks="nothing",
    detail=None,
)


def _mismatch(a: Assessment, *, why: str, fix: str) -> Found:
    time = a.facts.time
    return warning(
        _mismatch_summary(why, a.clock.skew_s),
        {
            "why": why,
            "bias_min": value_of(time.bias),
            "zone": value_of(time.zone),
            "rtu": value_of(time.rtu),
            "skew_s": a.clock.skew_s,
        },
        remedy=say("On the server, then restart it: {command}", command=typed(fix)),
    )


def _mismatch_summary(why: str, skew: int | None) -> Text:
    """East of Greenwich the one reason sets the clock back, west of it ahead; the skew shows it."""
    ahead = (skew or 0) > 0
    if why == "read-as-local":
        return say(
            "The clock is {side} by exactly the time zone offset: the hardware clock runs in "
            "UTC, but Windows reads it as local time.",
            side=say("ahead") if ahead else say("behind"),
        )
    if why == "read-as-utc":
        return say(
            "The clock is {side} by exactly the time zone offset: the hardware clock runs in "
            "local time, but Windows reads it as UTC.",
            side=say("ahead") if ahead else say("behind"),
        )
    return say(
        "The provider's hardware clocks run in UTC, but Windows reads this one as local time: "
        "after a restart the clock will be wrong by the time zone offset."
    )


def _set() -> str:
    return f'reg add "{_ZONE_KEY}" /v RealTimeIsUniversal /t REG_DWORD /d 1 /f'


def _unset() -> str:
    return f'reg delete "{_ZONE_KEY}" /v RealTimeIsUniversal /f'
