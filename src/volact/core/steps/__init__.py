"""The registry of all kinds of steps; everything that lists steps is derived from it.

A kind is declared in the module of its topic; its place in a plan is its
``stage``.  Here a new topic gets its line in ``TOPICS``, a new step of a topic
nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from volact.core.steps import (
    activation,
    clock,
    keys,
    kms_hosts,
    network,
    program,
    rearm,
    services,
    time_source,
    token_store,
)
from volact.core.steps.kind import Stage, StepKind
from volact.core.steps.params import StepParams
from volact.core.steps.setting import Setting

# Within one stage, steps come in this order of topics.
TOPICS = (
    services,
    clock,
    time_source,
    keys,
    kms_hosts,
    program,
    network,
    activation,
    token_store,
    rearm,
)


def _declared() -> Iterator[StepKind[Any]]:
    for topic in TOPICS:
        yield from (value for value in vars(topic).values() if isinstance(value, StepKind))


KINDS: tuple[StepKind[Any], ...] = tuple(dict.fromkeys(_declared()))
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
