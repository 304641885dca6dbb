"""How a run over a fleet is conducted: what a person decides about it, as values."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

import msgspec

from volact.fleet.events import OnEvent, unheard
from volact.fleet.pace import Rate
from volact.fleet.share import Share


class Canary(msgspec.Struct, frozen=True):
    """How many go first, and how many of them may fail."""

    share: Share
    may_fail: int = 0


class Control(msgspec.Struct, frozen=True, kw_only=True):
    """How many at once, how fast, how long, who goes first, who is told, who may stop it.

    ``run_s`` bounds the whole run; the time of one server is its job's
    ``deadline_s``.  Setting ``drain`` begins nothing more and finishes what
    runs; setting ``stop`` gives up what runs: the servers concerned get rows
    that say so.  ``chance`` spreads the beginnings within a ``pace``.
    """

    concurrency: int = 50
    run_s: float | None = None
    on_event: OnEvent = unheard
    stop: asyncio.Event | None = None
    drain: asyncio.Event | None = None
    canary: Canary | None = None
    max_failures: Share | None = None
    pace: Rate | None = None
    kms_concurrency: int | None = None
    chance: Callable[[], float] = random.random
