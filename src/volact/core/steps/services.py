"""Steps that set and start Windows services, and the start mode as a setting."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec
from msgspec.structs import replace

from volact.core import shell
from volact.core.assessment import Assessment
from volact.core.assessment.system import licensing_service
from volact.core.context import Context
from volact.core.steps.kind import Changes, Stage, plan_kind, undo_kind
from volact.core.steps.params import StepParams
from volact.core.steps.setting import (
    Reading,
    Reversal,
    Setting,
    SettingKey,
    StepValues,
    known_value,
    reported,
)
from volact.model.fact import ABSENT, NOT_ASKED, Fact, Known, value_of
from volact.model.facts import Facts, ServiceFact
from volact.model.text import Text, say

StartMode = Literal["auto", "delayed-auto", "demand", "disabled"]

# Each start mode as ``sc config`` takes it, as WMI names it, and as the
# registry's ``Start``.  WMI does not distinguish the two automatic ones.
_WMI_WORDS: dict[StartMode, str] = {
    "auto": "Auto",
    "delayed-auto": "Auto",
    "demand": "Manual",
    "disabled": "Disabled",
}
_SC_WORDS: dict[str, StartMode] = {word: mode for mode, word in reversed(_WMI_WORDS.items())}
_REGISTRY_NUMBERS = {2: "Auto", 3: "Manual", 4: "Disabled"}

# The start modes that Windows ships with.  Only sppsvc's is documented in
# detail; the others are general knowledge.
DEFAULT_START: dict[str, StartMode] = {
    "sppsvc": "delayed-auto",
    "slsvc": "auto",
    "RpcSs": "auto",
    "Winmgmt": "auto",
    "Schedule": "auto",
    "EventSystem": "auto",
    "W32Time": "auto",
    "sppuinotify": "demand",
    "SLUINotify": "demand",
}


# PlugPlay is automatic up to 2008 R2 and manual since 2016; in between no source says it.
_LAST_AUTOMATIC_PLUGPLAY, _FIRST_MANUAL_PLUGPLAY = 7999, 14393


class EnableService(StepParams, frozen=True, kw_only=True):
    """The service whose start mode is no longer to be "disabled"."""

    name: str
    start: StartMode


class StartService(StepParams, frozen=True, kw_only=True):
    """The service that is to run."""

    name: str


class RestoreStartMode(StepParams, frozen=True, kw_only=True):
    """The start mode to put back; ``expect`` are start modes as WMI names them.

    ``delayed`` is the registry's ``DelayedAutoStart``, ``None`` where it was not
    set.  ``was`` is the start mode that is replaced; only a later undo reads it.
    """

    name: str
    expect: tuple[str | None, ...]
    start: StartMode
    delayed: int | msgspec.UnsetType | None = msgspec.UNSET
    was: StartMode | msgspec.UnsetType = msgspec.UNSET


# What one of these steps has made of the licensing service's start mode, while
# it waits for a restart of Windows.
_AFTER_RESTART = {"enable-service": "Auto", "restore-start-mode": "Disabled"}


def default_start(name: str, build: int | None) -> StartMode | None:
    """The start mode that Windows ships with; ``None``: not known for this release."""
    if name != "PlugPlay":
        return DEFAULT_START[name]
    if build is None or _LAST_AUTOMATIC_PLUGPLAY < build < _FIRST_MANUAL_PLUGPLAY:
        return None
    return "auto" if build <= _LAST_AUTOMATIC_PLUGPLAY else "demand"


def service_values(facts: Facts, name: str) -> StepValues:
    """State and start mode of a service, as the agent reports them."""
    service = facts.services.get(name, NOT_ASKED)
    if isinstance(service, Known):
        return {"state": service.value.state, "start": service.value.start}
    return reported(state=service, start=service)


def _start_after_restart(facts: Facts, name: str) -> str | None:
    """The start mode, as it will be after a restart that a step has left to be done."""
    service = value_of(facts.services.get(name, NOT_ASKED))
    pending = _AFTER_RESTART.get(value_of(facts.restart) or "")
    if service is None or name != licensing_service(facts.os) or pending is None:
        return service.start if service else None
    return pending


def commands_to_restart(a: Assessment, *between: str) -> tuple[str, ...]:
    """Stop the licensing service, type what lies between, and start it again.

    ``/y``: on Server 2008 its notification service depends on it, and stops and starts too.
    """
    service, notifier = a.system.licensing_service, a.services.get("SLUINotify")
    also = notifier is not None and notifier.state == "Running"
    return (
        f"net stop {service} /y",
        *between,
        shell.start_service(service),
        *((shell.start_service("SLUINotify"),) if also else ()),
    )


def _commands_to_enable(params: EnableService, a: Assessment) -> Iterator[str]:
    if a.system.protects_start_mode(params.name):
        yield from shell.enable_at_restart(params.name, params.start)
        yield "rem restart the server here, then go on"
    else:
        yield shell.enable_service(params.name, params.start)


def _previous_service(params: EnableService | StartService, facts: Facts) -> StepValues:
    return service_values(facts, params.name)


def _previous_start(params: RestoreStartMode, facts: Facts) -> StepValues:
    """With the key's value where that applies from the next start of Windows on."""
    values = service_values(facts, params.name)
    if values.get("start") is not None:
        values["start"] = _start_after_restart(facts, params.name)
    return values


