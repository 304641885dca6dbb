"""``volact plan``: what would be done, as words, data or console commands."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

import typer

from volact.cli.options import Allow, PlanFormat, ServerOptions, takes

if TYPE_CHECKING:
    from volact.cli.conduct import Conductor
    from volact.core.context import Policy
    from volact.model.report import RunReport, ServerReport
    from volact.pipeline import Outcome
    from volact.report.commands_list import CommandsWriter


@dataclass(frozen=True, kw_only=True)
class PlanOptions(ServerOptions):
    """As for ``check``, and one format more."""

    output: Annotated[
        PlanFormat,
        typer.Option(
            "--format",
            "--output",
            "-o",
            help="What is written to standard output; commands: as typed in cmd.exe.",
        ),
    ] = "text"
    allow: Allow = field(default_factory=list)


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("plan")(plan)


@takes(PlanOptions)
def plan(options: PlanOptions) -> int:
    """Say what activate would do; change nothing."""
    from volact.cli.fleet_options import consent_of
    from volact.core.context import Policy

    return run_plan(options, options.output, Policy(consent=consent_of(options.allow)))


def run_plan(options: ServerOptions, output: str, policy: Policy | None = None) -> int:
    """The verb, also for ``activate --dry-run``."""
    from volact.cli.conduct import conductor
    from volact.cli.fleet_options import fleet_of
    from volact.cli.runtime import run_async

    fleet = fleet_of(options, "plan", policy)
    if output != "commands":
        with conductor(options, fleet, output) as run:
            return run_async(_run(run))
    commands = _Commands(commands_writer(len(fleet.servers)))
    with conductor(options, fleet, output, commands) as run:
        return run_async(_run(run, commands))


class _Commands:
    """Standard output of a run whose rows are console commands."""

    def __init__(self, writer: CommandsWriter) -> None:
        self._writer = writer
        self._typed: dict[str, tuple[str, ...]] = {}

    def expect(self, outcome: Outcome) -> None:
        """Keep what is typed on a server until its row is written."""
        self._typed[outcome.report.name] = commands_of(outcome)

    def add(self, server: ServerReport) -> None:
        """Write one server's commands."""
        self._writer.add(server, self._typed.pop(server.name, ()))

    def finish(self, run: RunReport) -> None:
        """There is no more to say."""


async def _run(run: Conductor, commands: _Commands | None = None) -> int:
    from volact.fleet import needs_all, plan_fleet

    fleet = run.fleet
    with run.listening() as control:
        outcomes = plan_fleet(fleet.servers, fleet.opener, fleet.job, control)
        if needs_all(fleet.job):
            outcomes = _together(outcomes)
        await run.show(len(fleet.servers), _rows(outcomes, commands))
    return run.finish()


async def _rows(
    outcomes: AsyncGenerator[Outcome, None], commands: _Commands | None
) -> AsyncGenerator[ServerReport, None]:
    """The rows of the outcomes; their console commands are made on the way."""
    async with aclosing(outcomes):
        async for outcome in outcomes:
            if commands is not None:
                commands.expect(outcome)
            yield outcome.report


async def _together(outcomes: AsyncGenerator[Outcome, None]) -> AsyncGenerator[Outcome, None]:
    """The outcomes after all servers were looked at, with what is planned only then."""
    from volact.fleet import planned_together

    async with aclosing(outcomes):
        seen = [outcome async for outcome in outcomes]
    for outcome in planned_together(seen):
        yield outcome


def commands_of(outcome: Outcome) -> tuple[str, ...]:
    """What a person would type on that server."""
    from volact.core.commands import console_commands

    look = outcome.look
    return console_commands(look.plan, look.assessment) if look is not None else ()


def commands_writer(servers: int) -> CommandsWriter:
    """Console commands on standard output."""
    from volact.cli.console import use_stdout
    from volact.report.commands_list import CommandsWriter

    return CommandsWriter(use_stdout("text"), headings=servers > 1)
