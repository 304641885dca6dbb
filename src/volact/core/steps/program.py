"""Steps about the licensing program: who may run it, and what Windows starts in its place."""

from __future__ import annotations

from volact.core.steps.kind import Stage, StepKind, StepParams, undo_kind
from volact.model.text import say


class GrantExecute(StepParams, frozen=True, kw_only=True):
    """The account that is to run the licensing program, and the SIDs whose denials go."""

    sid: str
    deny: tuple[str, ...]


class RemoveDebugger(StepParams, frozen=True, kw_only=True):
    """The debugger that was seen; another one is left alone."""

    debugger: str


class RestoreAcl(StepParams, frozen=True, kw_only=True):
    """The permissions to put back, as SDDL."""

    expect: tuple[str | None, ...]
    sddl: str


class RestoreDebugger(StepParams, frozen=True, kw_only=True):
    """The debugger to put back, where there is none."""

    debugger: str


GRANT_EXECUTE = StepKind(
    name="grant-execute",
    params=GrantExecute,
    stage=Stage.PROGRAM_RIGHTS,
    label=say("lets the licensing program be executed"),
    needs_consent=False,
    alone=False,
    activation_needs_it=True,
    changes_licence=False,
    activates=False,
    agent_parts=("file_owner", "file_acl"),
)

REMOVE_DEBUGGER = StepKind(
    name="remove-debugger",
    params=RemoveDebugger,
    stage=Stage.DEBUGGER,
    label=say("takes the debugger of the licensing program away"),
    needs_consent=True,
    alone=False,
    activation_needs_it=True,
    changes_licence=False,
    activates=False,
    agent_parts=("debugger",),
)

RESTORE_ACL = undo_kind(
    name="restore-acl",
    params=RestoreAcl,
    needs_consent=False,
    agent_parts=("file_owner", "back_file"),
)

RESTORE_DEBUGGER = undo_kind(
    name="restore-debugger",
    params=RestoreDebugger,
    needs_consent=True,
    agent_parts=("back_file",),
)
