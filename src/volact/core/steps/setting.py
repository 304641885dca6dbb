"""A setting of a server that steps change: how an undo reads it and puts it back.

The settings themselves are declared beside the steps that change them.  Values have the
form in which the agent reports them: one that is not there is ``None``; one that could not be
read is ``{"!": HRESULT}``, and left out where it was never asked.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import msgspec

from volact.core.steps.params import StepParams
from volact.model.fact import Absent, Fact, Known, Unreadable, value_of
from volact.model.facts import Facts
from volact.model.text import Text

# Which setting: its name, then which one of its kind, as ("start-mode", "sppsvc").
SettingKey = tuple[str, ...]
# What the agent reports before or after a step, or what the facts say in its place.
StepValues = dict[str, Any]

MISSING: Any = object()  # a value that was not, or could not be, read


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """One setting in what was there before or after a step.

    ``promise`` are the values that the step may put there.  ``part`` is what
    belongs to this setting where one step changes several.
    """

    key: SettingKey
    value: Any
    promise: tuple[Any, ...]
    part: StepValues | None = None


class Reversal(msgspec.Struct, frozen=True, kw_only=True):
    """What putting one setting back takes.

    ``before`` is the value to put back, ``now`` the one that is there.
    ``previous`` is all that is known of what the step replaced, ``params`` are
    those of the step that changed the setting.
    """

    key: SettingKey
    before: Any
    now: Any
    previous: StepValues
    params: StepParams


def never_forbidden(facts: Facts, reversal: Reversal) -> Text | None:
    """No rule keeps the setting from being put back."""
    return None


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of setting.

    - ``name``: the first part of its keys; ``what`` in the JSON document
    - ``title``: what it is called for a person
    - ``now``: where it stands in the facts
    - ``restore``: the step that puts it back
    - ``forbidden``: the rule that keeps it from being put back, ``None``: none does
    - ``same``: whether two of its values mean the same, where equal ones alone do not
    """

    name: str
    title: Text
    now: Callable[[Facts, SettingKey], Fact[Any]]
    restore: Callable[[Reversal], StepParams]
    forbidden: Callable[[Facts, Reversal], Text | None]
    same: Callable[[Any, Any], bool] = operator.eq

    def value_now(self, facts: Facts, key: SettingKey) -> tuple[bool, Any]:
        """Whether the setting can be read, and its value; ``None`` where it is not set."""
        fact = self.now(facts, key)
        return not isinstance(fact, Unreadable), value_of(fact)


def known_value(values: StepValues, name: str) -> Any:
    """A value out of what was there; ``MISSING`` where it could not be read."""
    value = values.get(name, MISSING)
    return MISSING if isinstance(value, dict) and "!" in value else value


def reported(**facts: Fact[Any]) -> StepValues:
    """These facts by name."""
    values = {name: _plain(fact) for name, fact in facts.items()}
    return {name: value for name, value in values.items() if value is not NotImplemented}


def _plain(fact: Fact[Any]) -> Any:
    """A fact as an answer would hold it; ``NotImplemented`` when it was never asked."""
    if isinstance(fact, Known):
        return fact.value
    if isinstance(fact, Absent):
        return None
    return NotImplemented if fact.hresult is None else {"!": fact.hresult}
