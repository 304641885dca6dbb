"""The step that activates."""

from __future__ import annotations

from msgspec.structs import replace

from volact.core.assessment.channel import channel_of
from volact.core.assessment.licence import FULL_TERM_MIN, LICENSED
from volact.core.context import Context
from volact.core.steps.kind import Stage, plan_kind
from volact.core.steps.licences import described_clients, states
from volact.core.steps.params import StepParams
from volact.model.fact import Known
from volact.model.facts import Facts
from volact.model.text import say

_HEALTHY_REASON = 0x4004F040


class Activate(StepParams, frozen=True, kw_only=True):
    """It has no parameters; every KMS client product is activated."""


def _promise_licensed(params: Activate, facts: Facts, ctx: Context) -> Facts:
    if not isinstance(facts.products, Known):
        return facts
    products = tuple(
        replace(
            product,
            status=Known(LICENSED),
            reason=Known(_HEALTHY_REASON),
            grace_min=Known(FULL_TERM_MIN),
        )
        if channel_of(product) == "kms-client"
        else product
        for product in facts.products.value
    )
    return replace(facts, products=Known(products))


ACTIVATE = plan_kind(
    name="activate",
    params=Activate,
    label=say("activate Windows"),
    agent_parts=("activation",),
    stage=Stage.ACTIVATION,
    needs_consent=False,
    activation_needs_it=False,
    restarts=0,
    commands=lambda params, a: (a.console.activate(),),
    previous=lambda params, facts: states(facts, described_clients(facts)),
    promise=_promise_licensed,
    changes=None,
    stays=lambda params, before: say("an activation stays until it expires"),
)
