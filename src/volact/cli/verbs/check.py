"""``volact check``: look at servers, change nothing."""

from __future__ import annotations

import typer

from volact.cli.options import FleetOptions, takes


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("check")(check)


@takes(FleetOptions)
def check(options: FleetOptions) -> int:
    """Look at servers and say what is wrong; change nothing."""
    from volact.cli.conduct import conductor, run_through
    from volact.cli.fleet_options import fleet_of
    from volact.cli.runtime import run_async

    with conductor(options, fleet_of(options, "check"), options.output) as run:
        return run_async(run_through(run))
