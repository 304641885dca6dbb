"""What a run did to a server, and the outcome of undoing it.  Values only."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from volact.model.step import StepResult

# ``planned``: only a probe, nothing was put back yet.  ``refused``: nothing could be.
UndoWord = Literal["planned", "undone", "partly", "failed", "refused", "nothing"]


class AppliedStep(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a run as it was sent, the values it was to replace, and its result.

    ``before`` was recorded before the step was sent.  ``result`` is ``None``
    where the answer was lost or never came: then it is not known whether it ran.
    """

    do: str
    params: dict[str, Any] = {}
    before: dict[str, Any] = {}
    result: StepResult | None = None


class RunHistory(msgspec.Struct, frozen=True, kw_only=True):
    """What one run did to one server, in the order in which it was done."""

    run: str
    steps: tuple[AppliedStep, ...] = ()
    provider: str = ""


class Undone(msgspec.Struct, frozen=True, kw_only=True):
    """A setting that is (or would be) as it was before the run.

    ``what`` names the setting: ``kms-host``, ``start-mode/sppsvc``.
    """

    do: str  # the kind of step of the run that had changed it
    what: str
    before: Any = None
    put: Any = None  # what the run put there


class NotRestored(msgspec.Struct, frozen=True, kw_only=True):
    """Something that stays as the run, or a later change, left it.

    ``possible`` distinguishes what could be undone but was not from what cannot be undone.
    """

    do: str
    what: str
    reason: str
    before: Any = None
    put: Any = None
    now: Any = None
    possible: bool = True
    allow_with: str = ""


class UndoRow(msgspec.Struct, frozen=True, kw_only=True):
    """``undo`` of the JSON document: what of a run was put back on one server.

    ``leads_to`` are the findings that were not there before and that an error
    is expected to be among once everything planned is put back.
    """

    run: str
    word: UndoWord
    undone: tuple[Undone, ...] = ()
    left: tuple[NotRestored, ...] = ()
    leads_to: tuple[str, ...] = ()
