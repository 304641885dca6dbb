"""What a run hands to the thread that writes: one small value for each event."""

from __future__ import annotations

import asyncio

import msgspec

from volact.model.report import RunReport, ServerReport
from volact.model.step import Intent


class RunBegun(msgspec.Struct, frozen=True):
    """The run has begun."""


class FactsSeen(msgspec.Struct, frozen=True):
    """The facts of one probe, as JSON; ``look`` is ``first`` or ``closing``."""

    server: str
    at: str
    look: str
    facts: bytes


class StepsPlanned(msgspec.Struct, frozen=True):
    """Steps that are sent when they are written; ``written`` is resolved then."""

    intent: Intent
    written: asyncio.Future[None]


class StepsWithdrawn(msgspec.Struct, frozen=True):
    """Steps that were written and certainly never ran."""

    intent: Intent


class Barrier(msgspec.Struct, frozen=True):
    """Writes nothing: ``written`` is resolved when every event before it is dealt with."""

    written: asyncio.Future[None]


class ServerDone(msgspec.Struct, frozen=True):
    """A server's row."""

    at: str
    report: ServerReport


class RunEnded(msgspec.Struct, frozen=True):
    """The run is over: its report without its servers."""

    report: RunReport


class RunAborted(msgspec.Struct, frozen=True):
    """The run ended without a report."""


StoreEvent = (
    RunBegun
    | FactsSeen
    | StepsPlanned
    | StepsWithdrawn
    | Barrier
    | ServerDone
    | RunEnded
    | RunAborted
)
END = (RunEnded, RunAborted)  # no event comes after these


def resolve(events: list[StoreEvent]) -> None:
    """Resolve the futures of these events, in their own loop and with one call."""
    waiting = [event.written for event in events if isinstance(event, StepsPlanned | Barrier)]
    if not waiting:
        return
    try:
        waiting[0].get_loop().call_soon_threadsafe(_set_results, waiting)
    except RuntimeError:
        return  # that loop is closed, so no task waits any more


def _set_results(waiting: list[asyncio.Future[None]]) -> None:
    for future in waiting:
        if not future.done():
            future.set_result(None)
