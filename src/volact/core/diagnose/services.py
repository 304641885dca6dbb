"""The licensing service and those it needs.

A stopped sppsvc is healthy: it stops when idle and starts when asked.
"""

from __future__ import annotations

from volact.core import shell
from volact.core.assessment import Assessment
from volact.core.diagnose.case import error, info, on_server, warning
from volact.core.steps.services import DEFAULT_START
from volact.model.finding import Finding
from volact.model.text import Text, joined, raw, say


def service_disabled(a: Assessment) -> Finding | None:
    """The licensing service, or one that it needs, must not start."""
    names = list(a.service.disabled)
    if not names:
        return None
    make = error if a.system.licensing_service in names else warning
    return make(
        "service-disabled",
        _disabled_summary(names),
        {"services": names},
        repair="automatic",
        remedy=_enabling(a, names),
    )


def only_system_configures(a: Assessment, name: str) -> bool:
    """Whether an administrator is denied the service's start mode: sppsvc since 2012."""
    return name == "sppsvc" and a.system.family != "2008 R2"


def _enabling(a: Assessment, names: list[str]) -> Text:
    """What to type; the registry's word counts from the next start of Windows on."""
    commands: list[str] = []
    restart = False
    for name in names:
        if only_system_configures(a, name):
            commands += shell.enable_at_restart(name)
            restart = True
        else:
            commands.append(shell.enable_service(name, DEFAULT_START[name]))
            commands.append(shell.start_service(name))
    if restart:
        return say("On the server, then restart it: {command}", command=raw("; ".join(commands)))
    return on_server(*commands)


def service_stopped(a: Assessment) -> Finding | None:
    """The licensing service is stopped and did not come up when it was asked.

    Stopped alone is healthy; this arises only when licensing did not answer.
    """
    name, service = a.system.licensing_service, a.service.service
    if service is None or not a.service.stopped:
        return None
    return error(
        "service-stopped",
        say("Licensing does not answer and its service {name} is stopped.", name=name),
        {"service": name, "state": service.state, "start": service.start},
        repair="automatic",
        remedy=on_server(shell.start_service(name)),
    )


def spp_notification_stopped(a: Assessment) -> Finding | None:
    """Server 2008 and 2008 R2 need their notification service for activation."""
    name = a.system.notification_service
    service = a.find_service(name) if name else None
    if service is None or service.state in ("Running", "Start Pending"):
        return None
    evidence = {"service": name, "state": service.state, "start": service.start}
    if not a.licence.unlicensed:
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


def _disabled_summary(names: list[str]) -> Text:
    if len(names) == 1:
        return say("The service {name} is disabled, and licensing needs it.", name=names[0])
    return say("The services {names} are disabled, and licensing needs them.", names=joined(names))
