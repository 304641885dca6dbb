"""``volact plan``: the plan as text, data or console commands."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from msgspec.structs import replace

from volact.cli.console import use_stdout
from volact.cli.fleet_options import consent_of, fleet_of
from volact.cli.options.servers import PlanOptions, ServerOptions
from volact.cli.run_controller import RunController, open_run
from volact.cli.runtime import run_async
from volact.cli.service_runs import run_by_service
from volact.core.console import Console, Dialect, with_remark
from volact.core.context import Policy
from volact.core.steps.forecast import console_commands
from volact.errors import InputError
from volact.fleet import needs_all_servers, plan_fleet, planned_together
from volact.model.report import RunReport, ServerReport
from volact.model.text import say
from volact.pipeline import Outcome
from volact.report.plan_text import CommandsWriter


def plan(options: PlanOptions) -> int:
    """Show what activate would do; changes nothing."""
    policy = Policy(consent=consent_of(options.allow))
    if options.service:
        return run_by_service(options, "plan")
    return run_plan(options, options.output, policy, options.dialect)


def run_plan(
    options: ServerOptions,
    output: str,
    policy: Policy | None = None,
    dialect: Dialect | None = None,
) -> int:
    """The verb, also for ``activate --dry-run``."""
    need_commands(output, dialect)
    fleet = fleet_of(options, "plan", policy)
    if output != "commands":
        with open_run(options, fleet, output) as run:
            return run_async(_run(run))
    commands = _Commands(commands_writer(len(fleet.servers)), dialect)
    with open_run(options, fleet, output, commands) as run:
        return run_async(_run(run, commands))


class _Commands:
    """Standard output of a run whose rows are console commands."""

    def __init__(self, writer: CommandsWriter, dialect: Dialect | None) -> None:
        self._writer = writer
        self._dialect = dialect
        self._typed: dict[str, tuple[str, ...]] = {}

    def expect(self, outcome: Outcome) -> None:
        """Keep a server's commands until its row is written."""
        self._typed[outcome.report.name] = commands_of(outcome, self._dialect)

    def add(self, server: ServerReport) -> None:
        """Write one server's commands."""
        self._writer.add(server, self._typed.pop(server.name, ()))

    def finish(self, run: RunReport) -> None:
        """Do nothing."""


async def _run(run: RunController, commands: _Commands | None = None) -> int:
    fleet = run.fleet
    with run.stoppable() as control:
        outcomes = plan_fleet(fleet.servers, fleet.opener, fleet.job, control)
        if needs_all_servers(fleet.job):
            outcomes = planned_together(outcomes)
        await run.show(len(fleet.servers), _rows(outcomes, commands))
    return run.finish()


async def _rows(
    outcomes: AsyncGenerator[Outcome, None], commands: _Commands | None
) -> AsyncGenerator[ServerReport, None]:
    """The rows of the outcomes; their console commands are made here, too."""
    async with aclosing(outcomes):
        async for outcome in outcomes:
            if commands is not None:
                commands.expect(outcome)
            yield outcome.report


def need_commands(output: str, dialect: Dialect | None) -> None:
    """``InputError`` for a dialect where no commands are asked for."""
    if dialect is not None and output != "commands":
        raise InputError(say("--dialect is for commands"), say("add: --format commands"))


def commands_of(outcome: Outcome, dialect: Dialect | None) -> tuple[str, ...]:
    """The console commands of a plan, in the server's own dialect where none is given."""
    exam = outcome.examination
    if exam is None:
        return ()
    own = exam.assessment
    a = own if dialect is None else replace(own, console=Console(dialect))
    return with_remark(console_commands(exam.plan, a))


def commands_writer(servers: int) -> CommandsWriter:
    """Console commands on standard output."""
    return CommandsWriter(use_stdout("text"), headings=servers > 1)
