"""Steps that say where Windows Time takes its time from, and when it starts."""

from __future__ import annotations

import msgspec

from volact.core.steps.kind import Stage, StepKind, StepParams, undo_kind
from volact.model.text import say


class SetTimeSource(StepParams, frozen=True, kw_only=True):
    """The time servers to take the time from."""

    peers: tuple[str, ...] | str


class SetTimeTrigger(StepParams, frozen=True, kw_only=True):
    """Nothing: Windows Time is to start with the network."""


class TimeSource(msgspec.Struct, frozen=True, kw_only=True):
    """The two values of Windows Time that name its source; ``None``: not set."""

    type: str | None
    peers: str | None


class RestoreTimeSource(StepParams, frozen=True, kw_only=True):
    """The time source to put back, exactly as it was."""

    expect: tuple[TimeSource, ...]
    type: str | None
    peers: str | None


class RestoreTimeTrigger(StepParams, frozen=True, kw_only=True):
    """What started and stopped Windows Time, to put back."""

    expect: tuple[str | None, ...]
    triggers: str | None


SET_TIME_SOURCE = StepKind(
    name="set-time-source",
    params=SetTimeSource,
    stage=Stage.TIME_SOURCE,
    label=say("names the time server"),
    needs_consent=False,
    alone=False,
    activation_needs_it=False,
    changes_licence=False,
    activates=False,
    agent_parts=("time_source",),
)

SET_TIME_TRIGGER = StepKind(
    name="set-time-trigger",
    params=SetTimeTrigger,
    stage=Stage.TIME_TRIGGER,
    label=say("lets Windows Time start by itself"),
    needs_consent=False,
    alone=False,
    activation_needs_it=False,
    changes_licence=False,
    activates=False,
    agent_parts=("time_source", "time_service"),
)

RESTORE_TIME_SOURCE = undo_kind(
    name="restore-time-source",
    params=RestoreTimeSource,
    needs_consent=False,
    agent_parts=("time_source", "back_time"),
)

RESTORE_TIME_TRIGGER = undo_kind(
    name="restore-time-trigger",
    params=RestoreTimeTrigger,
    needs_consent=False,
    agent_parts=("time_source", "back_time"),
)
