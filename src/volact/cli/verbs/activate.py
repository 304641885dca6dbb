"""``volact activate``: examine, plan, ask, apply, verify."""

from __future__ import annotations

import sys
from contextlib import aclosing

from volact.cli.console import columns_of, wants_colour
from volact.cli.fleet_options import consent_of, fleet_of
from volact.cli.options.changes import ActivateOptions
from volact.cli.progress import ShownProgress
from volact.cli.resume import resumed
from volact.cli.rollout_options import rollout_words
from volact.cli.run_controller import RunController, apply_pending, open_run, run_through
from volact.cli.runtime import new_runner, run_async
from volact.cli.verbs.plan import run_plan
from volact.core.context import Policy
from volact.errors import InputError
from volact.fleet import needs_all_servers, plan_fleet, plan_together
from volact.model.text import count, say
from volact.pipeline import Outcome
from volact.report.plan_text import PlanTextWriter


def activate(options: ActivateOptions) -> int:
    """Repair and activate servers; asks before any change."""
    if options.service:
        from volact.cli.service_runs import run_by_service  # noqa: PLC0415 - an HTTP client is slow

        return run_by_service(options, "activate")
    policy = Policy(
        replace_key=options.replace_key,
        override_entitlement=options.override_entitlement,
        consent=consent_of(options.allow),
    )
    if options.dry_run:
        return run_plan(options, options.output, policy)
    if not options.yes and not sys.stdin.isatty():
        raise InputError(
            say("cannot ask for confirmation: standard input is not a terminal"),
            say("use --yes to apply changes without asking, or --dry-run to change nothing"),
        )
    resume = resumed(options, fleet_of(options, "activate", policy))
    with open_run(options, resume.fleet, options.output) as run:
        run.rollout(rollout_words(options), keeps=not options.no_store)
        for row in resume.carried:
            run.take(row)
        if resume.note is not None:
            run.note(resume.note)
        return unattended(run) if options.yes else _plan_first(run, ask=True)


def unattended(run: RunController) -> int:
    """Apply what the run's policy allows, without a question."""
    return _plan_first(run, ask=False) if _together(run) else run_async(run_through(run))


def _together(run: RunController) -> bool:
    return needs_all_servers(run.fleet.job)


def _plan_first(run: RunController, *, ask: bool) -> int:
    """Plan for all, show the plan and ask once if ``ask`` is set, apply exactly that."""
    with new_runner() as runner:
        pending = runner.run(_plan(run))
        # Outside of the event loop: there Ctrl-C raises KeyboardInterrupt.
        if pending and not run.stopped and (not ask or _agreed(run, pending)):
            runner.run(apply_pending(run, pending))
        else:
            for outcome in pending:
                run.take(outcome.report)
    return run.finish()


async def _plan(run: RunController) -> list[Outcome]:
    """Examine every server; those without steps get their rows."""
    fleet = run.fleet
    pending: list[Outcome] = []
    together = _together(run)
    with run.stoppable(probing=True) as control:
        outcomes = plan_fleet(fleet.servers, fleet.opener, fleet.job, control)
        async with aclosing(outcomes):
            with ShownProgress(run.progress, say("checking"), len(fleet.servers)) as progress:
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


def _agreed(run: RunController, pending: list[Outcome]) -> bool:
    """Show the plan on standard error and ask."""
    writer = PlanTextWriter(
        sys.stderr,
        run.fleet.how,
        columns=columns_of(sys.stderr),
        colour=wants_colour(sys.stderr),
    )
    for outcome in pending:
        writer.add(outcome.report)
    writer.write_plans()
    steps = sum(len(outcome.report.plan) for outcome in pending)
    question = say(
        "Apply {steps} to {servers}?",
        steps=count(steps, "{n} step", "{n} steps"),
        servers=count(len(pending), "{n} server", "{n} servers"),
    )
    return run.confirm(question)
