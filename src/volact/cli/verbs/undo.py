"""``volact undo``: put back what a run changed, where that is possible, and look again."""

from __future__ import annotations

import sys
from contextlib import aclosing
from dataclasses import replace

from volact.cli.conduct import Conductor, apply_pending, conductor
from volact.cli.console import wants_colour
from volact.cli.options.changes import UndoOptions
from volact.cli.progress import Showing
from volact.cli.question import consents
from volact.cli.runtime import new_runner
from volact.cli.undoing import Undoing, undoing
from volact.errors import InputError
from volact.fleet import plan_fleet
from volact.model.text import count, say
from volact.pipeline import Outcome
from volact.report.undo_tally import UndoTally
from volact.report.undo_text import UndoTextWriter


def undo(options: UndoOptions) -> int:
    """Put back what a run changed; asks before it changes anything."""
    if not options.targets:
        raise InputError(say("which run is to be undone?"), say("see: volact runs"))
    if not (options.yes or options.dry_run) and not sys.stdin.isatty():
        raise InputError(
            "nobody can be asked: standard input is not a terminal",
            "say --yes to change servers without a question, or --dry-run to look only",
        )
    run, *names = options.targets
    what = undoing(run, replace(options, targets=names), options.allow)
    # A look at what could be done is no run that could be undone.
    return _undo(what, replace(options, no_store=options.no_store or options.dry_run))


def _undo(what: Undoing, options: UndoOptions) -> int:
    with conductor(options, what.fleet, options.output) as run, new_runner() as runner:
        run.tally = UndoTally()
        if what.remark:
            run.note(what.remark)
        for row in what.lost():
            run.take(row)
        pending = runner.run(_looked(run, len(what.fleet.servers)))
        # Asked outside the loop, where Ctrl-C is Ctrl-C.
        agreed = not options.dry_run and not run.stopped and bool(pending)
        if agreed and (options.yes or _agreed(run, pending)):
            runner.run(apply_pending(run, pending))
        else:
            for outcome in pending:
                run.take(outcome.report)
        return run.finish()


async def _looked(run: Conductor, total: int) -> list[Outcome]:
    """Look at every server; those with nothing to put back are finished with that."""
    fleet, pending = run.fleet, []
    with run.listening(looking=True) as control:
        outcomes = plan_fleet(fleet.servers, fleet.opener, fleet.job, control)
        async with aclosing(outcomes):
            with Showing(run.progress, say("looking at"), total) as progress:
                async for outcome in outcomes:
                    if outcome.pending:
                        pending.append(outcome)
                    else:
                        run.take(outcome.report)
                    progress.done(outcome.report)
    return pending


def _agreed(run: Conductor, pending: list[Outcome]) -> bool:
    """Show on standard error what would be put back and where it leads, and ask."""
    writer = UndoTextWriter(sys.stderr, run.fleet.how, colour=wants_colour(sys.stderr))
    for outcome in pending:
        writer.add(outcome.report)
    writer.write_plans()
    steps = sum(len(outcome.report.plan) for outcome in pending)
    question = say(
        "Put back {settings} on {servers}?",
        settings=count(steps, "{n} setting", "{n} settings"),
        servers=count(len(pending), "{n} server", "{n} servers"),
    )
    return consents(run, question)
