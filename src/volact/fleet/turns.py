"""Taking turns at KMS hosts: a few activations at each at a time, first come first served.

Which host an activation goes to is ``volact.pipeline.turn``'s.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager

from volact.errors import TransportError
from volact.model.text import Text


class Turns:
    """One line of waiting servers for each host.

    ``unhurried`` is entered while one waits: waiting costs a server none of its
    time.  After ``close`` nobody who waits gets a turn any more.
    """

    def __init__(
        self, limit: int | None, unhurried: Callable[[], AbstractContextManager[None]]
    ) -> None:
        self._limit = limit
        self._unhurried = unhurried
        self._gates: dict[str, _Gate] = {}
        self._closed: Text | None = None

    @asynccontextmanager
    async def at(self, host: str) -> AsyncIterator[None]:
        """The turn at a host; ``TransportError`` when it does not come any more."""
        if self._limit is None:
            yield
            return
        gate = self._gates.setdefault(host, _Gate(self._limit))
        if gate.full:
            with self._unhurried():
                await gate.wait(self._closed)
        else:
            gate.inside += 1
        try:
            yield
        finally:
            gate.leave()

    def close(self, why: Text) -> None:
        """Let those go who wait; those inside stay."""
        self._closed = why
        for gate in self._gates.values():
            gate.close(why)


class _Gate:
    """The servers at one host: how many are inside, and who waits in which order."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.inside = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def full(self) -> bool:
        """Whether one more has to wait."""
        return self.inside >= self._limit or bool(self._waiting)

    async def wait(self, closed: Text | None) -> None:
        """Wait for whoever leaves."""
        if closed is not None:
            raise _no_turn(closed)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self.leave()  # it came at the last moment: the next one's now
            raise

    def leave(self) -> None:
        """Give the place to the next who still waits."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self.inside -= 1

    def close(self, why: Text) -> None:
        """Nobody waits any more."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_exception(_no_turn(why))


def _no_turn(why: Text) -> TransportError:
    return TransportError("not-begun", why)
