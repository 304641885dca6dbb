"""Options of the verbs that start a simulated fleet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from volact.cli.options.language import Lang
from volact.cli.options.shared import TableOrJson
from volact_lab.scenario import scenario_names
from volact_lab.scenarios import DEFAULT


def complete_scenario(incomplete: str) -> list[str]:
    """Shell completion for scenario names."""
    return [name for name in scenario_names() if name.startswith(incomplete)]


@dataclass(frozen=True, kw_only=True)
class ServeOptions:
    """Start a simulated fleet and stay until stopped."""

    servers: Annotated[
        int, typer.Option(min=1, max=20000, metavar="N", help="How many servers.")
    ] = 60
    scenario: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="Which faults, and how many.", autocompletion=complete_scenario
        ),
    ] = DEFAULT
    seed: Annotated[int, typer.Option(metavar="N", help="The same seed gives the same fleet.")] = 1
    inventory_out: Annotated[
        str, typer.Option(metavar="FILE", help="Write the fleet's inventory there.")
    ] = "lab.toml"
    ready_file: Annotated[
        str, typer.Option(metavar="FILE", help="Appears when connections are accepted.")
    ] = ""
    while_stdin: Annotated[
        bool, typer.Option("--while-stdin", help="End when standard input ends.")
    ] = False
    lang: Lang = ""


@dataclass(frozen=True, kw_only=True)
class DemoOptions:
    """Start a simulated fleet, activate it, show what came of it.

    Nothing real is touched: the servers live in a child process and answer on the loopback
    interface only. The exit code is that of activate.
    """

    lang: Lang = ""
    servers: Annotated[
        int, typer.Option(min=1, max=5000, metavar="N", help="How many servers.")
    ] = 60
    scenario: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="Which faults they have.", autocompletion=complete_scenario
        ),
    ] = DEFAULT
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


@dataclass(frozen=True, kw_only=True)
class ScenariosOptions:
    """List the scenarios and what is in them."""

    output: TableOrJson = "text"
    lang: Lang = ""
