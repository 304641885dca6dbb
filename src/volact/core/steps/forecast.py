"""What is known of steps before they run: commands, values that they replace, promised facts.

Nothing is judged here, and no report of what happened uses a promise: whether a
step helped is shown by the closing probe.
"""

from __future__ import annotations

from collections.abc import Iterable

from volact.core.assessment import Assessment
from volact.core.context import Context
from volact.core.steps import kind_of
from volact.core.steps.setting import StepValues
from volact.core.steps.wire import from_wire
from volact.model.facts import Facts
from volact.model.step import Plan, Step


def console_commands(plan: Plan, a: Assessment) -> tuple[str, ...]:
    """What to type in cmd.exe on this server, as an administrator; () for no steps."""
    every = (from_wire(step).params for step in plan.steps)
    return tuple(command for params in every for command in kind_of(params).commands(params, a))


def previous_values(step: Step, facts: Facts) -> StepValues:
    """What this step will replace on a server with these facts.

    The form is that of the ``before`` which the agent reports of the same step, so
    that a run whose answers were lost can be undone like any other; the keys that
    only the agent can know are missing.
    """
    params = from_wire(step).params
    return kind_of(params).previous(params, facts)


def promised(facts: Facts, steps: Iterable[Step], ctx: Context) -> Facts:
    """The facts after every step has done what it ensures."""
    for step in steps:
        params = from_wire(step).params
        facts = kind_of(params).promise(params, facts, ctx)
    return facts