def _promise_start_mode(
    params: EnableService | RestoreStartMode, facts: Facts, ctx: Context
) -> Facts:
    service = value_of(facts.services.get(params.name, ABSENT))
    state = service.state if service else "Stopped"
    return _with_service(facts, params.name, ServiceFact(state, _WMI_WORDS[params.start]))


def _promise_running(params: StartService, facts: Facts, ctx: Context) -> Facts:
    service = value_of(facts.services.get(params.name, ABSENT))
    start = service.start if service else "Manual"
    return _with_service(facts, params.name, ServiceFact("Running", start))


def _with_service(facts: Facts, name: str, service: ServiceFact) -> Facts:
    return replace(facts, services={**facts.services, name: Known(service)})


def _read_start_mode(
    params: EnableService | RestoreStartMode, values: StepValues
) -> Iterator[Reading]:
    word = _REGISTRY_NUMBERS.get(values.get("registry") or 0) or known_value(values, "start")
    yield Reading(key=("start-mode", params.name), value=word, promise=(_WMI_WORDS[params.start],))


def _running_stays(params: StartService, before: StepValues) -> Text:
    return say(
        "the service {name} keeps running; only its start mode is restored", name=params.name
    )


def _start_mode_now(facts: Facts, key: SettingKey) -> Fact[str | None]:
    service = facts.services.get(key[1], NOT_ASKED)
    return Known(_start_after_restart(facts, key[1])) if isinstance(service, Known) else service


def _restore_start_mode(reversal: Reversal) -> RestoreStartMode:
    changed = reversal.params
    start = _SC_WORDS[reversal.before]
    was: StartMode = "auto"
    if isinstance(changed, EnableService | RestoreStartMode):
        was = changed.start
    if reversal.before == "Auto" and isinstance(changed, RestoreStartMode) and changed.was:
        start = changed.was  # the fact does not show "delayed"
    return RestoreStartMode(
        name=reversal.key[1],
        expect=(reversal.now,),
        start=start,
        delayed=reversal.previous.get("delayed", msgspec.UNSET),
        was=was,
    )


def _start_mode_forbidden(facts: Facts, reversal: Reversal) -> Text | None:
    if reversal.before not in _SC_WORDS:
        return say("the start mode {mode} cannot be set by an administrator", mode=reversal.before)
    return None


START_MODE = Setting(
    name="start-mode",
    title=say("start mode"),
    now=_start_mode_now,
    restore=_restore_start_mode,
    forbidden=_start_mode_forbidden,
)
ENABLE_SERVICE = plan_kind(
    name="enable-service",
    params=EnableService,
    label=say("restore the service's start mode"),
    agent_parts=("restart", "start_mode"),
    stage=Stage.ENABLE_SERVICE,
    needs_consent=False,
    activation_needs_it=False,
    restarts=1,
    commands=_commands_to_enable,
    previous=_previous_service,
    promise=_promise_start_mode,
    changes=Changes(setting=START_MODE, read=_read_start_mode, answer_tells=True),
    stays=None,
)
START_SERVICE = plan_kind(
    name="start-service",
    params=StartService,
    label=say("start the service"),
    agent_parts=(),
    stage=Stage.START_SERVICE,
    needs_consent=False,
    activation_needs_it=False,
    restarts=0,
    commands=lambda params, a: (shell.start_service(params.name),),
    previous=_previous_service,
    promise=_promise_running,
    changes=None,
    stays=_running_stays,
)
RESTORE_START_MODE = undo_kind(
    name="restore-start-mode",
    params=RestoreStartMode,
    agent_parts=("restart", "back_start"),
    restarts=1,
    previous=_previous_start,
    promise=_promise_start_mode,
    changes=Changes(setting=START_MODE, read=_read_start_mode, answer_tells=True),
    undo_consent=None,
)
