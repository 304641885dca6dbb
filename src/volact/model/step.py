"""A step of a plan, what it did, a plan as a whole, and what is written before it is sent.

Values only.  The parameters of each kind of step are in docs/agent-protocol.md;
``pipeline/run_recorder.py`` names what receives an ``Intent``.
"""

from __future__ import annotations

from typing import Any

import msgspec


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One idempotent "ensure" operation.

    ``params`` is what the agent is sent beside ``do`` (JSON values only).
    ``because`` names the findings this step is for.
    """

    do: str
    because: tuple[str, ...] = ()
    params: dict[str, Any] = {}


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Something volact will not do, and why, and what would change that."""

    finding: str
    reason: str
    allow_with: str = ""  # the option that gives consent, "" when there is none


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Ordered steps, or the reason for doing nothing."""

    steps: tuple[Step, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    reason: str = ""  # why there are no steps


class StepResult(msgspec.Struct, frozen=True, kw_only=True):
    """What one step did on the server; ``hresult`` is unsigned."""

    do: str
    ok: bool
    changed: bool = False
    hresult: int | None = None
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    note: str = ""


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
