"""What is left for a person to do about one server, each thing with its exact command.

Paragraphs in the reader's language, and commands to be copied.
"""

from __future__ import annotations

from volact.core.main_cause import lead
from volact.model.finding import Finding
from volact.model.report import ServerReport
from volact.model.text import listed, say
from volact.report.base import Invocation
from volact.report.next_step import (
    after_error,
    command_for,
    consent,
    failed_code,
    repairs,
    with_consent,
)
from volact.report.step_lines import Command, lines_of
from volact.report.terminal_safe import plain
from volact.report.words import step_line
from volact.words import tr


def todo(server: ServerReport, how: Invocation) -> list[str]:
    """The paragraphs, in the order in which things are to be done."""
    if server.error is not None:
        return list(lines_of(after_error([server], how)))
    wanted = consent(server)
    mendable = [] if server.results else _mendable(server)
    left = [*_steps(server), *_by_hand(server, mendable)]
    if mendable or wanted:
        left += _with_volact(server, how, wanted, mendable)
    if code := failed_code(server):
        left += [tr(say("The code means:")), Command(f"volact explain {code}")]
    if not server.findings and server.verdict == "attention" and server.provider is None:
        named = command_for(how.command, [server], how, ("--provider NAME",))
        left += [tr(say("Name the server's cloud; volact providers lists them:")), named]
    return left or [tr(say("Nothing."))]


def _mendable(server: ServerReport) -> list[Finding]:
    """What volact repairs when it is allowed: what its plan is for, or would be."""
    planned = {str(id) for step in server.plan for id in step.get("because", ())}
    return [finding for finding in server.findings if finding.id in planned or repairs(finding)]


def _steps(server: ServerReport) -> list[str]:
    if server.results or not server.plan:
        return []
    lines = [plain(f"{at}. {step_line(step)}") for at, step in enumerate(server.plan, 1)]
    return [tr(say("volact would do this:")), *lines]


def _by_hand(server: ServerReport, mendable: list[Finding]) -> list[str]:
    """The remedies of what volact does not repair; of several each names its finding."""
    left = [
        finding
        for finding in server.findings
        if finding.remedy
        and (finding.severity in ("error", "warning") or finding is lead(server))
        and finding not in mendable
    ]
    if len(left) == 1 and not mendable:
        return list(lines_of(left[0].remedy))
    return [line for finding in left for line in _headed(finding)]


def _with_volact(
    server: ServerReport, how: Invocation, wanted: tuple[str, ...], mendable: list[Finding]
) -> list[str]:
    """The command by which volact does it, and what to type for the same by hand."""
    if wanted:
        lines = with_consent([server], how, wanted)
        return [tr(say("volact repairs this only with your consent:")), *lines]
    command = command_for("activate", [server], how)
    what = listed(finding.id for finding in mendable)
    first = any(f.severity == "error" and f not in mendable for f in server.findings)
    typed = command_for("plan", [server], how, ("--format commands",))
    return [
        plain(tr(say("After that, volact repairs {what}:", what=what)))
        if first
        else plain(tr(say("volact repairs {what}:", what=what))),
        command,
        tr(say("To see what to type on the server instead:")),
        typed,
    ]


def _headed(finding: Finding) -> list[str]:
    first, *more = lines_of(finding.remedy)
    return [plain(f"[{finding.id}] {first}"), *more]
