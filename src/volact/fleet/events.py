"""What a progress display is told while servers are asked."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from volact.fleet.course import Stop
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


Event = Started | Entered | Finished | Stopped
OnEvent = Callable[[Event], None]


def unheard(event: Event) -> None:
    """Tell nobody."""
