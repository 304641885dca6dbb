"""The undo part of a row: what would be put back, and what was.

Which settings are put back is ``core.undo``'s; the visit is ``run``'s.
"""

from __future__ import annotations

from msgspec.structs import replace

from volact.core.assessment import assess
from volact.core.findings import diagnose
from volact.core.steps.forecast import promised
from volact.core.undo import outcome
from volact.model.facts import Facts
from volact.model.finding import Finding
from volact.model.report import ServerReport
from volact.model.step import StepResult
from volact.pipeline.job import Examination


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
        if finding.id not in known and _matters(finding)
    )


def _matters(finding: Finding) -> bool:
    return finding.severity in ("error", "warning")
