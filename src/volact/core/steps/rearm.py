"""The step that gives Windows a new client machine ID."""

from __future__ import annotations

from msgspec.structs import replace

from volact.core import shell
from volact.core.context import Context
from volact.core.steps.kind import Stage, plan_kind
from volact.core.steps.params import StepParams
from volact.core.steps.setting import reported
from volact.model.fact import Known
from volact.model.facts import Facts
from volact.model.text import say


class Rearm(StepParams, frozen=True, kw_only=True):
    """It has no parameters."""


def _promise(params: Rearm, facts: Facts, ctx: Context) -> Facts:
    """The new ID is there only after the restart."""
    return replace(facts, restart=Known(REARM.name))


REARM = plan_kind(
    name="rearm",
    params=Rearm,
    label=say("give Windows a new client machine ID (rearm)"),
    agent_parts=("restart", "rearm"),
    stage=Stage.LAST_RESORT,
    needs_consent=True,
    activation_needs_it=False,
    restarts=1,
    commands=lambda params, a: (a.console.rearm(), shell.restart_and_plan(1)),
    previous=lambda params, facts: reported(rearm=facts.licensing.rearm, cmid=facts.licensing.cmid),
    promise=_promise,
    changes=None,
    stays=lambda params, before: say("a rearm cannot be undone; the client machine ID stays"),
)
