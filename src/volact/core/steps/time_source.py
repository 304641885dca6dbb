"""Steps that set where Windows Time takes its time from, and when it starts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec.structs import replace

from volact.core import shell
from volact.core.assessment.system import role_of
from volact.core.context import Context
from volact.core.steps.kind import Changes, Stage, plan_kind, undo_kind
from volact.core.steps.params import StepParams
from volact.core.steps.setting import (
    MISSING,
    Reading,
    Reversal,
    Setting,
    SettingKey,
    StepValues,
    known_value,
    reported,
)
from volact.model.fact import ABSENT, Fact, Known, Unreadable, is_known, value_of
from volact.model.facts import Facts
from volact.model.text import Text, say

_CUT_TEXT = 300  # where the agent cuts a text
_NETWORK_ON = "2/1 2/2"  # with the network: started, stopped
_TRIGGERS = frozenset({"2/1", "2/2", "3/1", "3/2"})


class SetTimeSource(StepParams, frozen=True, kw_only=True):
    """The time servers to take the time from; a text has blanks between them."""

    peers: tuple[str, ...] | str

    def names(self) -> tuple[str, ...]:
        """The time servers one by one, with their flags where they have any."""
        return tuple(self.peers.split()) if isinstance(self.peers, str) else self.peers


class SetTimeTrigger(StepParams, frozen=True, kw_only=True):
    """It has no parameters; Windows Time is to start with the network."""


class TimeSource(msgspec.Struct, frozen=True, kw_only=True):
    """The two values of Windows Time that name its source; ``None``: not set."""

    type: str | None
    peers: str | None


class RestoreTimeSource(StepParams, frozen=True, kw_only=True):
    """The time source to put back, exactly as it was."""

    expect: tuple[TimeSource, ...]
    type: str | None
    peers: str | None


class RestoreTimeTrigger(StepParams, frozen=True, kw_only=True):
    """What started and stopped Windows Time, to put back."""

    expect: tuple[str | None, ...]
    triggers: str | None


def _previous_source(params: StepParams, facts: Facts) -> StepValues:
    return reported(type=facts.time.type, peers=facts.time.peers)


def _previous_triggers(params: StepParams, facts: Facts) -> StepValues:
    return reported(triggers=facts.time.triggers)


def _promise_source(params: SetTimeSource, facts: Facts, ctx: Context) -> Facts:
    return _with_source(facts, "NTP", " ".join(f"{peer},0x8" for peer in params.names()))


def _with_source(facts: Facts, type: str | None, peers: str | None) -> Facts:
    type_, peers_ = (ABSENT if value is None else Known(value) for value in (type, peers))
    return replace(facts, time=replace(facts.time, type=type_, peers=peers_))


def _with_triggers(facts: Facts, triggers: str | None) -> Facts:
    fact: Fact[str] = ABSENT if triggers is None else Known(triggers)
    return replace(facts, time=replace(facts.time, triggers=fact))


def _read_source(
    params: SetTimeSource | RestoreTimeSource, values: StepValues
) -> Iterator[Reading]:
    kind, peers = known_value(values, "type"), known_value(values, "peers")
    value = MISSING if MISSING in (kind, peers) else {"type": kind, "peers": peers}
    yield Reading(key=("time-source",), value=value, promise=(_source_promised(params),))


def _source_promised(params: SetTimeSource | RestoreTimeSource) -> StepValues:
    if isinstance(params, RestoreTimeSource):
        return {"type": params.type, "peers": params.peers}
    flagged = (name if "," in name else f"{name},0x8" for name in params.names())
    return {"type": "NTP", "peers": " ".join(flagged)}


def _read_triggers(
    params: SetTimeTrigger | RestoreTimeTrigger, values: StepValues
) -> Iterator[Reading]:
    promise = params.triggers if isinstance(params, RestoreTimeTrigger) else _NETWORK_ON
    value = known_value(values, "triggers")
    yield Reading(key=("time-trigger",), value=value, promise=(promise,))


def _source_now(facts: Facts, key: SettingKey) -> Fact[Any]:
    values: StepValues = {}
    for name, fact in (("type", facts.time.type), ("peers", facts.time.peers)):
        if isinstance(fact, Unreadable):
            return fact
        values[name] = value_of(fact)
    return Known(values)


def _restore_source(reversal: Reversal) -> RestoreTimeSource:
    return RestoreTimeSource(
        expect=(TimeSource(**reversal.now),),
        type=reversal.before["type"],
        peers=reversal.before["peers"],
    )


def _source_forbidden(facts: Facts, reversal: Reversal) -> Text | None:
    policies = (facts.time.policy_type, facts.time.policy_peers)
    if any(is_known(fact) for fact in policies):
        return say("group policy sets the time source: left unchanged")
    if any(isinstance(fact, Unreadable) for fact in policies):
        return say("could not read whether group policy sets the time source")
    if len(reversal.before["peers"] or "") >= _CUT_TEXT:
        return say("the earlier value is too long to be stored whole")
    return _domain_forbidden(facts)


def _triggers_forbidden(facts: Facts, reversal: Reversal) -> Text | None:
    if not set((reversal.before or "").split()) <= _TRIGGERS:
        return say("volact cannot set the earlier triggers of the Windows Time service")
    return _domain_forbidden(facts)


def _domain_forbidden(facts: Facts) -> Text | None:
    role = role_of(facts.os)
    if role is None:
        return say("could not read whether the server is in a domain")
    if role != "standalone":
        return say("a domain member takes its time from the domain: left unchanged")
    return None


TIME_SOURCE = Setting(
    name="time-source",
    title=say("time source"),
    now=_source_now,
    restore=_restore_source,
    forbidden=_source_forbidden,
)
TIME_TRIGGER = Setting(
    name="time-trigger",
    title=say("triggers of the Windows Time service"),
    now=lambda facts, key: facts.time.triggers,
    restore=lambda reversal: RestoreTimeTrigger(expect=(reversal.now,), triggers=reversal.before),
    forbidden=_triggers_forbidden,
)
SET_TIME_SOURCE = plan_kind(
    name="set-time-source",
    params=SetTimeSource,
    label=say("set the time server"),
    agent_parts=("time_source",),
    stage=Stage.TIME_SOURCE,
    needs_consent=False,
    activation_needs_it=False,
    restarts=0,
    commands=lambda params, a: (shell.set_time_source(params.names()),),
    previous=_previous_source,
    promise=_promise_source,
    changes=Changes(setting=TIME_SOURCE, read=_read_source, answer_tells=True),
    stays=None,
)
SET_TIME_TRIGGER = plan_kind(
    name="set-time-trigger",
    params=SetTimeTrigger,
    label=say("let the Windows Time service start by itself"),
    agent_parts=("time_source", "time_service"),
    stage=Stage.TIME_TRIGGER,
    needs_consent=False,
    activation_needs_it=False,
    restarts=0,
    commands=lambda params, a: (shell.TIME_TRIGGER,),
    previous=_previous_triggers,
    promise=lambda params, facts, ctx: _with_triggers(facts, _NETWORK_ON),
    changes=Changes(setting=TIME_TRIGGER, read=_read_triggers, answer_tells=True),
    stays=None,
)
RESTORE_TIME_SOURCE = undo_kind(
    name="restore-time-source",
    params=RestoreTimeSource,
    agent_parts=("time_source", "back_time"),
    restarts=0,
    previous=_previous_source,
    promise=lambda params, facts, ctx: _with_source(facts, params.type, params.peers),
    changes=Changes(setting=TIME_SOURCE, read=_read_source, answer_tells=True),
    undo_consent=None,
)
RESTORE_TIME_TRIGGER = undo_kind(
    name="restore-time-trigger",
    params=RestoreTimeTrigger,
    agent_parts=("time_source", "back_time"),
    restarts=0,
    previous=_previous_triggers,
    promise=lambda params, facts, ctx: _with_triggers(facts, params.triggers),
    changes=Changes(setting=TIME_TRIGGER, read=_read_triggers, answer_tells=True),
    undo_consent=None,
)
