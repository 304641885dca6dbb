"""The undo of a run: what is put back, in which order, and what is left as it is.

- Only what the run really changed, and only where the server still has what the
  run put there; a later change is left, and both values are reported.
- The last thing done is undone first.
- Nothing on a fact that cannot be read; nothing against group policy; never a
  domain member's time.
- A step whose answer was lost is judged by the server itself: as before means
  that it never ran, as promised means that it did.

Whether it worked is shown by the closing probe: ``outcome``.
"""

from __future__ import annotations

from typing import Any

import msgspec

from volact.core.steps import BY_NAME, SETTINGS, kind_of
from volact.core.steps.params import StepDraft
from volact.core.steps.setting import MISSING, Reversal, SettingKey
from volact.core.steps.wire import from_wire, to_wire
from volact.core.undo_changes import SettingChange, changes_of, may_have_changed, params_of
from volact.model.facts import Facts
from volact.model.step import Plan, Step, StepResult
from volact.model.text import Text, say
from volact.model.undo import AppliedStep, NotRestored, RunHistory, Undone, UndoRow, UndoWord

# Bytes of steps that fit into one request beside every part of the agent that they need.
ROOM = 3200


class Restore(msgspec.Struct, frozen=True, kw_only=True):
    """One setting that is put back: the step, the setting's key, its row."""

    step: Step
    key: SettingKey
    undone: Undone


class UndoPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about undoing one run on one server."""

    run: str
    restores: tuple[Restore, ...] = ()
    left: tuple[NotRestored, ...] = ()

    def plan(self) -> Plan:
        """The steps, or why there are none."""
        steps = tuple(restore.step for restore in self.restores)
        return Plan(steps=steps, reason="" if steps else self._reason())

    def _reason(self) -> str:
        refused = next((left for left in self.left if left.possible), None)
        if refused is not None:
            return refused.reason
        return say(
            "Nothing to undo: everything that can be restored already has its earlier value."
        )

    def preview(self, leads_to: tuple[str, ...] = ()) -> UndoRow:
        """The row before anything is put back."""
        refused = any(left.possible for left in self.left)
        word: UndoWord = "planned" if self.restores else "refused" if refused else "nothing"
        undone = tuple(restore.undone for restore in self.restores)
        return UndoRow(run=self.run, word=word, undone=undone, left=self.left, leads_to=leads_to)


def plan_undo(history: RunHistory, facts: Facts, consent: frozenset[str] = frozenset()) -> UndoPlan:
    """What is put back of a run, on a server with these facts.

    Args:
        history: what the run did on the server.
        facts: of a fresh probe.
        consent: the steps that the operator has allowed.
    """
    restores: list[Restore] = []
    left = [one for step in history.steps for one in (_unread(step), _stays(step)) if one]
    for chain in reversed(changes_of(history.steps).values()):
        found = _judge_stored(chain, facts, consent)
        if isinstance(found, Restore):
            restores.append(found)
        elif found is not None:
            left.insert(0, found)
    taken, later = _in_one_request(restores)
    return UndoPlan(run=history.run, restores=taken, left=_once([*later, *left]))


def _in_one_request(restores: list[Restore]) -> tuple[tuple[Restore, ...], list[NotRestored]]:
    """What one request holds, in order; the rest is for the next undo of the same run."""
    used, taken = 0, []
    for restore in restores:
        used += len(msgspec.json.encode(restore.step))
        if used > ROOM:
            break
        taken.append(restore)
    why = say("one request cannot hold all changes: undo the same run again for the rest")
    later = [
        NotRestored(**msgspec.structs.asdict(undone), reason=why, now=undone.put)
        for undone in (restore.undone for restore in restores[len(taken) :])
    ]
    return tuple(taken), later


def outcome(plan: UndoPlan, after: Facts, results: tuple[StepResult, ...]) -> UndoRow:
    """The row after the steps: only what the closing probe shows is undone.

    Args:
        plan: what was to be put back.
        after: the facts of the closing probe.
        results: what the steps answered; () where the answer was lost.
    """
    undone, left = [], list(plan.left)
    told: list[StepResult | None] = [*results] if results else [None] * len(plan.restores)
    for restore, result in zip(plan.restores, told, strict=True):
        setting = SETTINGS[restore.key[0]]
        readable, now = setting.value_now(after, restore.key)
        if readable and setting.same(restore.undone.before, now):
            undone.append(restore.undone)
        else:
            left.append(_not_back(restore, result, now if readable else None, readable=readable))
    failed = len(undone) < len(plan.restores)
    refused = any(one.possible for one in left)
    word: UndoWord = ("partly" if undone else "failed") if failed else "undone"
    if refused and word == "undone":
        word = "partly"
    return UndoRow(run=plan.run, word=word, undone=tuple(undone), left=tuple(left))


def _what(key: SettingKey) -> str:
    """The name of a setting in the JSON document."""
    return "/".join(key)


def _unread(step: AppliedStep) -> NotRestored | None:
    """A step that was recorded by another volact, with parameters unknown to this one."""
    if not may_have_changed(step) or params_of(step) is not None:
        return None
    why = say("the earlier value is not known")
    return NotRestored(do=step.do, what=step.do, reason=why)


def _stays(step: AppliedStep) -> NotRestored | None:
    """What this step did that stays as it is; ``None`` when it did nothing that lasts."""
    kind, params = BY_NAME.get(step.do), params_of(step)
    if kind is None or kind.stays is None or params is None:
        return None
    if step.result is not None and not step.result.changed:
        return None
    reason = kind.stays(params, step.before)
    return NotRestored(do=step.do, what=step.do, reason=reason, possible=False)


def _judge_stored(
    chain: list[SettingChange], facts: Facts, consent: frozenset[str]
) -> Restore | NotRestored | None:
    """``_judge``, for values from a store that may have been edited: of any type and form."""
    try:
        found = _judge(chain, facts, consent)
        if isinstance(found, Restore):
            from_wire(found.step)
    except Exception:
        return _left(chain[-1], say("the earlier value is not known"))
    return found


def _judge(
    chain: list[SettingChange], facts: Facts, consent: frozenset[str]
) -> Restore | NotRestored | None:
    """The step that puts a setting back, why there is none, or ``None``: it is as it was."""
    first, last = chain[0], chain[-1]
    key, setting = last.key, last.setting
    if first.before is MISSING:
        return _left(last, say("the earlier value is not known"))
    readable, now = setting.value_now(facts, key)
    if not readable:
        return _left(last, say("the current value cannot be read"), before=first.before)
    if setting.same(first.before, now):
        return None
    put = _may_be(chain)
    if not any(setting.same(value, now) for value in put):
        return _left(last, _changed_since(put), before=first.before, put=put, now=now)
    reversal = Reversal(
        key=key, before=first.before, now=now, previous=first.previous, params=first.params
    )
    return _restored(reversal, last, facts, consent)


def _restored(
    reversal: Reversal, last: SettingChange, facts: Facts, consent: frozenset[str]
) -> Restore | NotRestored:
    """The step that puts it back, unless a rule forbids it or consent is missing."""
    why, allow = last.setting.forbidden(facts, reversal), ""
    params = last.setting.restore(reversal) if why is None else None
    if params is not None:
        kind = kind_of(params)
        if kind.undo_consent is not None and kind.name not in consent:
            why, allow = kind.undo_consent, f"--allow {kind.name}"
    if params is None or why is not None:
        left = _left(last, why or "", before=reversal.before, put=(reversal.now,), now=reversal.now)
        return msgspec.structs.replace(left, allow_with=allow)
    undone = Undone(do=last.do, what=_what(last.key), before=reversal.before, put=reversal.now)
    return Restore(step=to_wire(StepDraft(params=params)), key=last.key, undone=undone)


def _may_be(chain: list[SettingChange]) -> tuple[Any, ...]:
    """What the run may have left there: from the last step on that is known to have run."""
    values: list[Any] = []
    for change in reversed(chain):
        values.extend(change.put)
        if change.sure:
            break
        if change.before is not MISSING:
            values.append(change.before)
    return tuple(value for value in values if value is not MISSING)


def _changed_since(put: tuple[Any, ...]) -> Text:
    if not put:
        return say("the value set by the run is not known")
    return say("changed since then: left unchanged")


def _left(
    change: SettingChange,
    reason: str,
    *,
    before: Any = None,
    put: tuple[Any, ...] = (),
    now: Any = None,
) -> NotRestored:
    return NotRestored(
        do=change.do,
        what=_what(change.key),
        reason=reason,
        before=before,
        put=put[0] if put else None,
        now=now,
    )


def _not_back(
    restore: Restore, result: StepResult | None, now: Any, *, readable: bool
) -> NotRestored:
    """Why a setting is not back, as far as the step or the probe shows it."""
    if result is not None and not result.ok:
        code = f"0x{result.hresult:08X}" if result.hresult else ""
        said = ": ".join(part for part in (code, result.note) if part)
        reason = say("could not be restored ({why})", why=said or restore.step.do)
    elif readable:
        reason = say("the verification does not show the earlier value")
    else:
        reason = say("the verification could not read it")
    return NotRestored(**msgspec.structs.asdict(restore.undone), reason=reason, now=now)


def _once(left: list[NotRestored]) -> tuple[NotRestored, ...]:
    """A step that was retried is reported once."""
    said: dict[tuple[str, str, str], NotRestored] = {}
    for one in left:
        said.setdefault((one.do, one.what, str(one.reason)), one)
    return tuple(said.values())
