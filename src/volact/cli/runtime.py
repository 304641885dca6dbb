"""Running coroutines: the fastest event loop there is, and signals that end it kindly."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")

# As many as a few dozen visits leave behind until the next look.
_NEW_OBJECTS = 20_000
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Run one piece of work to its end."""
    with new_runner() as runner:
        return runner.run(work)


def new_runner() -> asyncio.Runner:
    """A loop for several pieces of work one after another."""
    _seldom_collect()
    return asyncio.Runner(loop_factory=_loop_factory())


def _seldom_collect() -> None:
    """Look for garbage in cycles seldom, and never among what was imported.

    With Python's own setting a fleet spends a sixth of its time on that.
    """
    if not gc.get_freeze_count():  # once: what a watch leaves behind later is garbage
        gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, 10, 10)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415 - not on every system, and only for a run
    except ImportError:
        return None
    return uvloop.new_event_loop


def untold(heard: int) -> None:
    """Tell nobody."""


@contextmanager
def stoppable(*events: asyncio.Event, tell: Callable[[int], None] = untold) -> Iterator[None]:
    """Each SIGINT or SIGTERM sets the next of the events; one more ends at once.

    ``tell`` is told how many were heard.
    """
    loop = asyncio.get_running_loop()
    before = {name: signal.getsignal(name) for name in _SIGNALS}

    def restore() -> None:
        for name, handler in before.items():
            signal.signal(name, handler)

    left = list(events)

    def stop(*_: object) -> None:
        loop.call_soon_threadsafe(left.pop(0).set)
        loop.call_soon_threadsafe(tell, len(events) - len(left))
        if not left:
            restore()

    try:
        for name in _SIGNALS:
            signal.signal(name, stop)
        yield
    finally:
        restore()
