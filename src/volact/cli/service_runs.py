"""``--service``: a verb's run is done by a service, and reported here as its own runs are."""

from __future__ import annotations

import dataclasses
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import msgspec

from volact import __version__
from volact.cli.console import wants_colour
from volact.cli.failure import FAILED, tell
from volact.cli.fleet_options import consent_of, consent_words
from volact.cli.options.changes import ActivateOptions, CautionOptions, UndoOptions
from volact.cli.options.servers import CheckOptions, PlanOptions, ServerOptions
from volact.cli.progress import make_progress, shown
from volact.cli.registry import default_of
from volact.cli.run_controller import DOING
from volact.cli.runtime import on_signals
from volact.cli.service_client import client_of
from volact.cli.sinks import Sinks, parse_reports, require_writable, stdout_writer
from volact.core.context import Policy
from volact.errors import InputError, VolactError
from volact.model.report import RunReport, ServerReport
from volact.model.text import Text, raw, say
from volact.queries.values import RunServer
from volact.report.base import Invocation
from volact.report.run_counts import RunCounts, UndoCounts
from volact.typed import quoted

if TYPE_CHECKING:
    from volact.client.client import Client
    from volact.client.wire import RunInfo, RunSpec, Verb

ServiceOptions = CheckOptions | PlanOptions | ActivateOptions | UndoOptions
# What a run of a service takes; the rest is the inventory's and the workers'.
_TAKEN = {
    "targets", "inventory", "limit", "exclude", "lang", "accounts", "concurrency", "pace",
    "retries", "deadline", "report", "no_progress", "verbose", "output", "service", "allow",
    "canary", "max_failures", "kms_concurrency", "yes", "dry_run", "replace_key",
    "override_entitlement",
}  # fmt: skip


def run_by_service(options: ServiceOptions, verb: Verb) -> int:
    """Submit a run, show its progress, write its reports; its exit code."""
    _require_taken(options)
    require_writable(options.report)
    with ExitStack() as ending:
        ending.enter_context(on_signals(signal.default_int_handler))
        service = ending.enter_context(client_of(options.service))
        run = service.submit(_spec(options, verb))
        page = raw(f"{options.service.rstrip('/')}/runs/{run.id}")
        with _telling(say("run {run} goes on at the service: {url}", run=raw(run.id), url=page)):
            how = _how(options, run)
            writer = stdout_writer(options.output, how, options.verbose)
            sinks = Sinks(writer, parse_reports(options.report), how)
            ending.callback(sinks.discard)
            run = _followed(service, run, options)
        with _telling(say("run {run} is at the service: {url}", run=raw(run.id), url=page)):
            return _reported(service, run, sinks)


@contextmanager
def _telling(where: Text) -> Iterator[None]:
    """Say where the run is if the block raises; no such error means that nothing was asked."""
    try:
        yield
    except BaseException as error:
        tell(where)
        if isinstance(error, InputError):
            raise VolactError(error.message, error.hint) from error
        raise


def _require_taken(options: ServiceOptions) -> None:
    for field in dataclasses.fields(options):
        if field.name not in _TAKEN and getattr(options, field.name) != default_of(field):
            name = f"--{field.name.strip('_').replace('_', '-')}"
            raise InputError(
                say("{option} does not go with --service", option=raw(name)),
                say("workers use what the inventory says"),
            )
    if isinstance(options, ActivateOptions | UndoOptions) and not (options.yes or options.dry_run):
        raise InputError(
            say("with --service nothing is asked"),
            say("add --yes, or --dry-run to change nothing"),
        )
    if not options.inventory:
        raise InputError(
            say("with --service, -i names an inventory of the service"), say("give one with -i")
        )


def _spec(options: ServiceOptions, verb: Verb) -> RunSpec:
    from volact.client.wire import RunSpec  # noqa: PLC0415 - brings SQLAlchemy

    targets, undo = [*options.targets], ""
    if isinstance(options, UndoOptions):
        if options.dry_run:
            raise InputError(say("{option} does not go with --service", option=raw("--dry-run")))
        undo, *targets = targets
    elif isinstance(options, ActivateOptions) and options.dry_run:
        verb = "plan"
    usual = RunSpec(verb=verb, inventory=options.inventory)
    spec = msgspec.structs.replace(
        usual,
        # One of them alone means the same as a limit, which services of any version know.
        targets=tuple(targets if options.limits else ()),
        limit=tuple(options.limits or targets),
        pace=options.pace,
        concurrency=options.concurrency or usual.concurrency,
        deadline_s=options.deadline,
        retries=options.retries,
        undo=undo,
    )
    if isinstance(options, CautionOptions):
        spec = msgspec.structs.replace(
            spec,
            canary=options.canary,
            max_failures=options.max_failures,
            kms_concurrency=options.kms_concurrency,
        )
    if isinstance(options, ActivateOptions):
        policy = Policy(
            replace_key=options.replace_key,
            override_entitlement=options.override_entitlement,
            consent=consent_of(options.allow),
        )
        spec = msgspec.structs.replace(spec, policy=policy)
    elif isinstance(options, PlanOptions | UndoOptions):
        policy = Policy(consent=frozenset(options.allow))
        spec = msgspec.structs.replace(spec, policy=policy)
    return spec


def _how(options: ServiceOptions, run: RunInfo) -> Invocation:
    limits = (f"--limit {quoted(word)}" for word in run.spec.limit)
    return Invocation(
        volact=__version__,
        command=run.spec.verb,
        run=run.id,
        started=run.requested.strftime("%Y-%m-%dT%H:%M:%SZ"),
        selector=f"-i {quoted(options.inventory)} --service {quoted(options.service)}",
        targets=" ".join([*map(quoted, run.spec.targets), *limits]),
        consent=consent_words(run.spec.policy),
        by_service=True,
        deadline_s=run.spec.deadline_s,
        undo=run.spec.undo,
    )


def _followed(service: Client, run: RunInfo, options: ServerOptions) -> RunInfo:
    """The run when it is over; its progress is shown meanwhile."""
    if run.state == "awaiting-approval":
        tell(say("run {run} waits for approval by a second person", run=raw(run.id)))
    bar = make_progress(sys.stderr, wanted=not options.no_progress, live=wants_colour(sys.stderr))
    told: set[str] = set()
    with shown(bar, DOING[run.spec.verb], run.servers) as display:
        for progress in service.progress(run.id):
            run = progress.run
            for row in progress.rows:
                if row.name not in told:
                    told.add(row.name)
                    display.done(_as_report(row))
    return run


def _as_report(row: RunServer) -> ServerReport:
    """What a display needs of a row."""
    return ServerReport(
        name=row.name, address=row.address, provider=row.provider, verdict=row.verdict
    )


def _reported(service: Client, run: RunInfo, sinks: Sinks) -> int:
    counts = UndoCounts() if run.spec.verb == "undo" else RunCounts()
    whole = True
    if run.begun is None:
        sinks.discard()
    else:
        for row in service.reports(run.id):
            if isinstance(row, RunReport):
                whole = sinks.finish(row)
            else:
                counts.add(row)
                sinks.add(row)
    if run.state not in ("done", "stopped"):
        told = say("run {run} is {state}", run=raw(run.id), state=run.state)
        if run.note:
            told = say(
                "run {run} is {state}: {note}", run=raw(run.id), state=run.state, note=run.note
            )
        tell(told)
        return FAILED
    return counts.exit_code() or (0 if whole else FAILED)
