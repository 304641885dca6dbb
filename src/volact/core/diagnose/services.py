"""The licensing service and those it needs.

A stopped sppsvc is healthy: it stops when idle and starts when asked.
"""

from __future__ import annotations

from volact.core import shell
from volact.core.diagnose.binary import blocked_by
from volact.core.diagnose.case import Case, error, info, on_server, warning
from volact.core.licensing import licensing_silent, unlicensed
from volact.core.release import is_2008, is_2008_r2, licensing_service
from volact.core.steps.services import DEFAULT_START
from volact.model.fact import ABSENT, is_unreadable, value_of
from volact.model.facts import ServiceFact
from volact.model.finding import Finding
from volact.model.text import Text, joined, raw, say

_ALSO_NEEDED = ("RpcSs", "EventSystem", "Schedule", "Winmgmt")


def service_disabled(case: Case) -> Finding | None:
    """The licensing service, or one that it needs, must not start."""
    licensing = licensing_service(case.facts.os)
    names = [name for name in (licensing, *_ALSO_NEEDED) if _is_disabled(case, name)]
    if value_of(case.facts.restart) == "enable-service":
        names = [name for name in names if name != licensing]  # it comes up with Windows
    if not names:
        return None
    make = error if licensing in names else warning
    return make(
        "service-disabled",
        _disabled_summary(names),
        {"services": names},
        repair="automatic",
        remedy=_enabling(case, names),
    )


def only_system_configures(case: Case, name: str) -> bool:
    """Whether an administrator is denied the service's start mode: sppsvc since 2012."""
    return name == "sppsvc" and not is_2008_r2(case.facts.os)


def _enabling(case: Case, names: list[str]) -> Text:
    """What to type; the registry's word counts from the next start of Windows on."""
    commands: list[str] = []
    restart = False
    for name in names:
        if only_system_configures(case, name):
            commands += shell.enable_at_restart(name)
            restart = True
        else:
            commands.append(shell.enable_service(name, DEFAULT_START[name]))
            commands.append(shell.start_service(name))
    if restart:
        return say("On the server, then restart it: {command}", command=raw("; ".join(commands)))
    return on_server(*commands)


def service_stopped(case: Case) -> Finding | None:
    """The licensing service is stopped and did not come up when it was asked.

    Stopped alone is healthy; this arises only when licensing did not answer.
    """
    name = licensing_service(case.facts.os)
    service = service_of(case, name)
    if service is None or service.state != "Stopped" or service.start == "Disabled":
        return None
    if not licensing_silent(case.facts) or blocked_by(case.facts):
        return None
    if is_unreadable(case.facts.binary.exists) or is_unreadable(case.facts.binary.debugger):
        return None
    return error(
        "service-stopped",
        say("Licensing does not answer and its service {name} is stopped.", name=name),
        {"service": name, "state": service.state, "start": service.start},
        repair="automatic",
        remedy=on_server(shell.start_service(name)),
    )


def spp_notification_stopped(case: Case) -> Finding | None:
    """Server 2008 and 2008 R2 need their notification service for activation."""
    name = notification_service(case)
    service = service_of(case, name) if name else None
    if service is None or service.state in ("Running", "Start Pending"):
        return None
    evidence = {"service": name, "state": service.state, "start": service.start}
    if not unlicensed(case.facts):
        # It is started on demand and stops by itself: nothing is wrong.
        return info(
            "spp-notification-stopped",
            say(
                "The notification service {name} does not run ({state}); "
                "it matters only when there is something to activate.",
                name=name,
                state=service.state,
            ),
            evidence,
            remedy=say("Nothing to do."),
        )
    return error(
        "spp-notification-stopped",
        say(
            "The notification service {name} does not run ({state}); "
            "this release needs it for activation.",
            name=name,
            state=service.state,
        ),
        evidence,
        repair="automatic",
        remedy=on_server(shell.start_service(name)),
    )


def notification_service(case: Case) -> str:
    """The notification service of this release; ``""``: it has none, rightly."""
    if is_2008(case.facts.os):
        return "SLUINotify"
    return "sppuinotify" if is_2008_r2(case.facts.os) else ""


def service_of(case: Case, name: str) -> ServiceFact | None:
    """State and start mode of a service, ``None`` when absent or unreadable."""
    return value_of(case.facts.services.get(name, ABSENT))


def _is_disabled(case: Case, name: str) -> bool:
    service = service_of(case, name)
    return service is not None and service.start == "Disabled"


def _disabled_summary(names: list[str]) -> Text:
    if len(names) == 1:
        return say("The service {name} is disabled, and licensing needs it.", name=names[0])
    return say("The services {names} are disabled, and licensing needs them.", names=joined(names))
