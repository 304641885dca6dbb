"""``volact undo``: put back what a run changed, where that is possible, and verify."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from volact.cli.console import require_terminal
from volact.cli.options.changes import UndoOptions
from volact.cli.plan_first import confirmed, plan_first
from volact.cli.run_controller import open_run
from volact.cli.service_runs import run_by_service
from volact.cli.undo_run import UndoRun, prepare_undo
from volact.errors import InputError
from volact.model.text import Text, count, say
from volact.report.run_counts import UndoCounts
from volact.report.undo_text import UndoTextWriter


def undo(options: UndoOptions) -> int:
    """Undo the changes of a run; asks before any change."""
    if not options.targets:
        raise InputError(say("name the run to undo"), say("see: volact runs"))
    if options.service:
        return run_by_service(options, "undo")
    if not (options.yes or options.dry_run):
        require_terminal(
            say("use --yes to apply changes without asking, or --dry-run to change nothing")
        )
    run, *names = options.targets
    what = prepare_undo(run, replace(options, targets=names), options.allow)
    # A dry run changes nothing, so it is not stored as a run.
    return _undo(what, replace(options, no_store=options.no_store or options.dry_run))


def _undo(what: UndoRun, options: UndoOptions) -> int:
    with open_run(options, what.fleet, options.output) as run:
        run.counts = UndoCounts()
        if what.remark:
            run.note(what.remark)
        for row in what.left_out:
            run.take(row)
        agreed = partial(confirmed, run, UndoTextWriter, _question)
        return plan_first(
            run, lambda pending: not options.dry_run and (options.yes or agreed(pending))
        )


def _question(steps: int, servers: int) -> Text:
    return say(
        "Restore {settings} on {servers}?",
        settings=count(steps, "{n} setting", "{n} settings"),
        servers=count(servers, "{n} server", "{n} servers"),
    )
