"""Last resorts: steps that stand alone in a plan and end with a restart by a person."""

from __future__ import annotations

from volact.core.steps.kind import Stage, StepKind, StepParams
from volact.model.text import say


class RebuildTokenStore(StepParams, frozen=True, kw_only=True):
    """Nothing: the licence store is made anew."""


class Rearm(StepParams, frozen=True, kw_only=True):
    """Nothing: Windows gets a new client machine ID."""


REBUILD_TOKEN_STORE = StepKind(
    name="rebuild-token-store",
    params=RebuildTokenStore,
    stage=Stage.LAST_RESORT,
    label=say("lets Windows build its licence store anew"),
    needs_consent=True,
    alone=True,
    activation_needs_it=False,
    changes_licence=False,
    activates=False,
    agent_parts=("restart", "token_store"),
)

REARM = StepKind(
    name="rearm",
    params=Rearm,
    stage=Stage.LAST_RESORT,
    label=say("gives Windows a new client machine ID"),
    needs_consent=True,
    alone=True,
    activation_needs_it=False,
    changes_licence=False,
    activates=False,
    agent_parts=("restart", "rearm"),
)
