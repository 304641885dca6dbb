"""The licensing program: is it there, and may it be executed?"""

from __future__ import annotations

from volact.core import shell
from volact.core.assessment import Assessment
from volact.core.consent import repair_with
from volact.core.diagnose.case import error, on_server
from volact.core.sddl import NETWORK_SERVICE
from volact.model.fact import value_of
from volact.model.finding import Finding
from volact.model.text import say


def licensing_binary_blocked(a: Assessment) -> Finding | None:
    """The licensing program cannot be started."""
    why = a.service.obstacle
    if why == "debugger":
        return _debugger(a)
    if why == "missing":
        return _missing(a)
    return _acl(a) if why == "acl" else None


def _debugger(a: Assessment) -> Finding:
    program, debugger = a.system.licensing_program, value_of(a.facts.binary.debugger)
    return error(
        "licensing-binary-blocked",
        say(
            "Windows starts '{debugger}' instead of {program}, because a debugger is set for it.",
            debugger=debugger,
            program=program,
        ),
        {"why": "debugger", "debugger": debugger},
        repair=repair_with("remove-debugger", a.ctx),
        remedy=say(
            "Find out who set it, then on the server: {command}",
            command=shell.remove_debugger(program),
        ),
    )


def _missing(a: Assessment) -> Finding:
    program = a.system.licensing_program
    return error(
        "licensing-binary-blocked",
        say("The licensing program {program} is missing.", program=program),
        {"why": "missing", "path": value_of(a.facts.binary.path)},
        remedy=say(
            "On the server: {command}; if that does not bring it back, "
            "Windows has to be repaired in place.",
            command="sfc /scannow",
        ),
    )


def _acl(a: Assessment) -> Finding:
    verdict, program = a.service.access, a.system.licensing_program
    said = (
        say(
            "The file permissions of {program} deny NETWORK SERVICE the right to execute it.",
            program=program,
        )
        if verdict.access == "denied"
        else say(
            "The file permissions of {program} do not give NETWORK SERVICE "
            "the right to execute it.",
            program=program,
        )
    )
    path, sddl = a.service.program_path, value_of(a.facts.binary.sddl) or ""
    commands = shell.grant_execute(path, NETWORK_SERVICE, verdict.deny, sddl)
    return error(
        "licensing-binary-blocked",
        said,
        {"why": "acl", "deny": list(verdict.deny), "sddl": value_of(a.facts.binary.sddl)},
        repair="automatic",
        remedy=on_server(*commands),
    )
