"""Steps that set and start Windows services."""

from __future__ import annotations

from typing import Literal

import msgspec

from volact.core.steps.kind import Stage, StepKind, StepParams, undo_kind
from volact.model.text import say

StartMode = Literal["auto", "delayed-auto", "demand", "disabled"]

# The start modes that Windows ships with.  Only sppsvc's is documented in
# detail; the others are general knowledge.
DEFAULT_START: dict[str, StartMode] = {
    "sppsvc": "delayed-auto",
    "slsvc": "auto",
    "RpcSs": "auto",
    "Winmgmt": "auto",
    "Schedule": "auto",
    "EventSystem": "auto",
    "W32Time": "auto",
    "sppuinotify": "demand",
    "SLUINotify": "demand",
}


class EnableService(StepParams, frozen=True, kw_only=True):
    """The service whose start mode is no longer to be "disabled"."""

    name: str
    start: StartMode


class StartService(StepParams, frozen=True, kw_only=True):
    """The service that is to run."""

    name: str


class RestoreStartMode(StepParams, frozen=True, kw_only=True):
    """The start mode to put back; ``expect`` are start modes as WMI names them.

    ``delayed`` is the registry's ``DelayedAutoStart``, ``None`` where it was not
    set.  ``was`` is the start mode that is replaced; only a later undo reads it.
    """

    name: str
    expect: tuple[str | None, ...]
    start: StartMode
    delayed: int | msgspec.UnsetType | None = msgspec.UNSET
    was: StartMode | msgspec.UnsetType = msgspec.UNSET


ENABLE_SERVICE = StepKind(
    name="enable-service",
    params=EnableService,
    stage=Stage.ENABLE_SERVICE,
    label=say("gives the service its start mode back"),
    needs_consent=False,
    alone=False,
    activation_needs_it=False,
    changes_licence=False,
    activates=False,
    agent_parts=("restart", "start_mode"),
)

START_SERVICE = StepKind(
    name="start-service",
    params=StartService,
    stage=Stage.START_SERVICE,
    label=say("starts the service"),
    needs_consent=False,
    alone=False,
    activation_needs_it=False,
    changes_licence=False,
    activates=False,
    agent_parts=(),
)

RESTORE_START_MODE = undo_kind(
    name="restore-start-mode",
    params=RestoreStartMode,
    needs_consent=False,
    agent_parts=("restart", "back_start"),
)
