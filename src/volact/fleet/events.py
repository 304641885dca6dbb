"""Events of a run over a fleet: what a progress display shows."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from volact.fleet.failure_policy import Stop
from volact.model.report import ServerReport
from volact.pipeline import Phase


class Started(msgspec.Struct, frozen=True):
    """Work on a server has begun."""

    name: str


class Entered(msgspec.Struct, frozen=True):
    """A server has entered a phase."""

    name: str
    phase: Phase


class Finished(msgspec.Struct, frozen=True):
    """A server has its row."""

    report: ServerReport


class Stopped(msgspec.Struct, frozen=True):
    """No more servers are begun."""

    stop: Stop


class Ended(msgspec.Struct, frozen=True):
    """The run is over; ``stop`` names all that failed, also after the stop."""

    stop: Stop | None


FleetEvent = Started | Entered | Finished | Stopped | Ended
OnEvent = Callable[[FleetEvent], None]
