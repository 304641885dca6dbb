"""What is about to be done to a server, written down before it is sent.

Values only.  ``pipeline/record.py`` names who receives them.
"""

from __future__ import annotations

from typing import Any

import msgspec


class PlannedStep(msgspec.Struct, frozen=True, kw_only=True):
    """One step as it is sent, and what it will overwrite.

    ``before`` has the shape of ``StepResult.before``; it comes from the facts that
    the plan was made from.
    """

    index: int
    do: str
    params: dict[str, Any] = {}
    because: tuple[str, ...] = ()
    before: dict[str, Any] = {}


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """The steps that one server is about to be sent, in one execution.

    ``at`` is UTC, ISO 8601 with milliseconds; ``provider`` is ``""`` when not known.
    """

    server: str
    address: str
    provider: str
    at: str
    steps: tuple[PlannedStep, ...]
