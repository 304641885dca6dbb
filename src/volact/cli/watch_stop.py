"""When a watch is to end: SIGINT and SIGTERM between its looks, and the rest there.

A look hears them itself (``runtime.stoppable``); here is what is heard while none
is under way.
"""

from __future__ import annotations

import queue
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

from volact.cli.failure import tell
from volact.model.text import say

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopping:
    """Whether somebody wants the watch to end.

    ``stopped`` says whether the look under way was told already: then a second
    signal ends at once.
    """

    def __init__(self, stopped: Callable[[], bool]) -> None:
        self._stopped = stopped
        self._asked = False
        # Of all that wakes somebody only this may be used by a handler of signals: a lock
        # that the interrupted code holds would be waited for in vain.
        self._wake: queue.SimpleQueue[None] = queue.SimpleQueue()

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Meanwhile signals are a request."""
        before = {name: signal.signal(name, self._hear) for name in _SIGNALS}
        try:
            yield
        finally:
            for name, handler in before.items():
                signal.signal(name, handler)

    def _hear(self, *_: object) -> None:
        if self._asked or self._stopped():
            raise KeyboardInterrupt
        self._asked = True
        self._wake.put(None)

    def within(self, seconds: float) -> bool:
        """Rest so long; whether somebody asked to end."""
        when = datetime.now(UTC) + timedelta(seconds=seconds)
        tell(say("the next look begins at {when} UTC", when=f"{when:%Y-%m-%d %H:%M:%S}"))
        with suppress(queue.Empty):
            self._wake.get(timeout=seconds)
        return self._asked
