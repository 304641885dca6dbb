"""The step that installs a published client key."""

from __future__ import annotations

from volact.core.steps.kind import Stage, StepKind, StepParams
from volact.model.text import say


class InstallKey(StepParams, frozen=True, kw_only=True):
    """Published keys by ``build/SKU``; an installed key is left alone unless ``replace``."""

    keys: dict[str, str]
    replace: bool


INSTALL_KEY = StepKind(
    name="install-key",
    params=InstallKey,
    stage=Stage.KEY,
    label=say("installs the published client key"),
    needs_consent=False,
    alone=False,
    activation_needs_it=True,
    changes_licence=True,
    activates=False,
    agent_parts=("activation",),
)
