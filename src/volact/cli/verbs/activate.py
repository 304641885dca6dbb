"""``volact activate``: examine, plan, ask, apply, verify."""

from __future__ import annotations

from functools import partial

from volact.cli.console import require_terminal
from volact.cli.fleet_options import consent_of, fleet_of
from volact.cli.options.changes import ActivateOptions
from volact.cli.plan_first import confirmed, plan_first, unattended
from volact.cli.resume import resumed
from volact.cli.rollout import rollout_words
from volact.cli.run_controller import open_run
from volact.cli.service_runs import run_by_service
from volact.cli.verbs.plan import run_plan
from volact.core.context import Policy
from volact.model.text import Text, count, say
from volact.report.plan_text import PlanTextWriter


def activate(options: ActivateOptions) -> int:
    """Repair and activate servers; asks before any change."""
    if options.service:
        return run_by_service(options, "activate")
    policy = Policy(
        replace_key=options.replace_key,
        override_entitlement=options.override_entitlement,
        consent=consent_of(options.allow),
    )
    if options.dry_run:
        return run_plan(options, options.output, policy)
    if not options.yes:
        require_terminal(
            say("use --yes to apply changes without asking, or --dry-run to change nothing")
        )
    resume = resumed(options, fleet_of(options, "activate", policy))
    with open_run(options, resume.fleet, options.output) as run:
        run.rollout(rollout_words(options), keeps=not options.no_store)
        for row in resume.carried:
            run.take(row)
        if resume.note is not None:
            run.note(resume.note)
        if options.yes:
            return unattended(run)
        return plan_first(run, partial(confirmed, run, PlanTextWriter, _question))


def _question(steps: int, servers: int) -> Text:
    return say(
        "Apply {steps} to {servers}?",
        steps=count(steps, "{n} step", "{n} steps"),
        servers=count(servers, "{n} server", "{n} servers"),
    )
