"""The clock, the Windows Time service and where it takes the time from.

Never repoints a domain member, never touches a controller: their time comes
from the domain.
"""

from __future__ import annotations

from volact.core import shell
from volact.core.assessment import Assessment
from volact.core.assessment.clock import ERROR_S, WARNING_S
from volact.core.diagnose.case import error, on_server, warning
from volact.model.fact import ABSENT, Absent, is_known, is_unreadable, value_of
from volact.model.finding import Finding, Repair
from volact.model.text import Text, say

_FROM_DOMAIN = "w32tm /config /syncfromflags:domhier /update"
_DOMAIN_REMEDY = say(
    "volact never sets the time of a domain member or controller. Mend the PDC emulator's "
    "clock; on a member: {command}, then {then}",
    command=_FROM_DOMAIN,
    then="w32tm /resync /rediscover",
)


def clock_skew(a: Assessment) -> Finding | None:
    """The clock is off by more than a few minutes."""
    skew = a.clock.skew_s
    if skew is None or abs(skew) < WARNING_S:
        return None
    beyond = a.clock.beyond_limit
    make = error if abs(skew) >= ERROR_S else warning
    return make(
        "clock-skew",
        _skew_summary(skew),
        {
            "skew_s": skew,
            "beyond_phase_limit": beyond != "no",
            "role": a.system.role,
        },
        repair=_skew_repair(a, beyond),
        remedy=_skew_remedy(a, beyond),
    )


def time_service_off(a: Assessment) -> Finding | None:
    """The Windows Time service is disabled or gone, or stopped while the clock is off.

    Stopped alone is by design outside of a domain since 2008 R2.
    """
    fact = a.facts.services.get("W32Time")
    service = a.find_service("W32Time")
    skew = abs(a.clock.skew_s or 0)
    if isinstance(fact, Absent):
        word = say("missing")
    elif service is not None and service.start == "Disabled":
        word = say("disabled")
    elif service is not None and service.state == "Stopped" and skew >= WARNING_S:
        word = say("stopped")
    else:
        return None
    make = error if skew >= ERROR_S else warning
    repair: Repair = "automatic" if _may_set_time(a) and word != "missing" else "manual"
    return make(
        "time-service-off",
        say("The Windows Time service is {state}, so nothing keeps the clock right.", state=word),
        {"state": str(word), "skew_s": a.clock.skew_s},
        repair=repair,
        remedy=_service_remedy(word),
    )


def time_source_missing(a: Assessment) -> Finding | None:
    """W32Time has nowhere to take the time from."""
    time, role = a.facts.time, a.system.role
    by_policy = not isinstance(time.policy_type, Absent)
    kind = (value_of(time.policy_type) or value_of(time.type) or "").upper()
    peers_fact = time.policy_peers if is_known(time.policy_peers) else time.peers
    client_off = value_of(time.client) == 0
    unread = is_unreadable(time.client)
    if not kind or role is None or role == "controller":
        return None
    orphan = kind == "NT5DS" and role == "standalone"
    no_peers = kind == "NTP" and (value_of(peers_fact) == "" or peers_fact == ABSENT)
    if not (kind == "NOSYNC" or orphan or no_peers or client_off):
        return None
    servers = a.ctx.knowledge.profile.ntp
    blocked = by_policy or client_off or unread or not servers
    automatic = role == "standalone" and not blocked
    return warning(
        "time-source-missing",
        _source_summary(kind, orphan=orphan, client_off=client_off),
        {"type": kind, "peers": value_of(peers_fact), "client": value_of(time.client)},
        repair="automatic" if automatic else "manual",
        remedy=_source_remedy(a, client_off=client_off),
    )


def duration(seconds: int) -> Text:
    """A length of time as a person says it, with one unit below the largest."""
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


def _may_set_time(a: Assessment) -> bool:
    return a.system.role == "standalone"


def _skew_repair(a: Assessment, beyond: str) -> Repair:
    """By itself only on a stand-alone server, and never against group policy.

    Without its time service nothing can be set, and every try would fail.
    """
    time = a.facts.time
    if isinstance(a.facts.services.get("W32Time"), Absent):
        return "manual"
    against_policy = beyond == "policy" or value_of(time.policy_type) == "NoSync"
    off = value_of(time.client) == 0
    unread = is_unreadable(time.policy_type) or is_unreadable(time.client)
    free = not (against_policy or off or unread or _sourceless(a))
    return "automatic" if _may_set_time(a) and free else "manual"


def _sourceless(a: Assessment) -> bool:
    """Whether nothing is known that the time could be taken from."""
    time = a.facts.time
    peers = value_of(time.peers) or ""
    kept = value_of(time.type) == "NTP" and peers != ""
    return not a.ctx.knowledge.profile.ntp and not kept


def _skew_remedy(a: Assessment, beyond: str) -> Text:
    if a.system.role in ("member", "controller"):
        return _DOMAIN_REMEDY
    ntp = a.ctx.knowledge.profile.ntp[:1]
    commands = (shell.set_time_source(ntp), shell.RESYNC) if ntp else (shell.RESYNC,)
    if beyond == "policy":
        return say(
            "Group policy forbids a correction this large; change the policy, then: {commands}",
            commands="; ".join(commands),
        )
    return on_server(*commands)


def _service_remedy(word: str) -> Text:
    if word == "missing":
        return on_server("w32tm /register", shell.start_service("w32time"))
    return on_server(shell.enable_service("w32time", "auto"), shell.start_service("w32time"))


def _source_summary(kind: str, *, orphan: bool, client_off: bool) -> Text:
    if client_off:
        return say("The NTP client of Windows Time is turned off, so the clock follows nothing.")
    if orphan:
        return say("Windows Time waits for a domain, but this server is in none.")
    if kind == "NOSYNC":
        return say("Windows Time is set to follow nothing (NoSync).")
    return say("Windows Time has no time server in its list.")


def _source_remedy(a: Assessment, *, client_off: bool) -> Text:
    if client_off:
        key = r"HKLM\SYSTEM\CurrentControlSet\Services\W32Time\TimeProviders\NtpClient"
        return on_server(f"reg add {key} /v Enabled /t REG_DWORD /d 1 /f", "w32tm /config /update")
    if a.system.role == "member":
        return on_server(_FROM_DOMAIN)
    servers = a.ctx.knowledge.profile.ntp[:1] or ("YOUR-TIME-SERVER",)
    return on_server(shell.set_time_source(servers))
