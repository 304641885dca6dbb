"""Time that only waiting moves: a deadline of a minute passes at once, and exactly then.

For tests whose servers are scripted.  Real connections, processes and threads
take real time, of which this loop knows nothing: such tests have deadlines that no
machine is too slow for, and ``pass_time`` once they have seen what comes before.
"""

from __future__ import annotations

import asyncio
import functools
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec

P = ParamSpec("P")


class _Selector(selectors.DefaultSelector):
    """Waits in the loop's time instead of the machine's."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready; when nothing is, the loop's time goes on by the time-out."""
        found = super().select(0 if timeout is not None else None)
        if not found and timeout is not None and timeout > 0:
            self.now += timeout
        return found


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock stands still while there is something to do."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        """Seconds since the loop began."""
        return self._virtual.now


def now() -> float:
    """Seconds since the test began."""
    return asyncio.get_running_loop().time()


def pass_time(seconds: float) -> None:
    """Move the time of the running loop on: every deadline that is so near is over."""
    loop = asyncio.get_running_loop()
    before = loop.time
    loop.time = lambda: before() + seconds  # type: ignore[method-assign]


def virtual_time(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run an asynchronous test on such a loop."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            runner.run(test(*args, **kwargs))

    return run
