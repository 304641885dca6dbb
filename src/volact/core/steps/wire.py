"""The one place where steps get their wire form, and where that form is read again.

The wire form (``model.step.Step``) is what the agent is sent, what the store
keeps and what the JSON document shows: parameters first, the guard after them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from volact.core.steps import BY_NAME, kind_of
from volact.core.steps.params import ALWAYS, Guard, StepDraft, StepParams
from volact.model.step import Step


def to_wire(draft: StepDraft) -> Step:
    """The step as it is sent and stored."""
    params: dict[str, Any] = _json_value(msgspec.to_builtins(draft.params))
    if draft.guard is not ALWAYS:
        params |= _json_value(msgspec.to_builtins(draft.guard))
    return Step(do=kind_of(draft.params).name, because=draft.because, params=params)


def from_wire(step: Step) -> StepDraft:
    """The typed step; ``KeyError`` for an unknown kind, ``ValidationError`` for bad parameters."""
    return StepDraft(
        params=typed(step.do, step.params),
        because=step.because,
        guard=msgspec.convert(step.params, Guard),
    )


def typed(do: str, params: Mapping[str, Any]) -> StepParams:
    """The parameters of a step out of their wire form; errors as with ``from_wire``."""
    found: StepParams = msgspec.convert(params, BY_NAME[do].params)
    return found


def _json_value(value: Any) -> Any:
    """With lists for tuples, as a value that was read from JSON has them."""
    if isinstance(value, tuple | list):
        return [_json_value(item) for item in value]
    if isinstance(value, dict):
        return {key: _json_value(item) for key, item in value.items()}
    return value
