"""Undoing a run on one server: what a look and a closing look say of it.

What is put back is ``core.undo``'s; the visit itself is ``run``'s.
"""

from __future__ import annotations

from msgspec.structs import replace

from volact.core.assessment import assess
from volact.core.diagnose import diagnose
from volact.core.effects import promised
from volact.core.undo import outcome
from volact.model.facts import Facts
from volact.model.finding import Finding
from volact.model.report import ServerReport
from volact.model.step import StepResult
from volact.pipeline.job import Look


def looked(report: ServerReport, look: Look) -> ServerReport:
    """The row of a look, with what would be put back and where that leads."""
    if look.way is None:
        return report
    return replace(report, undo=look.way.looked(_leads_to(look)))


def judged(
    report: ServerReport, look: Look, after: Facts, results: tuple[StepResult, ...]
) -> ServerReport:
    """The row after the steps: only what the closing look shows is undone."""
    if look.way is None:
        return report
    row = outcome(look.way, after, results)
    missed = len(row.undone) < len(look.way.backs)
    return replace(report, undo=row, verdict="failed" if missed else report.verdict)


def _leads_to(look: Look) -> tuple[str, ...]:
    """What will be wrong, by the same rules that say what is wrong now."""
    known = {finding.id for finding in look.findings}
    then = promised(look.facts, look.plan.steps, look.ctx)
    return tuple(
        finding.id
        for finding in diagnose(assess(then, look.ctx))
        if finding.id not in known and _matters(finding)
    )


def _matters(finding: Finding) -> bool:
    return finding.severity != "info"
