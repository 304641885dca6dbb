"""The event loop of a process, and its garbage collection."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from functools import cache

# About what a few dozen visits leave behind.
_NEW_OBJECTS = 20_000


def new_runner() -> asyncio.Runner:
    """A loop for several pieces of work one after another."""
    _tune_garbage_collection()
    return asyncio.Runner(loop_factory=_loop_factory())


@cache  # once: later objects of a watch are garbage
def _tune_garbage_collection() -> None:
    """Collect garbage seldom, and never among the imported modules.

    With Python's default a fleet spends a sixth of its time on collections.
    """
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, 10, 10)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415 - not on every system, and only for a run
    except ImportError:
        return None
    return uvloop.new_event_loop
