"""The registry of all kinds of steps; everything that lists steps is derived from it.

A kind is declared in the module of its topic.  Here it only gets its line in
``KINDS``; its place in a plan is its ``stage``.
"""

from __future__ import annotations

from typing import Any

from volact.core.steps.activation import ACTIVATE, REFRESH_LICENSE, RESTART_LICENSING
from volact.core.steps.clock import RESTORE_TIME_LIMITS, SYNC_CLOCK
from volact.core.steps.keys import INSTALL_KEY
from volact.core.steps.kind import Stage, StepKind
from volact.core.steps.kms_hosts import CLEAR_KMS_HOST, RESTORE_KMS_HOST, SET_KMS_HOST
from volact.core.steps.last_resorts import REARM, REBUILD_TOKEN_STORE
from volact.core.steps.network import ADD_DNS, ADD_ROUTE, REMOVE_ROUTE, RESTORE_DNS
from volact.core.steps.params import StepParams
from volact.core.steps.program import (
    GRANT_EXECUTE,
    REMOVE_DEBUGGER,
    RESTORE_ACL,
    RESTORE_DEBUGGER,
)
from volact.core.steps.services import ENABLE_SERVICE, RESTORE_START_MODE, START_SERVICE
from volact.core.steps.setting import Setting
from volact.core.steps.time_source import (
    RESTORE_TIME_SOURCE,
    RESTORE_TIME_TRIGGER,
    SET_TIME_SOURCE,
    SET_TIME_TRIGGER,
)

KINDS: tuple[StepKind[Any], ...] = (
    ENABLE_SERVICE,
    START_SERVICE,
    SYNC_CLOCK,
    RESTORE_TIME_LIMITS,
    SET_TIME_SOURCE,
    SET_TIME_TRIGGER,
    INSTALL_KEY,
    SET_KMS_HOST,
    CLEAR_KMS_HOST,
    GRANT_EXECUTE,
    REMOVE_DEBUGGER,
    ADD_DNS,
    ADD_ROUTE,
    RESTART_LICENSING,
    ACTIVATE,
    REFRESH_LICENSE,
    REBUILD_TOKEN_STORE,
    REARM,
    RESTORE_KMS_HOST,
    RESTORE_START_MODE,
    RESTORE_TIME_SOURCE,
    RESTORE_TIME_TRIGGER,
    RESTORE_ACL,
    RESTORE_DEBUGGER,
    RESTORE_DNS,
    REMOVE_ROUTE,
)
BY_NAME: dict[str, StepKind[Any]] = {kind.name: kind for kind in KINDS}
_BY_PARAMS: dict[type[StepParams], StepKind[Any]] = {kind.params: kind for kind in KINDS}
if not len(KINDS) == len(BY_NAME) == len(_BY_PARAMS):
    raise ImportError("two kinds of steps share a name or a struct of parameters")

PLAN_KINDS = tuple(  # in the order of a plan
    sorted((kind for kind in KINDS if kind.stage < Stage.UNDO), key=lambda kind: kind.stage)
)
UNDO_KINDS = tuple(kind for kind in KINDS if kind.stage == Stage.UNDO)
ORDER = tuple(kind.name for kind in PLAN_KINDS)
_RANKS = {kind.params: rank for rank, kind in enumerate(PLAN_KINDS)}

# Steps that are planned only with ``--allow STEP``: by a plan, and by an undo.
CONSENT_STEPS = tuple(kind.name for kind in KINDS if kind.needs_consent)
UNDO_CONSENT_STEPS = tuple(kind.name for kind in KINDS if kind.undo_consent is not None)

# The settings that steps change, by the first part of their keys.
SETTINGS: dict[str, Setting] = {
    kind.changes.setting.name: kind.changes.setting for kind in KINDS if kind.changes is not None
}


def kind_of(params: StepParams) -> StepKind[Any]:
    """The kind of step that these parameters are for."""
    return _BY_PARAMS[type(params)]


def rank_of(params: StepParams) -> int:
    """The place in a plan of the step that these parameters are for."""
    return _RANKS[type(params)]
