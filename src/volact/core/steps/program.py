"""Steps about the licensing program: who may run it, and what Windows starts in its place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from volact.core import shell
from volact.core.assessment import Assessment
from volact.core.assessment.system import KMS_PROGRAM
from volact.core.context import Context
from volact.core.sddl import granted, others_may_write
from volact.core.steps.kind import Changes, Stage, plan_kind, undo_kind
from volact.core.steps.params import StepParams
from volact.core.steps.setting import (
    Reading,
    Reversal,
    Setting,
    SettingKey,
    StepValues,
    known_value,
    never_forbidden,
    reported,
)
from volact.model.fact import ABSENT, Absent, Fact, Known, value_of
from volact.model.facts import Facts
from volact.model.text import Text, say

_CUT_SDDL = 1500  # where the agent cuts the text of a DACL


class GrantExecute(StepParams, frozen=True, kw_only=True):
    """The account that is to run the licensing program, and the SIDs whose denials are removed."""

    sid: str
    deny: tuple[str, ...]


class RemoveDebugger(StepParams, frozen=True, kw_only=True):
    """The debugger that was seen; another one is left alone.

    With ``kms`` it is that of SppExtComObj.exe, else that of the licensing program.
    """

    debugger: str
    kms: bool = False


class RestoreAcl(StepParams, frozen=True, kw_only=True):
    """The permissions to put back, as SDDL."""

    expect: tuple[str | None, ...]
    sddl: str


class RestoreDebugger(StepParams, frozen=True, kw_only=True):
    """The debugger to put back, where there is none; ``kms`` as for its removal."""

    debugger: str
    kms: bool = False


def _commands_to_grant(params: GrantExecute, a: Assessment) -> tuple[str, ...]:
    sddl = value_of(a.facts.binary.sddl) or ""
    return shell.grant_execute(a.service.program_path, params.sid, params.deny, sddl)


def _previous_acl(params: StepParams, facts: Facts) -> StepValues:
    return reported(sddl=facts.binary.sddl)


def _previous_debugger(params: RemoveDebugger | RestoreDebugger, facts: Facts) -> StepValues:
    binary = facts.binary
    return reported(debugger=binary.kms_debugger if params.kms else binary.debugger)


def _promise_access(params: GrantExecute, facts: Facts, ctx: Context) -> Facts:
    sddl = value_of(facts.binary.sddl) or "D:"
    return _with_acl(facts, granted(sddl, params.sid, params.deny))


def _with_acl(facts: Facts, sddl: str) -> Facts:
    return replace(facts, binary=replace(facts.binary, sddl=Known(sddl)))


def _with_debugger(
    facts: Facts, params: RemoveDebugger | RestoreDebugger, debugger: Fact[str]
) -> Facts:
    binary = facts.binary
    changed = (
        replace(binary, kms_debugger=debugger) if params.kms else replace(binary, debugger=debugger)
    )
    return replace(facts, binary=changed)


def _debugger_key(params: RemoveDebugger | RestoreDebugger) -> SettingKey:
    return ("debugger", KMS_PROGRAM) if params.kms else ("debugger",)


def _read_granted(params: GrantExecute, values: StepValues) -> Iterator[Reading]:
    sddl = known_value(values, "sddl")
    promise = granted(sddl, params.sid, params.deny) if isinstance(sddl, str) else None
    yield Reading(key=("acl",), value=sddl, promise=(promise,))


def _read_acl(params: RestoreAcl, values: StepValues) -> Iterator[Reading]:
    yield Reading(key=("acl",), value=known_value(values, "sddl"), promise=(params.sddl,))


def _read_debugger(
    params: RemoveDebugger | RestoreDebugger, values: StepValues
) -> Iterator[Reading]:
    value = known_value(values, "debugger")
    promise = params.debugger if isinstance(params, RestoreDebugger) else None
    yield Reading(key=_debugger_key(params), value=value, promise=(promise,))


def _acl_now(facts: Facts, key: SettingKey) -> Fact[Any]:
    return _none_known(facts.binary.sddl)


def _debugger_now(facts: Facts, key: SettingKey) -> Fact[Any]:
    binary = facts.binary
    return _none_known(binary.debugger if key == ("debugger",) else binary.kms_debugger)


def _none_known(fact: Fact[Any]) -> Fact[Any]:
    return Known(None) if isinstance(fact, Absent) else fact


def _acl_forbidden(facts: Facts, reversal: Reversal) -> Text | None:
    if not reversal.before or len(reversal.before) >= _CUT_SDDL:
        return say("the earlier value is too long to be stored whole")
    if others_may_write(reversal.before):
        return say("the earlier value lets others than administrators change the program")
    return None


def _restore_debugger(reversal: Reversal) -> RemoveDebugger | RestoreDebugger:
    kms = reversal.key != ("debugger",)
    if reversal.before is None:
        return RemoveDebugger(debugger=reversal.now, kms=kms)
    return RestoreDebugger(debugger=reversal.before, kms=kms)


ACL = Setting(
    name="acl",
    title=say("permissions of the licensing program"),
    now=_acl_now,
    restore=lambda reversal: RestoreAcl(expect=(reversal.now,), sddl=reversal.before),
    forbidden=_acl_forbidden,
)
DEBUGGER = Setting(
    name="debugger",
    title=say("debugger of the licensing program"),
    now=_debugger_now,
    restore=_restore_debugger,
    forbidden=never_forbidden,
)
GRANT_EXECUTE = plan_kind(
    name="grant-execute",
    params=GrantExecute,
    label=say("restore execute permission of the licensing program"),
    agent_parts=("file_owner", "file_acl"),
    stage=Stage.PROGRAM_RIGHTS,
    needs_consent=False,
    activation_needs_it=True,
    restarts=0,
    commands=_commands_to_grant,
    previous=_previous_acl,
    promise=_promise_access,
    changes=Changes(setting=ACL, read=_read_granted, answer_tells=True),
    stays=None,
)
REMOVE_DEBUGGER = plan_kind(
    name="remove-debugger",
    params=RemoveDebugger,
    label=say("remove the debugger of the licensing program"),
    agent_parts=("debugger",),
    stage=Stage.DEBUGGER,
    needs_consent=True,
    activation_needs_it=True,
    restarts=0,
    commands=lambda params, a: (
        shell.remove_debugger(KMS_PROGRAM if params.kms else a.system.licensing_program),
    ),
    previous=_previous_debugger,
    promise=lambda params, facts, ctx: _with_debugger(facts, params, ABSENT),
    changes=Changes(setting=DEBUGGER, read=_read_debugger, answer_tells=True),
    stays=None,
)
RESTORE_ACL = undo_kind(
    name="restore-acl",
    params=RestoreAcl,
    agent_parts=("file_owner", "back_file"),
    restarts=0,
    previous=_previous_acl,
    promise=lambda params, facts, ctx: _with_acl(facts, params.sddl),
    changes=Changes(setting=ACL, read=_read_acl, answer_tells=True),
    undo_consent=None,
)
RESTORE_DEBUGGER = undo_kind(
    name="restore-debugger",
    params=RestoreDebugger,
    agent_parts=("back_file",),
    restarts=0,
    previous=_previous_debugger,
    promise=lambda params, facts, ctx: _with_debugger(facts, params, Known(params.debugger)),
    changes=Changes(setting=DEBUGGER, read=_read_debugger, answer_tells=True),
    undo_consent=say(
        "a debugger stops the licensing program from running; restoring it needs your consent"
    ),
)
