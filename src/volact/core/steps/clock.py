"""Steps that set the clock right."""

from __future__ import annotations

from volact.core.steps.kind import Stage, StepKind, StepParams
from volact.model.text import say

SYNC_WITHIN_S = 60  # closer than this to the reference needs no correction


class SyncClock(StepParams, frozen=True, kw_only=True):
    """How near the clock has to come, and whether the phase limits are raised meanwhile."""

    within_s: int
    raise_limits: bool


class RestoreTimeLimits(StepParams, frozen=True, kw_only=True):
    """Nothing: what the limits were is written down on the server."""


SYNC_CLOCK = StepKind(
    name="sync-clock",
    params=SyncClock,
    stage=Stage.CLOCK,
    label=say("sets the clock right"),
    needs_consent=False,
    alone=False,
    activation_needs_it=True,
    changes_licence=False,
    activates=False,
    agent_parts=("time_source", "clock"),
)

RESTORE_TIME_LIMITS = StepKind(
    name="restore-time-limits",
    params=RestoreTimeLimits,
    stage=Stage.CLOCK_LIMITS,
    label=say("puts the limits of a correction back"),
    needs_consent=False,
    alone=False,
    activation_needs_it=False,
    changes_licence=False,
    activates=False,
    agent_parts=("clock", "time_service"),
)
