"""The seam between console, API and schedules on one side and the engine on the other."""

from __future__ import annotations

from typing import Protocol

from volact.client.wire import RunInfo, RunSpec
from volact.service.access import Actor


class RunControl(Protocol):
    """Starts runs and steers them; ``service/engine`` is the one implementation.

    Every method raises ``InputError`` for what the caller can mend (no such run, a wrong
    word in the specification, a state that the request does not fit), and ``StoreError``
    when the database cannot be asked.
    """

    async def submit(
        self, spec: RunSpec, actor: Actor, *, schedule: str = "", needs_approval: bool = False
    ) -> RunInfo:
        """Store a run and, unless it needs approval, put it into the queue."""

    async def approve(self, run: str, actor: Actor) -> RunInfo:
        """Put a run that awaits approval into the queue; not by who requested it."""

    async def refuse(self, run: str, actor: Actor, reason: str) -> RunInfo:
        """End a run that awaits approval."""

    async def pause(self, run: str, actor: Actor | None = None) -> RunInfo:
        """Begin no more servers; those under way are finished."""

    async def resume(self, run: str, actor: Actor | None = None) -> RunInfo:
        """Go on after a pause, or after a stop by its rules."""

    async def cancel(self, run: str, actor: Actor | None = None) -> RunInfo:
        """Begin no more servers and end; those under way are finished."""

    async def retry_failed(self, run: str, actor: Actor) -> RunInfo:
        """A new run over the servers of this one that are not healthy."""
