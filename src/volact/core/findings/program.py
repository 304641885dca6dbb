"""The licensing program: is it there, and may it be executed?"""

from __future__ import annotations

from collections.abc import Iterator

from volact.core import shell
from volact.core.assessment import Assessment
from volact.core.consent import allow, repair_with
from volact.core.findings.kind import FindingKind, Found, Place, error, evidence_field, on_server
from volact.core.findings.shared_repairs import start_service
from volact.core.sddl import NETWORK_SERVICE
from volact.core.steps.params import StepParams
from volact.core.steps.program import REMOVE_DEBUGGER, GrantExecute, RemoveDebugger
from volact.model.fact import value_of
from volact.model.text import say, typed


def _licensing_binary_blocked(a: Assessment) -> Found | None:
    why = a.service.obstacle
    if why in ("debugger", "kms-debugger"):
        return _debugger(a)
    if why == "missing":
        return _missing(a)
    return _acl(a) if why == "acl" else None


def _let_program_run(a: Assessment) -> Iterator[StepParams]:
    why = a.service.obstacle
    if why == "acl":
        yield GrantExecute(sid=NETWORK_SERVICE, deny=a.service.access.deny)
    elif why in ("debugger", "kms-debugger"):
        for image in a.service.images:
            if image.debugger:
                yield RemoveDebugger(debugger=image.debugger, kms=image.kms)
        if a.service.access.access in ("denied", "missing"):
            yield GrantExecute(sid=NETWORK_SERVICE, deny=a.service.access.deny)
    else:
        return
    service = a.service.service
    if service and service.start != "Disabled" and (a.service.silent or a.licence.unread):
        yield from start_service(a, a.system.licensing_service)


LICENSING_BINARY_BLOCKED = FindingKind(
    id="licensing-binary-blocked",
    rule=_licensing_binary_blocked,
    place=Place.PROGRAM,
    severities=("error",),
    meaning=say(
        "The licensing program cannot start: because of its file permissions, a debugger set "
        "for it, or a missing file."
    ),
    action=say(
        "Restores the execute permission; removes the debugger with --allow remove-debugger; a "
        "missing file has to be repaired by hand."
    ),
    blocks="activation",
    calls_for="activation-if-silent",
    consent=allow(REMOVE_DEBUGGER.name),
    repair_steps=_let_program_run,
    detail=evidence_field("why"),
)


def _debugger(a: Assessment) -> Found:
    image = next(image for image in a.service.images if image.debugger)
    return error(
        say(
            "Windows starts '{debugger}' instead of {program}: a debugger is set for it.",
            debugger=image.debugger,
            program=image.program,
        ),
        {"why": a.service.obstacle, "debugger": image.debugger},
        repair=repair_with(REMOVE_DEBUGGER.name, a.ctx),
        remedy=say(
            "Find out what set it, then on the server: {command}",
            command=typed(shell.remove_debugger(image.program)),
        ),
    )


def _missing(a: Assessment) -> Found:
    program = a.system.licensing_program
    return error(
        say("The licensing program {program} is missing.", program=program),
        {"why": "missing", "path": value_of(a.facts.binary.path)},
        remedy=say(
            "On the server: {command}; if that does not restore the file, repair Windows in place.",
            command=typed("sfc /scannow"),
        ),
    )


def _acl(a: Assessment) -> Found:
    verdict, program = a.service.access, a.system.licensing_program
    said = (
        say(
            "The file permissions of {program} deny NETWORK SERVICE the right to execute it.",
            program=program,
        )
        if verdict.access == "denied"
        else say(
            "The file permissions of {program} do not allow NETWORK SERVICE to execute it.",
            program=program,
        )
    )
    path, sddl = a.service.program_path, value_of(a.facts.binary.sddl) or ""
    commands = shell.grant_execute(path, NETWORK_SERVICE, verdict.deny, sddl)
    return error(
        said,
        {"why": "acl", "deny": list(verdict.deny), "sddl": value_of(a.facts.binary.sddl)},
        repair="automatic",
        remedy=on_server(*commands),
    )
