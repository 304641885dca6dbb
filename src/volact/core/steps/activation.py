"""Steps that activate, and that make the licensing service read its state again."""

from __future__ import annotations

from msgspec.structs import replace

from volact.core.assessment.channel import channel_of
from volact.core.assessment.licence import FULL_TERM_MIN, LICENSED
from volact.core.assessment.system import licensing_service
from volact.core.context import Context
from volact.core.steps.kind import Stage, no_commands, nothing_changes, plan_kind
from volact.core.steps.licences import described_clients, main_products, states
from volact.core.steps.params import StepParams
from volact.core.steps.services import commands_to_restart, service_values
from volact.core.steps.setting import StepValues
from volact.model.fact import Known, value_of
from volact.model.facts import Facts
from volact.model.text import say

_HEALTHY_REASON = 0x4004F040


class Activate(StepParams, frozen=True, kw_only=True):
    """One product by its activation id; without one, every KMS client product."""

    product: str | None = None


class RefreshLicense(StepParams, frozen=True, kw_only=True):
    """It has no parameters; the licence state is read anew."""


class RestartLicensing(StepParams, frozen=True, kw_only=True):
    """It has no parameters; the licensing service is stopped and started."""


def _previous_activation(params: Activate, facts: Facts) -> StepValues:
    wanted = (params.product or "").lower()
    if not wanted:
        return states(facts, described_clients(facts))
    main = main_products(facts)
    return states(facts, (one for one in main if str(value_of(one.id)).lower() == wanted))


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


RESTART_LICENSING = plan_kind(
    name="restart-licensing",
    params=RestartLicensing,
    label=say("restart the licensing service"),
    agent_parts=("restart_licensing",),
    stage=Stage.RESTART_SERVICE,
    needs_consent=False,
    activation_needs_it=False,
    restarts=0,
    commands=lambda params, a: commands_to_restart(a),
    previous=lambda params, facts: service_values(facts, licensing_service(facts.os)),
    promise=nothing_changes,
    changes=None,
    stays=None,
)
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
    previous=_previous_activation,
    promise=_promise_licensed,
    changes=None,
    stays=lambda params, before: say("an activation stays until it expires"),
)
REFRESH_LICENSE = plan_kind(
    name="refresh-license",
    params=RefreshLicense,
    label=say("refresh the licence state"),
    agent_parts=("activation",),
    stage=Stage.REFRESH,
    needs_consent=False,
    activation_needs_it=False,
    restarts=0,
    commands=no_commands,
    previous=lambda params, facts: states(facts, main_products(facts)),
    promise=nothing_changes,
    changes=None,
    stays=None,
)
