"""Steps about the licensing program: who may run it, and what Windows starts in its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from msgspec.structs import replace

from volact.core import shell
from volact.core.assessment import Assessment
from volact.core.context import Context
from volact.core.sddl import granted, others_may_write
from volact.core.steps.kind import Changes, Stage, StepKind, undo_kind
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
    same,
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
    """The debugger that was seen; another one is left alone."""

    debugger: str


class RestoreAcl(StepParams, frozen=True, kw_only=True):
    """The permissions to put back, as SDDL."""

    expect: tuple[str | None, ...]
    sddl: str


class RestoreDebugger(StepParams, frozen=True, kw_only=True):
    """The debugger to put back, where there is none."""

    debugger: str


def _commands_to_grant(params: GrantExecute, a: Assessment) -> tuple[str, ...]:
    sddl = value_of(a.facts.binary.sddl) or ""
    return shell.grant_execute(a.service.program_path, params.sid, params.deny, sddl)


def _previous_acl(params: StepParams, facts: Facts) -> StepValues:
    return reported(sddl=facts.binary.sddl)


def _previous_debugger(params: StepParams, facts: Facts) -> StepValues:
    return reported(debugger=facts.binary.debugger)


def _promise_access(params: GrantExecute, facts: Facts, ctx: Context) -> Facts:
    sddl = value_of(facts.binary.sddl) or "D:"
    return _with_acl(facts, granted(sddl, params.sid, params.deny))


def _with_acl(facts: Facts, sddl: str) -> Facts:
    return replace(facts, binary=replace(facts.binary, sddl=Known(sddl)))


def _promise_no_debugger(params: RemoveDebugger, facts: Facts, ctx: Context) -> Facts:
    return replace(facts, binary=replace(facts.binary, debugger=ABSENT))


def _promise_debugger(params: RestoreDebugger, facts: Facts, ctx: Context) -> Facts:
    return replace(facts, binary=replace(facts.binary, debugger=Known(params.debugger)))


def _read_granted(params: GrantExecute, values: StepValues) -> Iterator[Reading]:
    sddl = known_value(values, "sddl")
    promise = granted(sddl, params.sid, params.deny) if isinstance(sddl, str) else None
    yield Reading(key=("acl",), value=sddl, promise=(promise,))


def _read_acl(params: RestoreAcl, values: StepValues) -> Iterator[Reading]:
    yield Reading(key=("acl",), value=known_value(values, "sddl"), promise=(params.sddl,))


def _read_removed(params: RemoveDebugger, values: StepValues) -> Iterator[Reading]:
    yield Reading(key=("debugger",), value=known_value(values, "debugger"), promise=(None,))


def _read_debugger(params: RestoreDebugger, values: StepValues) -> Iterator[Reading]:
    value = known_value(values, "debugger")
    yield Reading(key=("debugger",), value=value, promise=(params.debugger,))


def _now(name: str) -> Callable[[Facts, SettingKey], Fact[Any]]:
    def now(facts: Facts, key: SettingKey) -> Fact[Any]:
        fact: Fact[Any] = getattr(facts.binary, name)
        return Known(None) if isinstance(fact, Absent) else fact

    return now


def _acl_forbidden(facts: Facts, reversal: Reversal) -> Text | None:
    if not reversal.before or len(reversal.before) >= _CUT_SDDL:
        return say("the earlier value is too long to be stored whole")
    if others_may_write(reversal.before):
        return say("the earlier value lets others than administrators change the program")
    return None


def _restore_debugger(reversal: Reversal) -> RemoveDebugger | RestoreDebugger:
    if reversal.before is None:
        return RemoveDebugger(debugger=reversal.now)
    return RestoreDebugger(debugger=reversal.before)


ACL = Setting(
    name="acl",
    title=say("permissions of the licensing program"),
    now=_now("sddl"),
    restore=lambda reversal: RestoreAcl(expect=(reversal.now,), sddl=reversal.before),
    same=same,
    forbidden=_acl_forbidden,
)
DEBUGGER = Setting(
    name="debugger",
    title=say("debugger of the licensing program"),
    now=_now("debugger"),
    restore=_restore_debugger,
    same=same,
    forbidden=never_forbidden,
)
GRANT_EXECUTE = StepKind(
    name="grant-execute",
    params=GrantExecute,
    label=say("restore execute permission of the licensing program"),
    agent_parts=("file_owner", "file_acl"),
    stage=Stage.PROGRAM_RIGHTS,
    needs_consent=False,
    handed_out=True,
    activation_needs_it=True,
    restarts=0,
    commands=_commands_to_grant,
    previous=_previous_acl,
    promise=_promise_access,
    changes=Changes(setting=ACL, read=_read_granted, answer_tells=True),
    stays=None,
    undo_consent=None,
)
REMOVE_DEBUGGER = StepKind(
    name="remove-debugger",
    params=RemoveDebugger,
    label=say("remove the debugger of the licensing program"),
    agent_parts=("debugger",),
    stage=Stage.DEBUGGER,
    needs_consent=True,
    handed_out=False,
    activation_needs_it=True,
    restarts=0,
    commands=lambda params, a: (shell.remove_debugger(a.system.licensing_program),),
    previous=_previous_debugger,
    promise=_promise_no_debugger,
    changes=Changes(setting=DEBUGGER, read=_read_removed, answer_tells=True),
    stays=None,
    undo_consent=None,
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
    promise=_promise_debugger,
    changes=Changes(setting=DEBUGGER, read=_read_debugger, answer_tells=True),
    undo_consent=say(
        "a debugger stops the licensing program from running; restoring it needs your consent"
    ),
)
