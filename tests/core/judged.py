"""What volact makes of one server: its findings, its plan, its verdict."""

from __future__ import annotations

from typing import Any

import msgspec
from servers import context, facts_of

from volact.core.assessment import LicenceStanding, assess
from volact.core.context import Context
from volact.core.findings import diagnose
from volact.core.plan import make_plan
from volact.core.verify import is_healthy
from volact.model.finding import Finding
from volact.model.step import Plan


class Judged(msgspec.Struct, frozen=True):
    """One server as volact sees it."""

    found: dict[str, Finding]
    plan: Plan
    standing: LicenceStanding
    healthy: bool

    @property
    def steps(self) -> list[str]:
        """The names of the steps, in their order."""
        return [step.do for step in self.plan.steps]

    @property
    def asks_for(self) -> list[str]:
        """The options that the refusals name."""
        return [refusal.allow_with for refusal in self.plan.refusals if refusal.allow_with]

    def of(self, severity: str) -> set[str]:
        """The findings of one severity."""
        return {id for id, finding in self.found.items() if finding.severity == severity}


def judged(raw: dict[str, Any], ctx: Context | None = None, **policy: Any) -> Judged:
    """A server, with the context given or that of ``policy``."""
    a = assess(facts_of(raw), ctx or context(**policy))
    findings = diagnose(a)
    return Judged(
        {finding.id: finding for finding in findings},
        make_plan(a, findings),
        a.standing,
        is_healthy(a, findings),
    )
