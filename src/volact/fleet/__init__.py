"""Many servers at once: concurrency, deadlines, rollout rules, and a row for each server.

Every server of a run gets exactly one row: finished, out of time, interrupted or not
begun.  What is done on one server is ``volact.pipeline``'s.  Which servers a run has is
``volact.inventory``'s.

    async for row in run_fleet(servers, opener, Job(mode="check"), Control(concurrency=20)):
        print(row.name, row.verdict)

What fails on a server is in its row.  ``ValueError`` for rules of a rollout that contradict
themselves, or are written wrongly.
"""

from volact.fleet.clones import needs_all_servers, plan_together, planned_together
from volact.fleet.control import Canary, Control, Share
from volact.fleet.events import Ended, Entered, Finished, FleetEvent, OnEvent, Started, Stopped
from volact.fleet.failure_policy import Stop
from volact.fleet.rate_limiter import Rate
from volact.fleet.runs import apply_fleet, needs_plans_first, plan_fleet, run_fleet

__all__ = [
    "Canary",
    "Control",
    "Ended",
    "Entered",
    "Finished",
    "FleetEvent",
    "OnEvent",
    "Rate",
    "Share",
    "Started",
    "Stop",
    "Stopped",
    "apply_fleet",
    "needs_all_servers",
    "needs_plans_first",
    "plan_fleet",
    "plan_together",
    "planned_together",
    "run_fleet",
]
