"""The licensing service and those it needs.

A stopped sppsvc is healthy: it stops when idle and starts when asked.
"""

from __future__ import annotations

from collections.abc import Iterator

from volact.core import shell
from volact.core.assessment import Assessment
from volact.core.findings.kind import (
    FindingKind,
    Found,
    Place,
    error,
    evidence_field,
    info,
    on_server,
    warning,
)
from volact.core.findings.shared_repairs import start_service
from volact.core.steps.params import StepParams
from volact.core.steps.services import DEFAULT_START, EnableService, StartMode, default_start
from volact.model.text import Text, joined, say, typed


def _service_disabled(a: Assessment) -> Found | None:
    names = list(a.service.disabled)
    if not names:
        return None
    make = error if a.system.licensing_service in names else warning
    return make(
        _disabled_summary(names),
        {"services": names},
        repair="automatic" if any(_start_modes(a)) else "manual",
        remedy=_enabling(a),
    )


def _enable_services(a: Assessment) -> Iterator[StepParams]:
    for name, start in _start_modes(a):
        yield EnableService(name=name, start=start)
        yield from start_service(a, name)


def _start_modes(a: Assessment) -> Iterator[tuple[str, StartMode]]:
    """The start modes to give back, of the services of which they are known."""
    for name in a.service.disabled:
        start = default_start(name, a.system.build)
        if start is not None:
            yield name, start


SERVICE_DISABLED = FindingKind(
    id="service-disabled",
    rule=_service_disabled,
    place=Place.SERVICE,
    severities=("error", "warning"),
    meaning=say("The licensing service, or a service that it depends on, is disabled."),
    action=say("Restores its start mode and starts it."),
    blocks="activation",
    calls_for="activation-if-silent",
    consent="",
    repair_steps=_enable_services,
    detail=evidence_field("services"),
)


def _enabling(a: Assessment) -> Text:
    """What to type; the registry's word counts from the next start of Windows on."""
    commands: list[str] = []
    restart = False
    for name, start in _start_modes(a):
        if a.system.protects_start_mode(name):
            commands += shell.enable_at_restart(name, start)
            restart = True
        else:
            commands.append(shell.enable_service(name, start))
            commands.append(shell.start_service(name))
    if not commands:
        return say(
            "Give {names} the start mode that another server of this release has.",
            names=joined(a.service.disabled),
        )
    if restart:
        return say("On the server, then restart it: {command}", command=typed(*commands))
    return on_server(*commands)


def _service_stopped(a: Assessment) -> Found | None:
    """The licensing service is stopped and did not come up when it was asked.

    Stopped alone is healthy; this arises only when licensing did not answer.
    """
    name, service = a.system.licensing_service, a.service.service
    if service is None or not a.service.stopped:
        return None
    return error(
        say("The licensing service {name} does not answer and is stopped.", name=name),
        {"service": name, "state": service.state, "start": service.start},
        repair="automatic",
        remedy=on_server(shell.start_service(name)),
    )


SERVICE_STOPPED = FindingKind(
    id="service-stopped",
    rule=_service_stopped,
    place=Place.SERVICE,
    severities=("error",),
    meaning=say("The licensing service does not answer and is stopped; being stopped is normal."),
    action=say("Starts it."),
    blocks="activation",
    calls_for="nothing",
    consent="",
    repair_steps=lambda a: start_service(a, a.system.licensing_service),
    detail=None,
)


def _spp_notification_stopped(a: Assessment) -> Found | None:
    """Server 2008 and 2008 R2 need their notification service for activation."""
    name = a.system.notification_service
    service = a.services.get(name) if name else None
    if service is None or service.state in ("Running", "Start Pending"):
        return None
    evidence = {"service": name, "state": service.state, "start": service.start}
    if not a.licence.unlicensed:
        # It is started on demand and stops by itself: nothing is wrong.
        return info(
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


def _start_notification(a: Assessment) -> Iterator[StepParams]:
    name = a.system.notification_service
    service = a.services.get(name)
    if service and service.start == "Disabled":
        yield EnableService(name=name, start=DEFAULT_START[name])
    yield from start_service(a, name)


SPP_NOTIFICATION_STOPPED = FindingKind(
    id="spp-notification-stopped",
    rule=_spp_notification_stopped,
    place=Place.NOTIFICATION_SERVICE,
    severities=("error", "info"),
    meaning=say("The notification service that Server 2008 and 2008 R2 need is not running."),
    action=say("Starts it."),
    blocks="nothing",
    calls_for="nothing",
    consent="",
    repair_steps=_start_notification,
    detail=None,
)


def _disabled_summary(names: list[str]) -> Text:
    if len(names) == 1:
        return say("The service {name} is disabled, and licensing needs it.", name=names[0])
    return say("The services {names} are disabled, and licensing needs them.", names=joined(names))
