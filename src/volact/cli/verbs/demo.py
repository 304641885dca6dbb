"""``volact demo``: a simulated fleet, looked at, activated and looked at again."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from volact.cli.language import Lang
from volact.cli.options import takes
from volact.cli.verbs.lab import complete_scenario

if TYPE_CHECKING:
    from pathlib import Path

    from volact.cli.options import FleetOptions
    from volact.report.tally import Tally


@dataclass(frozen=True, kw_only=True)
class DemoOptions:
    """Which fleet, and where its page goes."""

    lang: Lang = ""
    servers: Annotated[
        int, typer.Option(min=1, max=5000, metavar="N", help="How many servers.")
    ] = 60
    scenario: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="Which faults they have.", autocompletion=complete_scenario
        ),
    ] = "tencent"
    seed: Annotated[int, typer.Option(metavar="N", help="The same seed gives the same fleet.")] = 7
    html: Annotated[str, typer.Option(metavar="FILE", help="Where the report page goes.")] = (
        "volact-demo.html"
    )
    concurrency: Annotated[
        int, typer.Option(min=1, max=2000, metavar="N", help="How many servers at a time.")
    ] = 20
    deadline: Annotated[
        float, typer.Option(min=1, max=600, metavar="SECONDS", help="The time one server may take.")
    ] = 8.0


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("demo")(demo)


@takes(DemoOptions)
def demo(options: DemoOptions) -> int:
    """Start a simulated fleet, activate it, show what came of it.

    Nothing real is touched: the servers live in a child process and answer on the loopback
    interface only. The exit code is that of activate.
    """
    from volact.cli.child_lab import child_lab
    from volact.cli.sinks import require_writable
    from volact.model.text import say

    require_writable([f"html={options.html}"])
    _line(
        say(
            "starting {n} simulated servers (scenario {scenario})",
            n=options.servers,
            scenario=options.scenario,
        )
    )
    with child_lab(options.scenario, options.servers, options.seed) as inventory:
        code = _both_runs(options, inventory)
    _line(say("the report page is {file}", file=options.html))
    return code


def _both_runs(options: DemoOptions, inventory: Path) -> int:
    """Check everything, then activate everything."""
    from volact.cli.options import FleetOptions

    both = FleetOptions(
        inventory=str(inventory),
        concurrency=options.concurrency,
        deadline=options.deadline,
        no_store=True,
    )
    before = _check(both)
    return _activate(replace(both, report=[f"html={options.html}"]), before)


def _check(options: FleetOptions) -> Tally:
    from volact.cli.conduct import conductor, run_through
    from volact.cli.fleet_options import fleet_of
    from volact.cli.runtime import run_async
    from volact.cli.sinks import Nowhere

    with conductor(options, fleet_of(options, "check"), "text", Nowhere()) as run:
        code = run_async(run_through(run))
        if run.stopped:
            raise typer.Exit(code)
        return run.tally


def _activate(options: FleetOptions, before: Tally) -> int:
    import msgspec

    from volact.cli.conduct import conductor, run_through, stdout_writer
    from volact.cli.console import use_stdout
    from volact.cli.fleet_options import fleet_of
    from volact.cli.runtime import run_async
    from volact.report.compare import ComparingWriter

    fleet = fleet_of(options, "activate")
    how = msgspec.structs.replace(
        fleet.how, command="demo", selector="-i lab.toml", before=before.summary()
    )
    fleet = msgspec.structs.replace(fleet, how=how)
    table = ComparingWriter(use_stdout("text"), before, stdout_writer("text", how, options))
    with conductor(options, fleet, "text", table) as run:
        return run_async(run_through(run))


def _line(line: str) -> None:
    from volact.words import tr

    sys.stderr.write(f"{tr(line)}\n")
    sys.stderr.flush()
