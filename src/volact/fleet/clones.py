"""Servers that share a machine ID: seen only when all were looked at, planned then.

Pure: outcomes in, outcomes out.  A rearm is planned only where the person agreed
to it, and only where the clones are what the KMS host refuses.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from volact.core.diagnose.fleet import duplicate_cmids
from volact.core.plan import make_plan
from volact.model.finding import Finding
from volact.pipeline import Job, Outcome
from volact.pipeline.job import Look
from volact.pipeline.rows import replanned

_TOO_FEW = 0xC004F038  # the KMS host has seen too few machines: clones count once
STEP = "rearm"


def needs_all(job: Job) -> bool:
    """Whether some step can be planned only when every server was looked at."""
    return STEP in job.policy.consent


def planned_together(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """The same outcomes; clones that a KMS host does not count get a rearm."""
    facts = {o.server.name: o.look.facts for o in outcomes if o.look is not None}
    clones = duplicate_cmids(facts)
    return [_with_rearm(outcome, clones.get(outcome.server.name)) for outcome in outcomes]


def _with_rearm(outcome: Outcome, finding: Finding | None) -> Outcome:
    look = outcome.look
    if look is None or finding is None or not _refused_for_count(look):
        return outcome
    agreed = replace(finding, repair="automatic")
    # The finding is the fleet's: the closing look at one server could not judge it.
    plan = make_plan(look.assessment, (*look.findings, agreed))
    return replanned(outcome, replace(look, plan=plan))


def _refused_for_count(look: Look) -> bool:
    agreed = STEP in look.ctx.policy.consent
    return (
        agreed
        and bool(look.assessment.licence.unlicensed)
        and look.assessment.attempts.code == _TOO_FEW
    )
