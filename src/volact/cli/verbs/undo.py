"""``volact undo``: put back what a run changed, where that is possible, and look again."""

from __future__ import annotations

import sys
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated

import typer

from volact.cli.options import FleetOptions, takes

if TYPE_CHECKING:
    from volact.cli.conduct import Conductor
    from volact.cli.undoing import Undoing
    from volact.pipeline import Outcome


@dataclass(frozen=True, kw_only=True)
class UndoOptions(FleetOptions):
    """The run, then the servers; the rest as for ``activate``."""

    targets: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN [SERVER]...",
            help="A run of the store (its id, the beginning of it, or last), then only these"
            " of its servers.",
            show_default=False,
        ),
    ] = field(default_factory=list)
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before changing.")] = False
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Look and say what would be put back.")
    ] = False
    allow: Annotated[
        list[str],
        typer.Option(
            "--allow", metavar="STEP", help="restore-debugger: put a removed debugger back, too."
        ),
    ] = field(default_factory=list)


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("undo")(undo)


@takes(UndoOptions)
def undo(options: UndoOptions) -> int:
    """Put back what a run changed; asks before it changes anything."""
    from volact.cli.undoing import undoing
    from volact.errors import InputError
    from volact.model.text import say

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
    from volact.cli.conduct import apply_pending, conductor
    from volact.cli.runtime import new_runner
    from volact.report.undo_tally import UndoTally

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
    from volact.cli.progress import Showing
    from volact.fleet import plan_fleet
    from volact.model.text import say

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
    from volact.cli.console import wants_colour
    from volact.cli.question import consents
    from volact.model.text import count, say
    from volact.report.undo_text import UndoTextWriter

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
