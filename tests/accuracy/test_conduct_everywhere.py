"""No plan is unsafe on any plausible server, not only on those of the cases."""

from __future__ import annotations

from typing import Any

from conduct import Deed, breaches
from hypothesis import given, settings
from plausible import POLICIES, servers, with_images
from servers import CLOCK, context, facts_of

from volact.core.assessment import assess
from volact.core.findings import diagnose
from volact.core.plan import make_plan


@settings(max_examples=300, deadline=None, derandomize=True)
@given(raw=servers(), policy=POLICIES)
def test_no_plan_breaks_a_rule_of_conduct(raw: dict[str, Any], policy: dict[str, Any]) -> None:
    ctx = with_images(context(**policy))
    facts = facts_of(raw)
    findings = diagnose(assess(facts, ctx))
    deed = Deed(
        raw=raw,
        clock=CLOCK,
        steps=make_plan(assess(facts, ctx), findings).steps,
        profile=ctx.knowledge.profile,
        images=ctx.images,
        policy=ctx.policy,
        errors=frozenset(f.id for f in findings if f.severity == "error"),
    )
    assert breaches(deed) == ()
