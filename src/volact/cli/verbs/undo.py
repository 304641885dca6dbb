"""``volact undo``: put back what a run changed, where that is possible, and verify."""

from __future__ import annotations

import sys
from contextlib import aclosing
from dataclasses import replace

from volact.cli.console import columns_of, wants_colour
from volact.cli.options.changes import UndoOptions
from volact.cli.progress import ShownProgress
from volact.cli.run_controller import RunController, apply_pending, open_run
from volact.cli.runtime import new_runner
from volact.cli.undo_run import UndoRun, prepare_undo
from volact.errors import InputError
from volact.fleet import plan_fleet
from volact.model.text import count, say
from volact.pipeline import Outcome
from volact.report.run_counts import UndoCounts
from volact.report.undo_text import UndoTextWriter


def undo(options: UndoOptions) -> int:
    """Undo the changes of a run; asks before any change."""
    if not options.targets:
        raise InputError(say("name the run to undo"), say("see: volact runs"))
    if options.service:
        from volact.cli.service_runs import run_by_service  # noqa: PLC0415 - an HTTP client is slow

        return run_by_service(options, "undo")
    if not (options.yes or options.dry_run) and not sys.stdin.isatty():
        raise InputError(
            say("cannot ask for confirmation: standard input is not a terminal"),
            say("use --yes to apply changes without asking, or --dry-run to change nothing"),
        )
    run, *names = options.targets
    what = prepare_undo(run, replace(options, targets=names), options.allow)
    # A dry run changes nothing, so it is not stored as a run.
    return _undo(what, replace(options, no_store=options.no_store or options.dry_run))


def _undo(what: UndoRun, options: UndoOptions) -> int:
    with open_run(options, what.fleet, options.output) as run, new_runner() as runner:
        run.counts = UndoCounts()
        if what.remark:
            run.note(what.remark)
        for row in what.lost():
            run.take(row)
        pending = runner.run(_examined(run, len(what.fleet.servers)))
        # Outside of the event loop: there Ctrl-C raises KeyboardInterrupt.
        agreed = not options.dry_run and not run.stopped and bool(pending)
        if agreed and (options.yes or _agreed(run, pending)):
            runner.run(apply_pending(run, pending))
        else:
            for outcome in pending:
                run.take(outcome.report)
        return run.finish()


async def _examined(run: RunController, total: int) -> list[Outcome]:
    """Examine every server; those with nothing to put back get their rows."""
    fleet, pending = run.fleet, []
    with run.stoppable(probing=True) as control:
        outcomes = plan_fleet(fleet.servers, fleet.opener, fleet.job, control)
        async with aclosing(outcomes):
            with ShownProgress(run.progress, say("checking"), total) as progress:
                async for outcome in outcomes:
                    if outcome.pending:
                        pending.append(outcome)
                    else:
                        run.take(outcome.report)
                    progress.done(outcome.report)
    return pending


def _agreed(run: RunController, pending: list[Outcome]) -> bool:
    """Show what would be put back and the findings that follow, and ask."""
    writer = UndoTextWriter(
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
        "Restore {settings} on {servers}?",
        settings=count(steps, "{n} setting", "{n} settings"),
        servers=count(len(pending), "{n} server", "{n} servers"),
    )
    return run.confirm(question)
