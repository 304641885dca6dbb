"""Servers with the same client machine ID (CMID): found and planned for across the fleet.

Pure: outcomes in, outcomes out.  A rearm is planned only with the operator's consent,
and only where the KMS host refuses the servers for being clones.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from msgspec.structs import replace

from volact.core.accept import accept
from volact.core.findings.fleet import duplicate_cmids
from volact.core.plan import make_plan
from volact.core.steps.rearm import REARM
from volact.model.finding import Finding
from volact.pipeline import Job, Outcome
from volact.pipeline.job import Examination
from volact.pipeline.rows import replanned

_TOO_FEW = 0xC004F038  # the KMS host has seen too few machines: clones count once
STEP = REARM.name


def needs_all_servers(job: Job) -> bool:
    """Whether some step can be planned only after every server was examined."""
    return STEP in job.policy.consent


def plan_together(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return the outcomes; clones that the KMS host does not count get a rearm."""
    facts = {o.server.name: o.examination.facts for o in outcomes if o.examination is not None}
    clones = duplicate_cmids(facts)
    return [_with_rearm(outcome, clones.get(outcome.server.name)) for outcome in outcomes]


async def planned_together(
    outcomes: AsyncGenerator[Outcome, None],
) -> AsyncGenerator[Outcome, None]:
    """The outcomes after all servers were examined, with the plans that need all."""
    async with aclosing(outcomes):
        seen = [outcome async for outcome in outcomes]
    for outcome in plan_together(seen):
        yield outcome


def _with_rearm(outcome: Outcome, finding: Finding | None) -> Outcome:
    exam = outcome.examination
    if exam is None or finding is None or not _refused_for_count(exam):
        return outcome
    (agreed,) = accept([replace(finding, repair="automatic")], exam.ctx.expected, exam.ctx.now)
    # A finding of the whole fleet: the closing probe of one server cannot judge it.
    plan = make_plan(exam.assessment, (*exam.findings, agreed))
    return replanned(outcome, replace(exam, plan=plan))


def _refused_for_count(exam: Examination) -> bool:
    agreed = STEP in exam.ctx.policy.consent
    return (
        agreed
        and bool(exam.assessment.licence.unlicensed)
        and exam.assessment.attempts.code == _TOO_FEW
    )
