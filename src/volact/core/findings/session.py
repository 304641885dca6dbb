"""What keeps any work from being done: no script host, no rights, a restart that is awaited."""

from __future__ import annotations

from volact.core.assessment import Assessment
from volact.core.findings.kind import FindingKind, Found, Place, error
from volact.core.steps import BY_NAME
from volact.model.fact import value_of
from volact.model.text import say

_WSH = r"SOFTWARE\Microsoft\Windows Script Host\Settings"


def restart_needed(a: Assessment) -> Found | None:
    """What a step has changed waits for a restart."""
    step = value_of(a.facts.restart)
    if step is None:
        return None
    kind = BY_NAME.get(step)
    times = kind.restarts if kind and kind.restarts else 1
    return error(
        say("Windows has to be restarted to complete {step}.", step=step),
        {"step": step, "restarts": times},
        remedy=say(
            "Restart the server when it suits its users, wait until it is up, restart it once "
            "more, then run volact activate again."
        )
        if times > 1
        else say("Restart the server when it suits its users, then run volact activate again."),
    )


RESTART_NEEDED = FindingKind(
    id="restart-needed",
    rule=restart_needed,
    place=Place.RESTART,
    severities=("error",),
    meaning=say("What an earlier run has changed waits for a restart of Windows."),
    action=say("Nothing until then: a restart is yours to make."),
    blocks="everything",
    calls_for="nothing",
    consent="",
    repair_steps=None,
    detail=None,
)


def wsh_disabled(a: Assessment) -> Found | None:
    """Windows Script Host is off, so neither volact's agent nor slmgr can run."""
    off = a.system.script_host_off
    if not off:
        return None
    commands = "; ".join(f'reg add "{h}\\{_WSH}" /v Enabled /t REG_DWORD /d 1 /f' for h in off)
    return error(
        say("Windows Script Host is turned off, so nothing can be asked or repaired by script."),
        {"off": list(off)},
        remedy=say("If your rules allow it, on the server: {commands}", commands=commands),
    )


WSH_DISABLED = FindingKind(
    id="wsh-disabled",
    rule=wsh_disabled,
    place=Place.SESSION,
    severities=("error",),
    meaning=say("Windows Script Host is off, so no script can run."),
    action=say("Nothing can be done from outside."),
    blocks="everything",
    calls_for="nothing",
    consent="",
    repair_steps=None,
    detail=None,
)


def not_elevated(a: Assessment) -> Found | None:
    """The session has no administrator's rights."""
    if value_of(a.facts.elevated) is not False:
        return None
    return error(
        say("The session is not elevated, so volact may look but change nothing."),
        {},
        remedy=say(
            "Log in as an administrator whose session is elevated, or run the script with "
            "'Run as administrator'."
        ),
    )


NOT_ELEVATED = FindingKind(
    id="not-elevated",
    rule=not_elevated,
    place=Place.SESSION,
    severities=("error",),
    meaning=say("The session has no administrator's rights."),
    action=say("Looks, changes nothing."),
    blocks="everything",
    calls_for="nothing",
    consent="",
    repair_steps=None,
    detail=None,
)
