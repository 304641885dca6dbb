"""Rows of the JSON contract out of what the pipeline found.  Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from volact.core.rows import license_row, os_row
from volact.errors import AnswerError, ErrorKind, TransportError, VolactError
from volact.model.fact import value_of
from volact.model.finding import Finding
from volact.model.report import ErrorRow, ServerReport, Word
from volact.model.server import Server
from volact.model.step import Plan, StepResult
from volact.pipeline.job import Look, Outcome


def row(  # noqa: PLR0913  (one argument for each part of a row)
    server: Server,
    look: Look,
    *,
    verdict: Word,
    plan: Plan,
    findings: tuple[Finding, ...],
    results: tuple[StepResult, ...] = (),
    resolved: tuple[str, ...] = (),
    executions: int,
    elapsed_s: float,
) -> ServerReport:
    """A server that was examined."""
    return ServerReport(
        name=server.name,
        address=str(server.address),
        provider=look.provider,
        verdict=verdict,
        os=os_row(look.assessment),
        license=license_row(look.assessment),
        findings=findings,
        plan=tuple(_step(step.do, step.because, step.params) for step in plan.steps),
        refusals=tuple(msgspec.structs.asdict(refusal) for refusal in plan.refusals),
        reason=plan.reason,
        results=tuple(msgspec.to_builtins(result) for result in results),
        resolved=resolved,
        executions=executions,
        elapsed_s=round(elapsed_s, 3),
        addresses=value_of(look.facts.addresses) or (),
        clock_skew_s=look.assessment.clock.skew_s,
    )


def replanned(outcome: Outcome, look: Look) -> Outcome:
    """The outcome of the same look with another plan."""
    plan = look.plan
    report = msgspec.structs.replace(
        outcome.report,
        plan=tuple(_step(step.do, step.because, step.params) for step in plan.steps),
        refusals=tuple(msgspec.structs.asdict(refusal) for refusal in plan.refusals),
        reason=plan.reason,
    )
    return msgspec.structs.replace(outcome, report=report, look=look)


def lost_row(  # noqa: PLR0913  (as above)
    server: Server,
    kind: ErrorKind,
    message: str,
    *,
    command: str = "",
    before: ServerReport | None = None,
    executions: int = 0,
    elapsed_s: float = 0.0,
) -> ServerReport:
    """A server that could not be examined; what was seen of it before is kept."""
    known = before or ServerReport(
        name=server.name,
        address=str(server.address),
        provider=server.provider or None,
        verdict="unreachable",
    )
    return msgspec.structs.replace(
        known,
        verdict="unreachable",
        error=ErrorRow(kind=kind, message=message, command=command),
        executions=max(executions, known.executions),
        elapsed_s=round(max(elapsed_s, known.elapsed_s), 3),
    )


def kind_of(error: VolactError) -> ErrorKind:
    """The contract's word for an error of one server."""
    if isinstance(error, TransportError | AnswerError):
        return error.kind
    # What is left is something unusable on our own side of the connection.
    return "connect"


def command_of(error: VolactError) -> str:
    """What is typed here before the next try, where one command mends it."""
    return error.command if isinstance(error, TransportError) else ""


def _step(do: str, because: tuple[str, ...], params: dict[str, Any]) -> dict[str, Any]:
    return {"do": do, "because": list(because), **params}
