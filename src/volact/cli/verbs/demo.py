"""``volact demo``: a simulated fleet, checked, activated and verified."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import typer

from volact.cli.child_lab import child_lab, starting
from volact.cli.console import use_stdout, write_line
from volact.cli.fleet_options import fleet_of
from volact.cli.options.lab import DemoOptions
from volact.cli.options.servers import FleetOptions
from volact.cli.run_controller import open_run, run_through
from volact.cli.runtime import run_async
from volact.cli.sinks import NullWriter, require_writable, stdout_writer
from volact.cli.verbs.lab import require_scenario
from volact.model.text import Text, say, typed
from volact.report.run_counts import ComparingWriter, RunCounts
from volact.typed import joined

_SELECTOR = "-i lab.toml"  # as ``lab serve`` names it


def demo(options: DemoOptions) -> int:
    """Activate a simulated fleet and show the result."""
    require_writable([f"html={options.html}"])
    require_scenario(options.scenario)
    write_line(starting(options.scenario, options.servers))
    with child_lab(options.scenario, options.servers, options.seed) as inventory:
        code = _both_runs(options, inventory)
    write_line(say("the report is in {file}", file=options.html))
    return code


def _both_runs(options: DemoOptions, inventory: Path) -> int:
    """Check everything, then activate everything."""
    both = FleetOptions(
        inventory=str(inventory),
        concurrency=options.concurrency,
        deadline=options.deadline,
        no_store=True,
    )
    before = _check(both)
    return _activate(replace(both, report=[f"html={options.html}"]), before, _again(options))


def _check(options: FleetOptions) -> RunCounts:
    with open_run(options, fleet_of(options, "check"), "text", NullWriter()) as run:
        code = run_async(run_through(run))
        if run.stopped:
            raise typer.Exit(code)
        return run.counts


def _activate(options: FleetOptions, before: RunCounts, note: Text) -> int:
    fleet = fleet_of(options, "activate")
    how = msgspec.structs.replace(
        fleet.how, command="demo", selector=_SELECTOR, before=before.summary()
    )
    fleet = msgspec.structs.replace(fleet, how=how)
    table = ComparingWriter(use_stdout("text"), before, stdout_writer("text", how, options.verbose))
    with open_run(options, fleet, "text", table) as run:
        run.note(note)
        return run_async(run_through(run))


def _again(options: DemoOptions) -> Text:
    """The commands of the report name servers that are gone when it is read."""
    fleet = ("--scenario", options.scenario, "--servers", options.servers, "--seed", options.seed)
    return say(
        "The simulated servers ended with the demo. To try the commands of this report, start "
        "the same servers again: {serve}; then, in the same folder, in another terminal: {check}",
        serve=typed(joined(["volact", "lab", "serve", *map(str, fleet)])),
        check=typed(f"volact check {_SELECTOR}"),
    )
