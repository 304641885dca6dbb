"""The Windows Time service and where it takes the time from.

Never repoints a domain member: its time comes from the domain.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from volact.core import shell
from volact.core.assessment import Assessment
from volact.core.assessment.clock import (
    ERROR_S,
    WARNING_S,
    SourceGap,
    ntp_client,
    ntp_client_off,
    source_by_policy,
    source_gap,
    time_peers,
    time_type,
)
from volact.core.findings.clock import TIME_FROM_DOMAIN, client_by_policy, source_left_by_policy
from volact.core.findings.kind import FindingKind, Found, Place, error, on_server, warning
from volact.core.findings.shared_repairs import name_time_source, start_service
from volact.core.steps.clock import RestoreTimeLimits
from volact.core.steps.params import StepParams
from volact.core.steps.services import DEFAULT_START, EnableService
from volact.core.steps.time_source import SetTimeTrigger
from volact.model.fact import Absent, Known, is_known, is_unreadable, value_of
from volact.model.facts import TimeFacts
from volact.model.finding import Repair
from volact.model.text import Text, say


def _time_service_off(a: Assessment) -> Found | None:
    """The Windows Time service is disabled or gone, or stopped while the clock is off.

    Stopped alone is by design outside of a domain since 2008 R2.
    """
    fact = a.facts.services.get("W32Time")
    service = a.services.get("W32Time")
    skew = a.clock.error_s
    if isinstance(fact, Absent):
        word = say("missing")
    elif service is not None and service.start == "Disabled":
        word = say("disabled")
    elif service is not None and service.state == "Stopped" and skew >= WARNING_S:
        word = say("stopped")
    else:
        return None
    make = error if skew >= ERROR_S else warning
    repair: Repair = (
        "automatic" if a.system.role == "standalone" and word != "missing" else "manual"
    )
    return make(
        say("The Windows Time service is {state}, so the clock is not kept right.", state=word),
        {"state": str(word), "skew_s": a.clock.skew_s},
        repair=repair,
        remedy=_service_remedy(word),
    )


def _run_time_service(a: Assessment) -> Iterator[StepParams]:
    service = a.services.get("W32Time")
    if service and service.start == "Disabled":
        yield EnableService(name="W32Time", start=DEFAULT_START["W32Time"])
    triggers = a.facts.time.triggers
    if isinstance(triggers, Known) and _stops_by_itself(triggers.value):
        yield SetTimeTrigger()
    yield from start_service(a, "W32Time")


TIME_SERVICE_OFF = FindingKind(
    id="time-service-off",
    rule=_time_service_off,
    place=Place.TIME_SERVICE,
    severities=("error", "warning"),
    meaning=say(
        "The Windows Time service is disabled or missing, or stopped while the clock is wrong."
    ),
    action=say(
        "Enables and starts it on a stand-alone server that needs repair, and sets it to start "
        "with the network."
    ),
    blocks="nothing",
    calls_for="nothing",
    consent="",
    repair_steps=_run_time_service,
    detail=None,
)


def _time_source_missing(a: Assessment) -> Found | None:
    time, role = a.facts.time, a.system.role
    kind, client, client_off = time_type(time), ntp_client(time), ntp_client_off(time)
    if not kind or role is None or role == "controller":
        return None
    gap = source_gap(time, standalone=role == "standalone")
    if not (gap or client_off):
        return None
    policy = (time.policy_type, time.policy_peers)
    by_policy = not all(isinstance(fact, Absent) for fact in policy)
    servers = a.ctx.knowledge.profile.ntp
    blocked = by_policy or client_off or is_unreadable(client) or not servers
    automatic = role == "standalone" and not blocked
    return warning(
        _source_summary(time, gap),
        {
            "type": kind,
            "peers": value_of(time_peers(time)),
            "client": 0 if client_off else value_of(client),
        },
        repair="automatic" if automatic else "manual",
        remedy=_source_remedy(a),
    )


TIME_SOURCE_MISSING = FindingKind(
    id="time-source-missing",
    rule=_time_source_missing,
    place=Place.TIME_SERVICE,
    severities=("warning",),
    meaning=say("The Windows Time service runs but has no time source."),
    action=say("Sets the provider's time server on a stand-alone server that needs repair."),
    blocks="nothing",
    calls_for="nothing",
    consent="",
    repair_steps=partial(name_time_source, unless_provided=False),
    detail=None,
)


def _time_limits_raised(a: Assessment) -> Found | None:
    saved = value_of(a.facts.time.saved)
    if saved is None:
        return None
    return warning(
        say(
            "An interrupted run left the phase limits of the Windows Time service raised; they "
            "were {limits}.",
            limits=saved,
        ),
        {"saved": saved},
        repair="automatic",
        remedy=on_server(*shell.restore_limits(saved)),
    )


def _restore_time_limits(a: Assessment) -> Iterator[StepParams]:
    if is_known(a.facts.time.saved):
        yield RestoreTimeLimits()


TIME_LIMITS_RAISED = FindingKind(
    id="time-limits-raised",
    rule=_time_limits_raised,
    place=Place.TIME_SERVICE,
    severities=("warning",),
    meaning=say("An interrupted run left the phase limits of the Windows Time service raised."),
    action=say("Restores them, on a server that needs repair."),
    blocks="nothing",
    calls_for="nothing",
    consent="",
    repair_steps=_restore_time_limits,
    detail=None,
)


def _service_remedy(word: str) -> Text:
    if word == "missing":
        return on_server("w32tm /register", shell.start_service("w32time"))
    return on_server(shell.enable_service("w32time", "auto"), shell.start_service("w32time"))


def _source_summary(time: TimeFacts, gap: SourceGap) -> Text:
    if value_of(time.policy_client) == 0:
        return say(
            "Group policy turns the NTP client of the Windows Time service off, so the clock is "
            "not synchronised."
        )
    if ntp_client_off(time):
        return say(
            "The NTP client of the Windows Time service is off, so the clock is not synchronised."
        )
    if gap == "no-domain":
        return say("The Windows Time service waits for a domain, but this server is not in one.")
    if gap == "no-sync":
        return say("The Windows Time service is configured not to synchronise (NoSync).")
    return say("The Windows Time service has no time server in its list.")


def _source_remedy(a: Assessment) -> Text:
    if value_of(a.facts.time.policy_client) == 0:
        return client_by_policy("w32tm /config /update")
    if ntp_client_off(a.facts.time):
        key = r"HKLM\SYSTEM\CurrentControlSet\Services\W32Time\TimeProviders\NtpClient"
        return on_server(f"reg add {key} /v Enabled /t REG_DWORD /d 1 /f", "w32tm /config /update")
    if a.system.role == "member":
        return on_server(TIME_FROM_DOMAIN)
    servers = a.ctx.knowledge.profile.ntp[:1] or ("YOUR-TIME-SERVER",)
    command = shell.set_time_source(servers)
    by_policy = source_by_policy(a.facts.time)
    return source_left_by_policy(command) if by_policy else on_server(command)


def _stops_by_itself(triggers: str) -> bool:
    """Type 3 is joining a domain: outside of one that stops the service; 2/1 is the network."""
    return "3/1" in triggers.split() and "2/1" not in triggers.split()
