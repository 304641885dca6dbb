"""Steps that ask for an activation, and that have the licensing service read its state anew."""

from __future__ import annotations

from volact.core.steps.kind import Stage, StepKind, StepParams
from volact.model.text import say


class Activate(StepParams, frozen=True, kw_only=True):
    """One product by its activation id; without one, every KMS client product."""

    product: str | None = None


class RefreshLicense(StepParams, frozen=True, kw_only=True):
    """Nothing: the licence state is read anew."""


class RestartLicensing(StepParams, frozen=True, kw_only=True):
    """Nothing: the licensing service is stopped and started."""


RESTART_LICENSING = StepKind(
    name="restart-licensing",
    params=RestartLicensing,
    stage=Stage.RESTART_SERVICE,
    label=say("restarts the licensing service"),
    needs_consent=False,
    alone=False,
    activation_needs_it=False,
    changes_licence=False,
    activates=False,
    agent_parts=(),
)

ACTIVATE = StepKind(
    name="activate",
    params=Activate,
    stage=Stage.ACTIVATION,
    label=say("activates Windows"),
    needs_consent=False,
    alone=False,
    activation_needs_it=False,
    changes_licence=False,
    activates=True,
    agent_parts=("activation",),
)

REFRESH_LICENSE = StepKind(
    name="refresh-license",
    params=RefreshLicense,
    stage=Stage.REFRESH,
    label=say("reads the licence anew"),
    needs_consent=False,
    alone=False,
    activation_needs_it=False,
    changes_licence=False,
    activates=False,
    agent_parts=("activation",),
)
