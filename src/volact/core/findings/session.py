"""What prevents all work: no script host, no rights, a pending restart."""

from __future__ import annotations

from volact.core.assessment import Assessment
from volact.core.findings.kind import (
    Found,
    Place,
    error,
    info,
    on_server,
    reported,
    warning,
)
from volact.core.steps import BY_NAME
from volact.core.steps.services import commands_to_restart
from volact.model.fact import value_of
from volact.model.text import joined, listed, say, typed

_CMD_64 = r"%SystemRoot%\Sysnative\cmd.exe"
_OLD_ENGINE = (
    r'reg add "HKLM\SOFTWARE\Policies\Microsoft\Internet Explorer\Main"'
    " /v JScriptReplacement /t REG_DWORD /d 0 /f"
)
_WSH = r"SOFTWARE\Microsoft\Windows Script Host\Settings"


def _restart_needed(a: Assessment) -> Found | None:
    step = value_of(a.facts.restart)
    if step is None:
        return None
    kind = BY_NAME.get(step)
    times = kind.restarts if kind and kind.restarts else 1
    return error(
        say("Restart Windows to complete {step}.", step=step),
        {"step": step, "restarts": times},
        remedy=say(
            "Restart the server at a convenient time, wait until it is up, restart it once "
            "more, then run volact activate again."
        )
        if times > 1
        else say("Restart the server at a convenient time, then run volact activate again."),
    )


RESTART_NEEDED = reported(
    id="restart-needed",
    rule=_restart_needed,
    place=Place.RESTART,
    severities=("error",),
    meaning=say("A change by an earlier run takes effect after a restart of Windows."),
    action=say("Nothing until then: volact never restarts a server."),
    blocks="everything",
    detail=None,
)


def _agent_self_check_failed(a: Assessment) -> Found | None:
    seen = {name: value_of(fact) for name, fact in a.facts.checks.items()}
    failed = {name: value for name, value in seen.items() if value not in (None, True)}
    if not failed:
        return None
    ground = a.facts.ground
    engine = value_of(ground.engine) or ""
    if "bitness" in failed:
        remedy = say("Start the script from a 64-bit program: {command}", command=typed(_CMD_64))
    elif engine and "JScript 5." not in engine and value_of(ground.replacement) != 0:
        remedy = say(
            "Windows runs scripts with {engine}. The older engine may pass the checks: {command}",
            engine=engine,
            command=typed(_OLD_ENGINE),
        )
    else:
        remedy = say(
            "Report this with the file that volact bundle writes. Activate this server by hand."
        )
    return error(
        say(
            "Self-checks of the agent failed: {checks}. Its answers about this server are not "
            "reliable.",
            checks=listed(f"{name} ({value})" for name, value in failed.items()),
        ),
        {"checks": failed, "engine": engine, "process": value_of(ground.process)},
        remedy=remedy,
    )


AGENT_SELF_CHECK_FAILED = reported(
    id="agent-self-check-failed",
    rule=_agent_self_check_failed,
    place=Place.SESSION,
    severities=("error",),
    meaning=say("Script engine, WMI or a tool does not do what the agent relies on."),
    action=say("Changes nothing: the agent refuses every step."),
    blocks="everything",
    detail=lambda evidence: " ".join(evidence["checks"]),
)


# Without these nothing can be said about the licence; steps need them, too.
_DECISIVE = {"checks", "os", "services", "licensing", "products", *BY_NAME}


def _call_blocked(a: Assessment) -> Found | None:
    """A call to Windows never returned; the agent ended its own process there."""
    blocked = value_of(a.facts.blocked)
    if not blocked:
        return None
    licensing = {"licensing", "products", *BY_NAME}.intersection(blocked)
    service = a.system.licensing_service if licensing else "winmgmt"
    restart_wmi = ("net stop winmgmt /y", "net start winmgmt")
    commands = commands_to_restart(a) if licensing else restart_wmi
    make = error if _DECISIVE.intersection(blocked) else warning
    return make(
        say("Parts of the check never returned and were ended: {what}.", what=listed(blocked)),
        {"blocked": list(blocked), "service": service},
        remedy=say(
            "Restart the service that does not answer, or the server: {commands}",
            commands=typed(*commands),
        ),
    )


CALL_BLOCKED = reported(
    id="call-blocked",
    rule=_call_blocked,
    place=Place.SESSION,
    severities=("error", "warning"),
    meaning=say("A call to WMI or another part of Windows never returned on this server."),
    action=say(
        "Ends its own process there and asks the rest; where licensing or WMI is concerned, it "
        "changes nothing."
    ),
    blocks="everything",
    detail=lambda evidence: " ".join(evidence["blocked"]),
)


def _wsh_disabled(a: Assessment) -> Found | None:
    off = a.system.script_host_off
    if not off:
        return None
    commands = typed(*(f'reg add "{h}\\{_WSH}" /v Enabled /t REG_DWORD /d 1 /f' for h in off))
    return error(
        say(
            "Windows Script Host is disabled in {hives}, so no script can check or repair the "
            "server.",
            hives=joined(off),
        ),
        {"off": list(off)},
        remedy=say("If your security rules allow it, on the server: {commands}", commands=commands),
    )


WSH_DISABLED = reported(
    id="wsh-disabled",
    rule=_wsh_disabled,
    place=Place.SESSION,
    severities=("error",),
    meaning=say("Windows Script Host is disabled, so no script can run."),
    action=say("Nothing: it cannot be repaired remotely."),
    blocks="everything",
    detail=None,
)


def _vbscript_missing(a: Assessment) -> Found | None:
    wsh = a.facts.wsh
    missing = [
        name
        for name, fact in (("VBScript", wsh.vbscript), ("slmgr.vbs", wsh.slmgr))
        if value_of(fact) is False
    ]
    if not missing:
        return None
    return info(
        say("{missing} is missing, so commands with slmgr.vbs do not run.", missing=missing[0]),
        {"missing": missing, "commands": a.console.dialect},
        remedy=say(
            "volact works without it. Commands for this server are PowerShell lines, which have "
            "not been run on a Windows server yet."
        )
        if a.console.dialect == "powershell"
        else on_server("regsvr32 /s %windir%/system32/vbscript.dll"),
    )


VBSCRIPT_MISSING = reported(
    id="vbscript-missing",
    rule=_vbscript_missing,
    place=Place.REMARK,
    severities=("info",),
    meaning=say("slmgr.vbs or its script engine is missing; volact needs neither."),
    action=say("Gives commands for PowerShell instead of slmgr.vbs."),
    blocks="nothing",
    detail=None,
)


def _not_elevated(a: Assessment) -> Found | None:
    if value_of(a.facts.elevated) is not False:
        return None
    return error(
        say("The session is not elevated, so volact can check but not change anything."),
        {},
        remedy=say(
            "Log in as an administrator with an elevated session, or run the script with 'Run "
            "as administrator'."
        ),
    )


NOT_ELEVATED = reported(
    id="not-elevated",
    rule=_not_elevated,
    place=Place.SESSION,
    severities=("error",),
    meaning=say("The session has no administrator rights."),
    action=say("Checks, and changes nothing."),
    blocks="everything",
    detail=None,
)
