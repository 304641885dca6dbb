"""The licensing program: is it there, and may it be executed?"""

from __future__ import annotations

from typing import Literal

from volact.core import shell
from volact.core.consent import repair_with
from volact.core.diagnose.case import Case, error, on_server
from volact.core.licensing import licensing_silent
from volact.core.release import licensing_program, licensing_service
from volact.core.sddl import NETWORK_SERVICE, Verdict, execute_access
from volact.model.fact import value_of
from volact.model.facts import Facts
from volact.model.finding import Finding
from volact.model.text import say

Why = Literal["debugger", "missing", "acl"]


def blocked_by(facts: Facts) -> Why | None:
    """What keeps the licensing program from running; ``None``: nothing known to."""
    if value_of(facts.binary.debugger):
        return "debugger"
    if value_of(facts.binary.exists) is False and licensing_silent(facts):
        return "missing"
    if execute_verdict(facts).access in ("denied", "missing"):
        return "acl"
    return None


def execute_verdict(facts: Facts) -> Verdict:
    """What the program's DACL says to the service's account."""
    sddl = value_of(facts.binary.sddl)
    return execute_access(sddl, licensing_service(facts.os)) if sddl else Verdict("unknown")


def licensing_binary_blocked(case: Case) -> Finding | None:
    """The licensing program cannot be started."""
    why = blocked_by(case.facts)
    if why == "debugger":
        return _debugger(case)
    if why == "missing":
        return _missing(case.facts)
    return _acl(case.facts) if why == "acl" else None


def _debugger(case: Case) -> Finding:
    facts = case.facts
    program, debugger = licensing_program(facts.os), value_of(facts.binary.debugger)
    return error(
        "licensing-binary-blocked",
        say(
            "Windows starts '{debugger}' instead of {program}, because a debugger is set for it.",
            debugger=debugger,
            program=program,
        ),
        {"why": "debugger", "debugger": debugger},
        repair=repair_with("remove-debugger", case.ctx),
        remedy=say(
            "Find out who set it, then on the server: {command}",
            command=shell.remove_debugger(program),
        ),
    )


def _missing(facts: Facts) -> Finding:
    program = licensing_program(facts.os)
    return error(
        "licensing-binary-blocked",
        say("The licensing program {program} is missing.", program=program),
        {"why": "missing", "path": value_of(facts.binary.path)},
        remedy=say(
            "On the server: {command}; if that does not bring it back, "
            "Windows has to be repaired in place.",
            command="sfc /scannow",
        ),
    )


def _acl(facts: Facts) -> Finding:
    verdict, program = execute_verdict(facts), licensing_program(facts.os)
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
    path, sddl = program_path(facts), value_of(facts.binary.sddl) or ""
    commands = shell.grant_execute(path, NETWORK_SERVICE, verdict.deny, sddl)
    return error(
        "licensing-binary-blocked",
        said,
        {"why": "acl", "deny": list(verdict.deny), "sddl": value_of(facts.binary.sddl)},
        repair="automatic",
        remedy=on_server(*commands),
    )


def program_path(facts: Facts) -> str:
    """Where the licensing program is, as cmd.exe takes it."""
    return value_of(facts.binary.path) or f"%windir%\\System32\\{licensing_program(facts.os)}"
