"""``volact check``: examine servers, change nothing."""

from __future__ import annotations

from volact.cli.fleet_options import fleet_of
from volact.cli.options.servers import CheckOptions
from volact.cli.run_controller import open_run, run_through
from volact.cli.runtime import run_async
from volact.cli.service_runs import run_by_service


def check(options: CheckOptions) -> int:
    """Check servers and report problems; changes nothing."""
    if options.service:
        return run_by_service(options, "check")
    with open_run(options, fleet_of(options, "check"), options.output) as run:
        return run_async(run_through(run))
