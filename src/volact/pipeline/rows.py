"""Rows of the JSON contract, made of what the pipeline found.  Pure.

Which settings an undo puts back is ``core.undo``'s.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from volact.core.assessment import assess
from volact.core.findings import diagnose
from volact.core.rows import license_row, os_row
from volact.core.steps.forecast import promised
from volact.core.undo import outcome
from volact.errors import AnswerError, ErrorKind, TransportError, VolactError
from volact.model.fact import value_of
from volact.model.facts import Facts
from volact.model.report import ErrorRow, ServerReport, Verdict
from volact.model.server import Server
from volact.model.step import Plan, StepResult
from volact.pipeline.job import Examination, Outcome


def row(  # noqa: PLR0913  (one argument for each part of a row)
    server: Server,
    exam: Examination,
    *,
    verdict: Verdict,
    results: tuple[StepResult, ...] = (),
    resolved: tuple[str, ...] = (),
    executions: int,
    elapsed_s: float,
) -> ServerReport:
    """The row of a server that was examined."""
    return ServerReport(
        name=server.name,
        address=str(server.address),
        provider=exam.provider,
        verdict=verdict,
        os=os_row(exam.assessment),
        license=license_row(exam.assessment),
        findings=exam.findings,
        **_planned(exam.plan),
        results=tuple(msgspec.to_builtins(result) for result in results),
        resolved=resolved,
        executions=executions,
        elapsed_s=round(elapsed_s, 3),
        addresses=value_of(exam.facts.addresses) or (),
        clock_skew_s=exam.assessment.clock.skew_s,
    )


def replanned(outcome: Outcome, exam: Examination) -> Outcome:
    """The outcome of the same examination with another plan."""
    return replace(outcome, report=replace(outcome.report, **_planned(exam.plan)), examination=exam)


def _planned(plan: Plan) -> dict[str, Any]:
    return {
        "plan": tuple({"do": s.do, "because": list(s.because), **s.params} for s in plan.steps),
        "refusals": tuple(msgspec.structs.asdict(refusal) for refusal in plan.refusals),
        "reason": plan.reason,
    }


def row_without_result(  # noqa: PLR0913  (as above)
    server: Server,
    kind: ErrorKind,
    message: str,
    *,
    command: str = "",
    before: ServerReport | None = None,
    executions: int = 0,
    elapsed_s: float = 0.0,
) -> ServerReport:
    """The row of a server that gave no result.

    Args:
        server: the server.
        kind: of the error.
        message: of the error.
        command: what is typed to put it right, if anything.
        before: what was seen of it; stays in the row.
        executions: of the agent there.
        elapsed_s: the time that it took.
    """
    verdict: Verdict = "not-started" if kind == "not-begun" else "unreachable"
    known = before or ServerReport(
        name=server.name,
        address=str(server.address),
        provider=server.provider or None,
        verdict=verdict,
    )
    return msgspec.structs.replace(
        known,
        verdict=verdict,
        error=ErrorRow(kind=kind, message=message, command=command),
        executions=max(executions, known.executions),
        elapsed_s=round(max(elapsed_s, known.elapsed_s), 3),
    )


def error_kind(error: VolactError) -> ErrorKind:
    """The kind of an error, in the words of the JSON contract."""
    if isinstance(error, TransportError | AnswerError):
        return error.kind
    # The others are input that cannot be used on this side of the connection.
    return "connect"


def command_of(error: VolactError) -> str:
    """The command to type on this machine before the next run, if one mends the error."""
    return error.command if isinstance(error, TransportError) else ""


def with_undo_plan(report: ServerReport, exam: Examination) -> ServerReport:
    """The row of an examination, with the settings to put back and the findings that follow."""
    if exam.undo is None:
        return report
    return replace(report, undo=exam.undo.preview(_leads_to(exam)))


def with_undo_result(
    report: ServerReport, exam: Examination, after: Facts, results: tuple[StepResult, ...]
) -> ServerReport:
    """The row after the steps: undone is only what the closing probe shows."""
    if exam.undo is None:
        return report
    row = outcome(exam.undo, after, results)
    missed = len(row.undone) < len(exam.undo.restores)
    return replace(report, undo=row, verdict="failed" if missed else report.verdict)


def _leads_to(exam: Examination) -> tuple[str, ...]:
    """The new findings of the state that the undo leads to, by the same rules."""
    known = {finding.id for finding in exam.findings}
    then = promised(exam.facts, exam.plan.steps, exam.ctx)
    return tuple(
        finding.id
        for finding in diagnose(assess(then, exam.ctx))
        if finding.id not in known and finding.severity in ("error", "warning")
    )
