"""The time that passes for a script.

It is real, but for what a request takes: that is counted by the network's model
(``HttpPool.waited_s``), and what the machine of the lab needs for it is left out.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

_REQUEST = "http"
# What a script does for a request besides the request itself.
_AROUND = frozenset({_REQUEST, "object"})


class ScriptClock:
    """``time`` is Unix seconds without requests, and without what the server's clock is off by."""

    def __init__(self) -> None:
        self.time = time.time()
        self._seen = time.monotonic()
        self._before = ""

    @contextmanager
    def operation(self, name: str) -> Iterator[None]:
        """One operation of the script; the time up to it, and its own, are counted."""
        after_request = name == "now" and self._before == _REQUEST
        counted = name not in _AROUND and not after_request
        self._pass(counted)
        try:
            yield
        finally:
            self._pass(counted and name != "now")
            self._before = name

    def _pass(self, counted: bool) -> None:
        now = time.monotonic()
        self.time += (now - self._seen) * counted
        self._seen = now
