"""Work run on an event loop, and signals that stop a run."""

from __future__ import annotations

import asyncio
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from types import FrameType
from typing import Any, TypeVar

from volact.cli.failure import tell
from volact.event_loop import new_runner
from volact.model.text import say

T = TypeVar("T")

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Run one piece of work to its end."""
    with new_runner() as runner:
        return runner.run(work)


def ignore_signal(signals: int) -> None:
    """Do nothing."""


@contextmanager
def on_signals(
    handle: Callable[[int, FrameType | None], object],
    signals: Iterable[signal.Signals] = _SIGNALS,
) -> Iterator[None]:
    """Handle SIGINT and SIGTERM inside the block."""
    before = {name: signal.signal(name, handle) for name in signals}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


def unhandled_signals() -> tuple[signal.Signals, ...]:
    """Those of SIGINT and SIGTERM that nothing handles yet: a watch notes them itself."""
    default = (signal.SIG_DFL, signal.default_int_handler)
    return tuple(name for name in _SIGNALS if signal.getsignal(name) in default)


@contextmanager
def stop_on_signals(
    *events: asyncio.Event, on_signal: Callable[[int], None] = ignore_signal
) -> Iterator[None]:
    """Set one more of the events on each SIGINT or SIGTERM; the next one ends at once.

    ``on_signal`` is called with the number of signals so far.
    """
    loop, left = asyncio.get_running_loop(), list(events)
    with ExitStack() as handled:

        def stop(*_: object) -> None:
            loop.call_soon_threadsafe(left.pop(0).set)
            loop.call_soon_threadsafe(on_signal, len(events) - len(left))
            if not left:
                handled.close()

        handled.enter_context(on_signals(stop))
        yield


def set_at_end_of_input(stop: asyncio.Event) -> None:
    """Stop when standard input ends: the process that started this one has then ended."""
    loop = asyncio.get_running_loop()

    def watch() -> None:
        while os.read(0, 1024):
            pass
        with suppress(RuntimeError):  # the loop has ended before
            loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=watch, name="stdin", daemon=True).start()


class StopSignal:
    """SIGINT and SIGTERM between the runs of a watch; a run handles its own.

    ``stopped`` says whether the current run was stopped already: then the next signal ends
    at once.
    """

    def __init__(self, stopped: Callable[[], bool]) -> None:
        self._stopped = stopped
        self._asked = False
        # The only queue whose ``put`` is safe in a signal handler: it takes no lock that the
        # interrupted code may hold.
        self._wake: queue.SimpleQueue[None] = queue.SimpleQueue()

    def installed(self) -> AbstractContextManager[None]:
        """Handle signals inside the block."""
        return on_signals(self._on_signal)

    def _on_signal(self, *_: object) -> None:
        if self._asked or self._stopped():
            raise KeyboardInterrupt
        self._asked = True
        self._wake.put(None)

    def wait(self, seconds: float) -> bool:
        """Wait; whether a signal asked to end."""
        when = datetime.now(UTC) + timedelta(seconds=seconds)
        tell(say("next check at {when} UTC", when=f"{when:%Y-%m-%d %H:%M:%S}"))
        ends = time.monotonic() + seconds
        # On Windows a signal does not end a wait for a lock:
        # https://github.com/python/cpython/issues/80116
        longest = 0.5 if sys.platform == "win32" else seconds
        while not self._asked and (left := ends - time.monotonic()) > 0:
            with suppress(queue.Empty):
                self._wake.get(timeout=min(left, longest))
        return self._asked
