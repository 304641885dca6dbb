"""What a run's steps changed, setting by setting, out of what was recorded of them.

A step that answered reports what it changed; of one whose answer was lost only the
promise is known.  Where a setting stands in the facts and how it is put back is
declared beside the steps, in ``core.steps``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from volact.core.steps import BY_NAME
from volact.core.steps.kind import Changes
from volact.core.steps.params import StepParams
from volact.core.steps.setting import MISSING, Reading, Setting, SettingKey, StepValues
from volact.core.steps.wire import typed
from volact.model.undo import AppliedStep


class SettingChange(msgspec.Struct, frozen=True, kw_only=True):
    """One setting that one step changed, or may have changed.

    ``put`` are the values that it may have put there; ``sure`` says that it
    answered.  ``previous`` is the whole of what was there before.
    """

    do: str
    params: StepParams
    setting: Setting
    key: SettingKey
    before: Any
    put: tuple[Any, ...]
    sure: bool
    previous: StepValues


def changes_of(steps: Iterable[AppliedStep]) -> dict[SettingKey, list[SettingChange]]:
    """Every setting with its changes in order; the newest setting last."""
    found: dict[SettingKey, list[SettingChange]] = {}
    for step in steps:
        for change in _changes(step):
            chain = found.pop(change.key, [])
            found[change.key] = [*chain, change]
    return found


def params_of(step: AppliedStep) -> StepParams | None:
    """The parameters of a recorded step; ``None`` where this volact cannot read them."""
    try:
        return typed(step.do, step.params)
    except (KeyError, msgspec.ValidationError):
        return None


def may_have_changed(step: AppliedStep) -> bool:
    """Whether the step may have changed a setting that can be put back."""
    kind = BY_NAME.get(step.do)
    return kind is not None and kind.changes is not None and not _never_ran(step)


def _changes(step: AppliedStep) -> Iterator[SettingChange]:
    params, kind = params_of(step), BY_NAME.get(step.do)
    if params is None or kind is None or kind.changes is None or _never_ran(step):
        return
    answered = kind.changes.answer_tells and _answered(step)
    before = step.result.before if answered and step.result else step.before
    after = _values_after(step, kind.changes, params) if answered else {}
    for reading in kind.changes.read(params, before):
        put, sure = reading.promise, False
        if answered:
            value = after.get(reading.key, MISSING)
            sure = value is not MISSING
            if sure and value == reading.value:
                continue
            put = (value,) if sure else reading.promise
        yield SettingChange(
            do=step.do,
            params=params,
            setting=kind.changes.setting,
            key=reading.key,
            before=reading.value,
            put=put,
            sure=sure,
            previous=before if reading.part is None else reading.part,
        )


def _values_after(
    step: AppliedStep, changes: Changes[StepParams], params: StepParams
) -> dict[SettingKey, Any]:
    after = step.result.after if step.result else {}
    readings: Iterator[Reading] = changes.read(params, after)
    return {reading.key: reading.value for reading in readings}


def _never_ran(step: AppliedStep) -> bool:
    """Skipped, refused before it began, or bound to another release."""
    result = step.result
    return result is not None and not result.before and not result.after and result.hresult is None


def _answered(step: AppliedStep) -> bool:
    """A step that was cut off does not report what it had done by then."""
    return step.result is not None and bool(step.result.before or step.result.after)
