"""Facts in the form in which the agent reports values before and after a step.

A value that is not there is ``None``; one that could not be read is
``{"!": HRESULT}``, and left out where it was never asked.
"""

from __future__ import annotations

from typing import Any

from volact.core.steps.setting import Values
from volact.model.fact import Absent, Fact, Known


def reported(**facts: Fact[Any]) -> Values:
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
