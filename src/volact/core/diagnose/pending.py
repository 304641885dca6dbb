"""What an earlier run of volact has left to be completed."""

from __future__ import annotations

from volact.core import shell
from volact.core.assessment import Assessment
from volact.core.diagnose.case import error, on_server, warning
from volact.model.fact import value_of
from volact.model.finding import Finding
from volact.model.text import say

_TIMES = {"rearm": 1, "rebuild-token-store": 2}


def restart_needed(a: Assessment) -> Finding | None:
    """What a step has changed waits for a restart."""
    step = value_of(a.facts.restart)
    if step is None:
        return None
    times = _TIMES.get(step, 1)
    return error(
        "restart-needed",
        say("Windows has to be restarted to complete {step}.", step=step),
        {"step": step, "restarts": times},
        remedy=say(
            "Restart the server when it suits its users, wait until it is up, restart it once "
            "more, then run volact activate again."
        )
        if times > 1
        else say("Restart the server when it suits its users, then run volact activate again."),
    )


def time_limits_raised(a: Assessment) -> Finding | None:
    """A run that was cut off has left the phase limits of Windows Time raised."""
    saved = value_of(a.facts.time.saved)
    if saved is None:
        return None
    return warning(
        "time-limits-raised",
        say(
            "A run that was cut off has left the limits raised by which Windows Time may set "
            "the clock; they were {limits}.",
            limits=saved,
        ),
        {"saved": saved},
        repair="automatic",
        remedy=on_server(*shell.restore_limits(saved)),
    )
