"""The way back from a run: what is put back, in which order, and what is left as it is.

- Only what the run really changed, and only where the server still has what the
  run put there; somebody's later change is left, and both values are said.
- The last thing done is undone first.
- Nothing on a fact that cannot be read; nothing against group policy; never a
  domain member's time.
- A step whose answer was lost is judged by the server itself: as before means
  that it never ran, as promised means that it did.

Whether it worked is for the closing look to say: ``outcome``.
"""

from __future__ import annotations

from typing import Any

import msgspec

from volact.core.undo_changes import MISSING, Change, changes_of
from volact.core.undo_settings import KINDS, RESTORE_DEBUGGER, Key, Way, value_now
from volact.core.undo_stays import stays
from volact.model.facts import Facts
from volact.model.step import Plan, Step, StepResult
from volact.model.text import Text, say
from volact.model.undo import Left, Past, Undone, UndoRow, UndoWord

# Bytes of steps that fit into one request beside every part of the agent that they need.
ROOM = 3600


class Back(msgspec.Struct, frozen=True, kw_only=True):
    """One setting on its way back."""

    step: Step
    key: Key
    undone: Undone


class WayBack(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about undoing one run on one server."""

    run: str
    backs: tuple[Back, ...] = ()
    left: tuple[Left, ...] = ()

    def plan(self) -> Plan:
        """The steps, or why there are none."""
        steps = tuple(back.step for back in self.backs)
        return Plan(steps=steps, reason="" if steps else self._reason())

    def _reason(self) -> str:
        refused = next((left for left in self.left if left.possible), None)
        if refused is not None:
            return refused.reason
        return say("Nothing to undo: everything that can be put back is as it was before the run.")

    def looked(self, leads_to: tuple[str, ...] = ()) -> UndoRow:
        """What a look alone says."""
        refused = any(left.possible for left in self.left)
        word: UndoWord = "planned" if self.backs else "refused" if refused else "nothing"
        undone = tuple(back.undone for back in self.backs)
        return UndoRow(run=self.run, word=word, undone=undone, left=self.left, leads_to=leads_to)


def plan_undo(past: Past, facts: Facts, consent: frozenset[str] = frozenset()) -> WayBack:
    """The way back from a run, for a server that stands as these facts say."""
    backs: list[Back] = []
    left = [one for deed in past.deeds if (one := stays(deed)) is not None]
    for key, chain in reversed(changes_of(past.deeds).items()):
        found = _judge(key, chain, facts, consent)
        if isinstance(found, Back):
            backs.append(found)
        elif found is not None:
            left.insert(0, found)
    taken, later = _in_one_request(backs)
    return WayBack(run=past.run, backs=taken, left=_once([*later, *left]))


def _in_one_request(backs: list[Back]) -> tuple[tuple[Back, ...], list[Left]]:
    """What one request holds, in order; the rest is for the next undo of the same run."""
    used, taken = 0, []
    for back in backs:
        used += len(msgspec.json.encode(back.step))
        if used > ROOM:
            break
        taken.append(back)
    why = say("one request does not hold all of it: undo the same run once more for the rest")
    later = [
        Left(do=back.undone.do, what=back.undone.what, reason=why, before=back.undone.before,
             put=back.undone.put, now=back.undone.put)
        for back in backs[len(taken) :]
    ]  # fmt: skip
    return tuple(taken), later


def outcome(way: WayBack, after: Facts, results: tuple[StepResult, ...]) -> UndoRow:
    """What the closing look says of it; ``results`` may be () where the answer was lost."""
    undone, left = [], list(way.left)
    told: list[StepResult | None] = [*results] if results else [None] * len(way.backs)
    for back, result in zip(way.backs, told, strict=True):
        readable, now = value_now(after, back.key)
        if readable and KINDS[back.key[0]].same(back.undone.before, now):
            undone.append(back.undone)
        else:
            left.append(_not_back(back, result, now if readable else None, readable=readable))
    failed = len(undone) < len(way.backs)
    refused = any(one.possible for one in left)
    word: UndoWord = ("partly" if undone else "failed") if failed else "undone"
    if refused and word == "undone":
        word = "partly"
    return UndoRow(run=way.run, word=word, undone=tuple(undone), left=tuple(left))


def what_is(key: Key) -> str:
    """The name of a setting in the JSON document."""
    return "/".join(key)


def _judge(
    key: Key, chain: list[Change], facts: Facts, consent: frozenset[str]
) -> Back | Left | None:
    """The way back of one setting, why there is none, or ``None``: it is as it was."""
    first, last, kind = chain[0], chain[-1], KINDS[key[0]]
    if first.before is MISSING:
        return _left(last, say("what was there before is not known"))
    readable, now = value_now(facts, key)
    if not readable:
        return _left(last, say("what is there now cannot be read"), before=first.before)
    if kind.same(first.before, now):
        return None
    put = _may_be(chain)
    if not any(kind.same(value, now) for value in put):
        return _left(last, _changed_since(put), before=first.before, put=put, now=now)
    way = Way(key=key, before=first.before, now=now, raw=first.raw, params=first.params)
    return _taken(way, last, facts, consent)


def _taken(way: Way, last: Change, facts: Facts, consent: frozenset[str]) -> Back | Left:
    """The step on that way, unless a rule forbids it or the person's word is missing."""
    kind = KINDS[way.key[0]]
    why, allow = kind.forbidden(facts, way), ""
    step = kind.back(way) if why is None else None
    if step is not None and step.do == RESTORE_DEBUGGER and RESTORE_DEBUGGER not in consent:
        why = say("a debugger keeps the licensing program from running; it needs your word")
        allow = f"--allow {RESTORE_DEBUGGER}"
    if step is None or why is not None:
        left = _left(last, why or "", before=way.before, put=(way.now,), now=way.now)
        return msgspec.structs.replace(left, allow_with=allow)
    undone = Undone(do=last.do, what=what_is(way.key), before=way.before, put=way.now)
    return Back(step=step, key=way.key, undone=undone)


def _may_be(chain: list[Change]) -> tuple[Any, ...]:
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
        return say("what the run put there is not known")
    return say("somebody has changed it since: it stays as it is")


def _left(
    change: Change, reason: str, *, before: Any = None, put: tuple[Any, ...] = (), now: Any = None
) -> Left:
    return Left(
        do=change.do,
        what=what_is(change.key),
        reason=reason,
        before=before,
        put=put[0] if put else None,
        now=now,
    )


def _not_back(back: Back, result: StepResult | None, now: Any, *, readable: bool) -> Left:
    """Why a setting is not back, as far as the step or the look says it."""
    if result is not None and not result.ok:
        code = f"0x{result.hresult:08X}" if result.hresult else ""
        said = ": ".join(part for part in (code, result.note) if part)
        reason = say("it could not be put back ({why})", why=said or back.step.do)
    elif readable:
        reason = say("the closing look does not show it as it was")
    else:
        reason = say("the closing look cannot read it")
    was = back.undone
    return Left(do=was.do, what=was.what, reason=reason, before=was.before, put=was.put, now=now)


def _once(left: list[Left]) -> tuple[Left, ...]:
    """A retried step says no more than a single one."""
    said: dict[tuple[str, str, str], Left] = {}
    for one in left:
        said.setdefault((one.do, one.what, str(one.reason)), one)
    return tuple(said.values())
