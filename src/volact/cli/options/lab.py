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


Seed = Annotated[
    int, typer.Option(metavar="N", help="Random seed; the same seed gives the same fleet.")
]


@dataclass(frozen=True, kw_only=True)
class LabServeOptions:
    """Start a simulated fleet and run until stopped."""

    servers: Annotated[
        int, typer.Option(min=1, max=20000, metavar="N", help="Number of servers.")
    ] = 60
    scenario: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Scenario: the faults and their number.",
            autocompletion=complete_scenario,
        ),
    ] = DEFAULT
    seed: Seed = 1
    inventory_out: Annotated[
        str, typer.Option(metavar="FILE", help="File for the fleet's inventory.")
    ] = "lab.toml"
    ready_file: Annotated[
        str, typer.Option(metavar="FILE", help="File created when connections are accepted.")
    ] = ""
    while_stdin: Annotated[
        bool, typer.Option("--while-stdin", help="Stop when standard input ends.")
    ] = False
    lang: Lang = ""


@dataclass(frozen=True, kw_only=True)
class DemoOptions:
    """Activate a simulated fleet and show the result.

    No real server is contacted: the simulated ones run in a child process on the loopback
    interface only. The exit code is that of activate.
    """

    lang: Lang = ""
    servers: Annotated[
        int, typer.Option(min=1, max=5000, metavar="N", help="Number of servers.")
    ] = 60
    scenario: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Scenario: the faults of the servers.",
            autocompletion=complete_scenario,
        ),
    ] = DEFAULT
    seed: Seed = 7
    html: Annotated[str, typer.Option(metavar="FILE", help="File for the HTML report.")] = (
        "volact-demo.html"
    )
    concurrency: Annotated[
        int, typer.Option(min=1, max=2000, metavar="N", help="Servers at a time.")
    ] = 20
    deadline: Annotated[
        float, typer.Option(min=1, max=600, metavar="SECONDS", help="Time limit for one server.")
    ] = 12.0


@dataclass(frozen=True, kw_only=True)
class ScenariosOptions:
    """List the scenarios and their faults."""

    output: TableOrJson = "text"
    lang: Lang = ""
