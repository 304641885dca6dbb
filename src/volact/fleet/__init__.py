"""Many servers at once: how many, how long, when to stop, and a row for each.

Every server that was asked for gets exactly one row, whatever happens to it:
finished, out of time, interrupted, never begun.  What is done on one server
is ``volact.pipeline``'s; who is asked for is ``volact.inventory``'s.
"""

from volact.fleet.clones import needs_all, planned_together
from volact.fleet.control import Canary, Control
from volact.fleet.course import Stop
from volact.fleet.events import Entered, Event, Finished, OnEvent, Started, Stopped
from volact.fleet.pace import Rate
from volact.fleet.runs import apply_fleet, plan_fleet, run_fleet
from volact.fleet.share import Share

__all__ = [
    "Canary",
    "Control",
    "Entered",
    "Event",
    "Finished",
    "OnEvent",
    "Rate",
    "Share",
    "Started",
    "Stop",
    "Stopped",
    "apply_fleet",
    "needs_all",
    "plan_fleet",
    "planned_together",
    "run_fleet",
]
