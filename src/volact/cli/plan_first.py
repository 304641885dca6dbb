"""How a run changes servers: with a question after all plans, or without one."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import aclosing

from volact.cli.console import columns_of, wants_colour
from volact.cli.progress import shown
from volact.cli.run_controller import RunController, run_through
from volact.cli.runtime import run_async
from volact.event_loop import new_runner
from volact.fleet import apply_fleet, needs_all_servers, plan_fleet, plan_together
from volact.model.text import Text, say
from volact.pipeline import Outcome
from volact.report.plan_text import PlanTextWriter
from volact.report.terminal_writer import TerminalWriter
from volact.report.undo_text import UndoTextWriter


def plan_first(run: RunController, agreed: Callable[[list[Outcome]], bool]) -> int:
    """Apply the plans of all servers if ``agreed`` says so of them; the exit code."""
    with new_runner() as runner:
        pending = runner.run(_planned(run))
        # Outside of the event loop: there Ctrl-C raises KeyboardInterrupt.
        if pending and not run.stopped and agreed(pending):
            runner.run(_apply(run, pending))
        else:
            for outcome in pending:
                run.take(outcome.report)
    return run.finish()


def unattended(run: RunController) -> int:
    """Apply what the run's policy allows, without a question."""
    if run.plans_first:
        return plan_first(run, lambda _: True)
    return run_async(run_through(run))


async def _planned(run: RunController) -> list[Outcome]:
    """Examine every server; those without steps get their rows."""
    fleet = run.fleet
    pending: list[Outcome] = []
    together = needs_all_servers(fleet.job)
    with run.stoppable(probing=True) as control:
        outcomes = plan_fleet(fleet.servers, fleet.opener, fleet.job, control)
        async with aclosing(outcomes):
            with shown(run.progress, say("checking"), len(fleet.servers)) as progress:
                async for outcome in outcomes:
                    if outcome.pending or together:
                        pending.append(outcome)
                    else:
                        run.take(outcome.report)
                    progress.done(outcome.report)
    if not together:
        return pending
    planned = plan_together(pending)
    for outcome in planned:
        if not outcome.pending:
            run.take(outcome.report)
    return [outcome for outcome in planned if outcome.pending]


async def _apply(run: RunController, pending: list[Outcome]) -> None:
    """Apply exactly the steps that were planned before."""
    fleet = run.fleet
    with run.stoppable() as control:
        rows = apply_fleet(pending, fleet.opener, fleet.job, control)
        await run.show(len(pending), rows)


def confirmed(
    run: RunController,
    writer: type[PlanTextWriter | UndoTextWriter],
    question: Callable[[int, int], Text],
    pending: list[Outcome],
) -> bool:
    """Show the plans on standard error, and ask about so many steps on so many servers."""
    columns, colour = columns_of(sys.stderr), wants_colour(sys.stderr)
    plans = writer(TerminalWriter(sys.stderr, columns=columns, colour=colour), run.fleet.how)
    for outcome in pending:
        plans.add(outcome.report)
    plans.write_plans()
    steps = sum(len(outcome.report.plan) for outcome in pending)
    return run.confirm(question(steps, len(pending)))
