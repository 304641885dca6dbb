"""What a run hands to the thread that writes: small values, made where they are seen."""

from __future__ import annotations

import asyncio

import msgspec

from volact.model.intent import Intent
from volact.model.report import RunReport, ServerReport


class Begun(msgspec.Struct, frozen=True):
    """The run has begun."""


class Seen(msgspec.Struct, frozen=True):
    """The facts of one look, as JSON."""

    server: str
    at: str
    look: str
    facts: bytes


class Sending(msgspec.Struct, frozen=True):
    """Steps that wait to be sent until they are written down."""

    intent: Intent
    written: asyncio.Future[None]


class Withdrawn(msgspec.Struct, frozen=True):
    """Steps that were written down and certainly never ran."""

    intent: Intent


class Passing(msgspec.Struct, frozen=True):
    """Nothing itself: somebody waits until everything before it is dealt with."""

    written: asyncio.Future[None]


class Done(msgspec.Struct, frozen=True):
    """A server's row."""

    at: str
    report: ServerReport


class Ended(msgspec.Struct, frozen=True):
    """The run is over: its report without its servers."""

    report: RunReport


class Dropped(msgspec.Struct, frozen=True):
    """There is no end: the run was torn off."""


Item = Begun | Seen | Sending | Withdrawn | Passing | Done | Ended | Dropped
END = (Ended, Dropped)  # nothing comes after these


def release(items: list[Item]) -> None:
    """Let go on whoever waits for these, in their own loop and with one call."""
    waiting = [item.written for item in items if isinstance(item, Sending | Passing)]
    if not waiting:
        return
    try:
        waiting[0].get_loop().call_soon_threadsafe(_resolve, waiting)
    except RuntimeError:
        return  # that loop is closed: nobody waits any more


def _resolve(waiting: list[asyncio.Future[None]]) -> None:
    for future in waiting:
        if not future.done():
            future.set_result(None)
