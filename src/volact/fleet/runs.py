"""The runs over a fleet: all the way, or plan first and apply what was agreed to.

Each is an asynchronous stream of rows in the order in which servers finish.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from typing import TypeVar

from volact.fleet.control import Control
from volact.fleet.crew import Crew, Kind, Views
from volact.model.report import ServerReport
from volact.model.server import Server
from volact.pipeline import (
    Job,
    Outcome,
    activation_host,
    apply_one,
    examine_one,
    lost_row,
    run_one,
)
from volact.transports.base import Opener

R = TypeVar("R")

_DEFAULT = Control()


def run_fleet(
    servers: Iterable[Server], opener: Opener, job: Job, control: Control = _DEFAULT
) -> AsyncGenerator[ServerReport, None]:
    """Check, plan or activate every server, in one pass each."""
    views = Views[Server, ServerReport](_itself, _itself, _row_alone, kind_of_server)
    crew = Crew[Server, ServerReport](
        views, lambda server, job, note: run_one(server, opener, job, note), job, control
    )
    return crew.run(servers)


def plan_fleet(
    servers: Iterable[Server], opener: Opener, job: Job, control: Control = _DEFAULT
) -> AsyncGenerator[Outcome, None]:
    """Look at every server and plan, change nothing."""
    views = Views[Server, Outcome](_itself, _report_of, _outcome, kind_of_server)
    crew = Crew[Server, Outcome](
        views, lambda server, job, note: examine_one(server, opener, job, note), job, control
    )
    return crew.run(servers)


def apply_fleet(
    outcomes: Iterable[Outcome], opener: Opener, job: Job, control: Control = _DEFAULT
) -> AsyncGenerator[ServerReport, None]:
    """Apply what was planned before: exactly the steps that were shown."""
    views = Views[Outcome, ServerReport](_server_of, _itself, _row_after, kind_of_outcome)
    crew = Crew[Outcome, ServerReport](
        views, lambda look, job, note: apply_one(look, opener, job, note), job, control
    )
    return crew.run(outcomes)


def kind_of_server(server: Server) -> Kind:
    """What tells servers apart before anybody has looked at them."""
    tags = ",".join(sorted(server.tags))
    return (server.provider, server.address.scheme, tags)


def kind_of_outcome(outcome: Outcome) -> Kind:
    """What tells servers apart that were looked at."""
    report, look = outcome.report, outcome.look
    host = "" if look is None else activation_host(look.plan, look.assessment)
    return (report.provider or "", report.os.release or "", host or report.license.kms_host or "")


def _itself(value: R) -> R:
    return value


def _server_of(outcome: Outcome) -> Server:
    return outcome.server


def _report_of(outcome: Outcome) -> ServerReport:
    return outcome.report


def _row_alone(server: Server, row: ServerReport) -> ServerReport:
    return row


def _outcome(server: Server, row: ServerReport) -> Outcome:
    return Outcome(server=server, report=row)


def _row_after(outcome: Outcome, row: ServerReport) -> ServerReport:
    """The row of a loss with what an earlier look had seen."""
    if row.error is None:
        return row
    lost = row.error
    return lost_row(
        outcome.server, lost.kind, lost.message, command=lost.command, before=outcome.report
    )
