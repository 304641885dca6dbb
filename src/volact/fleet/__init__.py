"""Many servers at once: how many, how long, when to stop, and a row for each.

Every server that was asked for gets exactly one row, whatever happens to it:
finished, out of time, interrupted, never begun.  What is done on one server
is ``volact.pipeline``'s; who is asked for is ``volact.inventory``'s.
"""

from volact.fleet.clones import needs_all, planned_together
from volact.fleet.events import Entered, Event, Finished, OnEvent, Started
from volact.fleet.runs import Control, apply_fleet, plan_fleet, run_fleet

__all__ = [
    "Control",
    "Entered",
    "Event",
    "Finished",
    "OnEvent",
    "Started",
    "apply_fleet",
    "needs_all",
    "plan_fleet",
    "planned_together",
    "run_fleet",
]
