"""The clock, the Windows Time service and where it takes the time from.

Never repoints a domain member, never touches a controller: their time comes
from the domain.
"""

from __future__ import annotations

from volact.core import shell
from volact.core.clock import ERROR_S, WARNING_S, beyond_limit, role_of, skew_s
from volact.core.diagnose.case import Case, error, warning
from volact.core.diagnose.services import service_of
from volact.model.fact import ABSENT, Absent, is_known, is_unreadable, value_of
from volact.model.finding import Finding, Repair

_DOMAIN_REMEDY = (
    "volact never sets the time of a domain member or controller. Mend the PDC emulator's "
    "clock; on a member: w32tm /config /syncfromflags:domhier /update, "
    "then w32tm /resync /rediscover"
)


def clock_skew(case: Case) -> Finding | None:
    """The clock is off by more than a few minutes."""
    skew = skew_s(case.facts)
    if skew is None or abs(skew) < WARNING_S:
        return None
    beyond = beyond_limit(case.facts, skew)
    make = error if abs(skew) >= ERROR_S else warning
    tail = "; a KMS host refuses more than 4 h" if abs(skew) >= ERROR_S else ""
    return make(
        "clock-skew",
        f"The clock is {duration(abs(skew))} {'ahead' if skew > 0 else 'behind'}{tail}.",
        {
            "skew_s": skew,
            "beyond_phase_limit": beyond != "no",
            "role": role_of(case.facts),
        },
        repair=_skew_repair(case, beyond),
        remedy=_skew_remedy(case, beyond),
    )


def time_service_off(case: Case) -> Finding | None:
    """The Windows Time service is disabled or gone, or stopped while the clock is off.

    Stopped alone is by design outside of a domain since 2008 R2.
    """
    fact = case.facts.services.get("W32Time")
    service = service_of(case, "W32Time")
    skew = abs(skew_s(case.facts) or 0)
    if isinstance(fact, Absent):
        word = "missing"
    elif service is not None and service.start == "Disabled":
        word = "disabled"
    elif service is not None and service.state == "Stopped" and skew >= WARNING_S:
        word = "stopped"
    else:
        return None
    make = error if skew >= ERROR_S else warning
    repair: Repair = "automatic" if _may_set_time(case) and word != "missing" else "manual"
    return make(
        "time-service-off",
        f"The Windows Time service is {word}, so nothing keeps the clock right.",
        {"state": word, "skew_s": skew_s(case.facts)},
        repair=repair,
        remedy=_service_remedy(word),
    )


def time_source_missing(case: Case) -> Finding | None:
    """W32Time has nowhere to take the time from."""
    time, role = case.facts.time, role_of(case.facts)
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
    servers = case.ctx.knowledge.profile.ntp
    blocked = by_policy or client_off or unread or not servers
    automatic = role == "standalone" and not blocked
    return warning(
        "time-source-missing",
        _source_summary(kind, orphan=orphan, client_off=client_off),
        {"type": kind, "peers": value_of(peers_fact), "client": value_of(time.client)},
        repair="automatic" if automatic else "manual",
        remedy=_source_remedy(case, client_off=client_off),
    )


def duration(seconds: int) -> str:
    """A length of time as a person says it, with one unit below the largest."""
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, left = divmod(rest, 60)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {left} s"


def _may_set_time(case: Case) -> bool:
    return role_of(case.facts) == "standalone"


def _skew_repair(case: Case, beyond: str) -> Repair:
    """By itself only on a stand-alone server, and never against group policy.

    Without its time service nothing can be set, and every try would fail.
    """
    time = case.facts.time
    if isinstance(case.facts.services.get("W32Time"), Absent):
        return "manual"
    against_policy = beyond == "policy" or value_of(time.policy_type) == "NoSync"
    off = value_of(time.client) == 0
    unread = is_unreadable(time.policy_type) or is_unreadable(time.client)
    free = not (against_policy or off or unread)
    return "automatic" if _may_set_time(case) and free else "manual"


def _skew_remedy(case: Case, beyond: str) -> str:
    if role_of(case.facts) in ("member", "controller"):
        return _DOMAIN_REMEDY
    ntp = case.ctx.knowledge.profile.ntp[:1]
    commands = f"{shell.set_time_source(ntp)}; {shell.RESYNC}" if ntp else shell.RESYNC
    if beyond == "policy":
        return f"Group policy forbids a correction this large; change the policy, then: {commands}"
    return f"On the server: {commands}"


def _service_remedy(word: str) -> str:
    if word == "missing":
        return "On the server: w32tm /register; net start w32time"
    return "On the server: sc config w32time start= auto; net start w32time"


def _source_summary(kind: str, *, orphan: bool, client_off: bool) -> str:
    if client_off:
        return "The NTP client of Windows Time is turned off, so the clock follows nothing."
    if orphan:
        return "Windows Time waits for a domain, but this server is in none."
    if kind == "NOSYNC":
        return "Windows Time is set to follow nothing (NoSync)."
    return "Windows Time has no time server in its list."


def _source_remedy(case: Case, *, client_off: bool) -> str:
    if client_off:
        return (
            r"On the server: reg add HKLM\SYSTEM\CurrentControlSet\Services\W32Time"
            r"\TimeProviders\NtpClient /v Enabled /t REG_DWORD /d 1 /f; w32tm /config /update"
        )
    if role_of(case.facts) == "member":
        return "On the server: w32tm /config /syncfromflags:domhier /update"
    servers = case.ctx.knowledge.profile.ntp[:1] or ("YOUR-TIME-SERVER",)
    return f"On the server: {shell.set_time_source(servers)}"
