"""The runs over a fleet: in one pass, or plan first and apply what was agreed.

Each is an asynchronous generator that yields in the order in which servers finish.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sized
from contextlib import aclosing
from typing import TypeVar

from volact.fleet.canary import CanaryGroup
from volact.fleet.clones import needs_all_servers
from volact.fleet.control import Control
from volact.fleet.fleet_run import FleetRun, ItemAdapter
from volact.fleet.machine_limits import processes_for
from volact.model.report import ServerReport
from volact.model.server import Server
from volact.pipeline import (
    Job,
    Notify,
    Outcome,
    activation_host,
    apply_one,
    examine_one,
    row_without_result,
    run_one,
)
from volact.transports.base import Opener
from volact.transports.processes import in_processes

I_ = TypeVar("I_")
R = TypeVar("R")

_DEFAULT = Control()


def run_fleet(
    servers: Iterable[Server], opener: Opener, job: Job, control: Control = _DEFAULT
) -> Rows:
    """Check, plan, activate or undo every server in one pass.

    Args:
        servers: read lazily, unless ``control`` asks for canaries or a failure limit.
        opener: opens a transport to a server.
        job: mode, policy and time limit, the same for every server.
        control: concurrency, rate, stop rules, events.

    Yields:
        One row for each server.  Errors of a server are in its row; none is raised.
    """
    adapter = ItemAdapter[Server, ServerReport](
        server=lambda server: server,
        report=lambda row: row,
        without_result=lambda server, row: row,
        group=group_of_server,
    )
    return _run(adapter, run_one, servers, opener, job, control)


def plan_fleet(
    servers: Iterable[Server], opener: Opener, job: Job, control: Control = _DEFAULT
) -> AsyncGenerator[Outcome, None]:
    """Examine every server and plan; change nothing.

    Arguments as for ``run_fleet``.  Yields one outcome for each server; those with
    ``pending`` steps can be given to ``apply_fleet``.
    """
    adapter = ItemAdapter[Server, Outcome](
        server=lambda server: server,
        report=lambda outcome: outcome.report,
        without_result=lambda server, row: Outcome(server=server, report=row),
        group=group_of_server,
    )
    return _run(adapter, examine_one, servers, opener, job, control)


def needs_plans_first(job: Job, control: Control) -> bool:
    """Whether all servers are planned for before the first is changed.

    Canaries are: a server without steps that is one would prove nothing.
    """
    return needs_all_servers(job) or (job.mode == "activate" and control.canary is not None)


def apply_fleet(
    outcomes: Iterable[Outcome], opener: Opener, job: Job, control: Control = _DEFAULT
) -> Rows:
    """Apply the plans of ``plan_fleet``, exactly the steps that were shown.

    Arguments as for ``run_fleet``.  Yields one row for each outcome.
    """
    adapter = ItemAdapter[Outcome, ServerReport](
        server=lambda planned: planned.server,
        report=lambda row: row,
        without_result=_row_after_plan,
        group=group_of_outcome,
    )
    return _run(adapter, apply_one, outcomes, opener, job, control)


Rows = AsyncGenerator[ServerReport, None]


async def _run(  # noqa: PLR0913, PLR0917  (one argument for each part)
    adapter: ItemAdapter[I_, R],
    work: Callable[[I_, Opener, Job, Notify], Awaitable[R]],
    items: Iterable[I_],
    opener: Opener,
    job: Job,
    control: Control,
) -> AsyncGenerator[R, None]:
    """A run whose connections are in as many processes as are asked for, or worth it."""
    number = control.processes or processes_for(len(items) if isinstance(items, Sized) else 0)
    async with in_processes(opener, number) as (opened, late_s):
        run = FleetRun[I_, R](
            adapter, lambda item, job, notify: work(item, opened, job, notify), job, control, late_s
        )
        async with aclosing(run.run(items)) as results:
            async for result in results:
                yield result


def group_of_server(server: Server) -> CanaryGroup:
    """The group of a server that was not examined yet: provider, transport, tags."""
    tags = ",".join(sorted(server.tags))
    return (server.provider, server.address.scheme, tags)


def group_of_outcome(outcome: Outcome) -> CanaryGroup:
    """The group of a server that was examined: provider, release, KMS host."""
    report, examination = outcome.report, outcome.examination
    host = ""
    if examination is not None:
        host = activation_host(examination.plan, examination.assessment) or ""
    return (report.provider or "", report.os.release or "", host or report.license.kms_host or "")


def _row_after_plan(outcome: Outcome, row: ServerReport) -> ServerReport:
    """A row without a result, completed with what the plan's examination had seen."""
    if row.error is None:
        return row
    error = row.error
    return row_without_result(
        outcome.server, error.kind, error.message, command=error.command, before=outcome.report
    )
