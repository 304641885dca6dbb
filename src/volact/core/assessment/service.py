"""The licensing service and its program: do they run, may they run, and if not, why not?"""

from __future__ import annotations

from typing import Literal

import msgspec

from volact.core.assessment.licence import TIMED_OUT
from volact.core.assessment.system import KMS_PROGRAM, SystemState
from volact.core.context import Context
from volact.core.sddl import AccessCheck, execute_access
from volact.model.fact import ABSENT, NOT_ASKED, Known, Unreadable, is_unreadable, value_of
from volact.model.facts import BinaryFacts, Facts, ServiceFact

# What keeps the licensing program from running.
Obstacle = Literal["debugger", "kms-debugger", "missing", "acl"]

# Services that the licensing service needs.
_ALSO_NEEDED = ("RpcSs", "EventSystem", "Schedule", "Winmgmt", "PlugPlay")


class ImageOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What Image File Execution Options set for a program; ``None``: nothing that is known.

    ``kms``: it is the program that speaks KMS, else the licensing program.
    """

    program: str
    kms: bool
    debugger: str | None
    verifier: str | None


class ServiceState(msgspec.Struct, frozen=True, kw_only=True):
    """The licensing service, its program, and the services it needs.

    ``service`` is ``None`` when it is absent or unreadable.  ``silent``: it did
    not answer.  ``disabled`` names those of it and the services it needs that
    must not start.  ``stopped``: it is stopped and did not come up when asked;
    stopped alone is healthy.  ``held_down``: a known, repairable fault
    explains that it does not answer.  ``access`` is what the program's DACL says
    to the service's account.
    """

    service: ServiceFact | None
    silent: bool
    disabled: tuple[str, ...]
    stopped: bool
    held_down: bool
    access: AccessCheck
    obstacle: Obstacle | None
    images: tuple[ImageOptions, ...]
    program_path: str  # as cmd.exe takes it


def service_of(facts: Facts, ctx: Context, system: SystemState) -> ServiceState:
    """The state of the licensing service."""
    name = system.licensing_service
    service, silent = find_service(facts, name), _is_silent(facts)
    sddl = value_of(facts.binary.sddl)
    access = execute_access(sddl, name) if sddl else AccessCheck("unknown")
    obstacle = _obstacle(facts, access, silent=silent)
    agreed = "remove-debugger" in ctx.policy.consent
    disabled = service is not None and service.start == "Disabled"
    return ServiceState(
        service=service,
        silent=silent,
        disabled=_disabled(facts, name),
        stopped=silent and obstacle is None and _is_stopped(facts, service),
        held_down=disabled or obstacle == "acl" or (obstacle == "debugger" and agreed),
        access=access,
        obstacle=obstacle,
        images=_images(facts.binary, system),
        program_path=value_of(facts.binary.path)
        or f"%windir%\\System32\\{system.licensing_program}",
    )


def find_service(facts: Facts, name: str) -> ServiceFact | None:
    """State and start mode of a service, ``None`` when absent or unreadable."""
    return value_of(facts.services.get(name, ABSENT))


def _images(binary: BinaryFacts, system: SystemState) -> tuple[ImageOptions, ...]:
    return (
        ImageOptions(
            program=system.licensing_program,
            kms=False,
            debugger=value_of(binary.debugger),
            verifier=value_of(binary.verifier),
        ),
        ImageOptions(
            program=KMS_PROGRAM,
            kms=True,
            debugger=value_of(binary.kms_debugger),
            verifier=value_of(binary.kms_verifier),
        ),
    )


def unread_hooks(binary: BinaryFacts) -> dict[str, Unreadable]:
    """What may change the licensing programs and was asked for, but could not be read."""
    names = ("verifier", "kms_debugger", "kms_verifier")
    facts = {f"binary.{name}": getattr(binary, name) for name in names}
    return {
        name: fact
        for name, fact in facts.items()
        if isinstance(fact, Unreadable) and fact != NOT_ASKED
    }


def _is_silent(facts: Facts) -> bool:
    """Whether the licensing service was asked and answered nothing.

    Its products, its version or its client machine ID are an answer: a release
    that lacks one property still has those.  A question that was not put shows nothing.
    """
    service = facts.licensing
    answers = (facts.products, service.version, service.cmid)
    asked = [fact for fact in answers if fact not in (NOT_ASKED, Unreadable(TIMED_OUT))]
    return bool(asked) and not any(isinstance(fact, Known) for fact in asked)


def _obstacle(facts: Facts, access: AccessCheck, *, silent: bool) -> Obstacle | None:
    """``None``: nothing is known to keep the program from running."""
    if value_of(facts.binary.debugger):
        return "debugger"
    if value_of(facts.binary.kms_debugger):
        return "kms-debugger"
    if value_of(facts.binary.exists) is False and silent:
        return "missing"
    return "acl" if access.access in ("denied", "missing") else None


def _disabled(facts: Facts, licensing: str) -> tuple[str, ...]:
    """Those that must not start; the licensing service comes up with an awaited restart."""
    awaited = licensing if value_of(facts.restart) == "enable-service" else ""
    return tuple(
        name
        for name in (licensing, *_ALSO_NEEDED)
        if name != awaited
        and (service := find_service(facts, name)) is not None
        and service.start == "Disabled"
    )


def _is_stopped(facts: Facts, service: ServiceFact | None) -> bool:
    if service is None or service.state != "Stopped" or service.start == "Disabled":
        return False
    binary = facts.binary
    return not (is_unreadable(binary.exists) or is_unreadable(binary.debugger))
