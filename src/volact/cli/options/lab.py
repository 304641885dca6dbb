"""Options of the verbs that start a simulated fleet."""

from __future__ import annotations

from dataclasses import dataclass

from volact.cli.options import shared
from volact.cli.options.completion import completing
from volact.cli.options.language import Lang
from volact.cli.options.parameter import flag, option
from volact_lab.scenario import scenario_names
from volact_lab.scenarios import DEFAULT

complete_scenario = completing(scenario_names)


def _seed(default: int) -> int:
    return option(default, "Random seed; the same seed gives the same fleet.", "N")


@dataclass(frozen=True, kw_only=True)
class LabServeOptions:
    """Start a simulated fleet and run until stopped."""

    servers: int = option(60, "Number of servers.", "N", min=1, max=20000)
    scenario: str = option(
        DEFAULT, "Scenario: the faults and their number.", "NAME", autocompletion=complete_scenario
    )
    seed: int = _seed(1)
    inventory_out: str = option("lab.toml", "File for the fleet's inventory.", "FILE")
    ready_file: str = option("", "File created when connections are accepted.", "FILE")
    while_stdin: bool = flag("--while-stdin", "Stop when standard input ends.")
    lang: Lang = ""


@dataclass(frozen=True, kw_only=True)
class DemoOptions:
    """Activate a simulated fleet and show the result.

    No real server is contacted: the simulated ones run in a child process on the loopback
    interface only. The exit code is that of activate.
    """

    lang: Lang = ""
    servers: int = option(60, "Number of servers.", "N", min=1, max=5000)
    scenario: str = option(
        DEFAULT, "Scenario: the faults of the servers.", "NAME", autocompletion=complete_scenario
    )
    seed: int = _seed(7)
    html: str = option("volact-demo.html", "File for the HTML report.", "FILE")
    concurrency: int = option(20, "Servers at a time.", "N", min=1, max=2000)
    deadline: float = option(20.0, "Time limit for one server.", "SECONDS", min=1, max=600)


@dataclass(frozen=True, kw_only=True)
class LabScenariosOptions:
    """List the scenarios and their faults."""

    output: shared.TableOrJson = shared.output()
    lang: Lang = ""
