"""Steps that correct the clock, and the phase limits as a setting."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from volact.core import shell
from volact.core.assessment import Assessment
from volact.core.assessment.clock import DEFAULT_LIMIT_S, measured_skew, own_limits
from volact.core.context import Context
from volact.core.steps.kind import Changes, Stage, plan_kind
from volact.core.steps.params import StepParams
from volact.core.steps.setting import (
    Reading,
    Setting,
    SettingKey,
    StepValues,
    never_forbidden,
    reported,
)
from volact.model.fact import ABSENT, Fact, Known, Unreadable, is_known, value_of
from volact.model.facts import Facts
from volact.model.text import Text, say

SYNC_WITHIN_S = 60  # closer than this to the reference needs no correction


class SyncClock(StepParams, frozen=True, kw_only=True):
    """How near the clock has to come, and whether the phase limits are raised meanwhile."""

    within_s: int
    raise_limits: bool


class RestoreTimeLimits(StepParams, frozen=True, kw_only=True):
    """It has no parameters; the earlier limits are recorded on the server."""


def _commands_to_sync(params: SyncClock, a: Assessment) -> Iterator[str]:
    """Resynchronise; with raised limits, raise them first and restore them."""
    if not params.raise_limits:
        yield shell.RESYNC
        return
    yield from shell.set_limits("0xFFFFFFFF", "0xFFFFFFFF")
    yield shell.RESYNC
    forwards, backwards = own_limits(a.facts.time)
    yield from shell.set_limits(_limit(forwards), _limit(backwards))


def _limit(limit: Fact[int]) -> str:
    """The limit to put back: what is there now, or the default of a lone server."""
    return str(limit.value if isinstance(limit, Known) else DEFAULT_LIMIT_S)


def _previous_clock(params: SyncClock, facts: Facts) -> StepValues:
    """The limits that are raised meanwhile, as they were before an interrupted run."""
    return {"limits": _limits(own_limits(facts.time))} if params.raise_limits else {}


def _limits(limits: tuple[Fact[int], Fact[int]]) -> StepValues:
    return reported(MaxPosPhaseCorrection=limits[0], MaxNegPhaseCorrection=limits[1])


def _promise_right_clock(params: SyncClock, facts: Facts, ctx: Context) -> Facts:
    """The measured error is off the clock, and off what was stamped by it."""
    skew_ms = (measured_skew(facts) or 0) * 1000
    utc, at = value_of(facts.time.utc), value_of(facts.time.ref_at)
    time = replace(
        facts.time,
        utc=facts.time.utc if utc is None else Known(utc - skew_ms),
        ref_at=facts.time.ref_at if at is None else Known(at - skew_ms),
    )
    return replace(facts, time=time)


def _promise_limits(params: RestoreTimeLimits, facts: Facts, ctx: Context) -> Facts:
    pos, neg = own_limits(facts.time)
    return replace(facts, time=replace(facts.time, pos=pos, neg=neg, saved=ABSENT))


def _read_limits(params: SyncClock, values: StepValues) -> Iterator[Reading]:
    """They are raised only while the step runs; an interrupted step leaves them raised."""
    if params.raise_limits:
        yield Reading(key=("time-limits",), value="as they were", promise=("raised",))


def _limits_stay(params: RestoreTimeLimits, before: StepValues) -> Text:
    return say(
        "the phase limits of the Windows Time service stay as they were before an earlier run"
    )


def _limits_now(facts: Facts, key: SettingKey) -> Fact[str]:
    saved = facts.time.saved
    if isinstance(saved, Unreadable):
        return saved
    return Known("raised" if is_known(saved) else "as they were")


TIME_LIMITS = Setting(
    name="time-limits",
    title=say("phase limits of the Windows Time service"),
    now=_limits_now,
    restore=lambda reversal: RestoreTimeLimits(),
    forbidden=never_forbidden,
)
SYNC_CLOCK = plan_kind(
    name="sync-clock",
    params=SyncClock,
    label=say("correct the clock"),
    agent_parts=("time_source", "clock"),
    stage=Stage.CLOCK,
    needs_consent=False,
    activation_needs_it=True,
    restarts=0,
    commands=_commands_to_sync,
    previous=_previous_clock,
    promise=_promise_right_clock,
    changes=Changes(setting=TIME_LIMITS, read=_read_limits, answer_tells=False),
    stays=lambda params, before: say("the clock stays corrected"),
)
RESTORE_TIME_LIMITS = plan_kind(
    name="restore-time-limits",
    params=RestoreTimeLimits,
    label=say("restore the phase limits of the Windows Time service"),
    agent_parts=("clock", "time_service"),
    stage=Stage.CLOCK_LIMITS,
    needs_consent=False,
    activation_needs_it=False,
    restarts=0,
    commands=lambda params, a: shell.restore_limits(value_of(a.facts.time.saved) or "- -"),
    previous=lambda params, facts: _limits((facts.time.pos, facts.time.neg)),
    promise=_promise_limits,
    changes=None,
    stays=_limits_stay,
)
