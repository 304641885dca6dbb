"""A step of a plan, what it did, and a plan as a whole.  Values only.

The parameters of each kind of step are in docs/agent-protocol.md.
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
