"""Runs under audit: who asked for what.

Stands before the engine, so that console, API and schedules cannot go round it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from volact.client.wire import RunInfo, RunSpec
from volact.service.access import Actor
from volact.service.identity.audit import SYSTEM, changing
from volact.service.run_control import RunControl
from volact.store.store import Store


class AuditedRuns:
    """See ``RunControl``."""

    def __init__(self, runs: RunControl, store: Store, now: Callable[[], datetime]) -> None:
        self._runs, self._store, self._now = runs, store, now

    async def submit(
        self, spec: RunSpec, actor: Actor, *, schedule: str = "", needs_approval: bool = False
    ) -> RunInfo:
        """See ``RunControl``."""
        made = await self._runs.submit(
            spec, actor, schedule=schedule, needs_approval=needs_approval
        )
        waits = made.state == "awaiting-approval"
        detail = {"spec": msgspec.to_builtins(spec), "waits": waits}
        return await self._told(actor, "run.requested", made, detail)

    async def approve(self, run: str, actor: Actor) -> RunInfo:
        """See ``RunControl``."""
        return await self._told(actor, "run.approved", await self._runs.approve(run, actor))

    async def refuse(self, run: str, actor: Actor, reason: str) -> RunInfo:
        """See ``RunControl``."""
        made = await self._runs.refuse(run, actor, reason)
        return await self._told(actor, "run.refused", made, {"reason": reason})

    async def pause(self, run: str, actor: Actor | None = None) -> RunInfo:
        """See ``RunControl``."""
        return await self._told(actor, "run.paused", await self._runs.pause(run))

    async def resume(self, run: str, actor: Actor | None = None) -> RunInfo:
        """See ``RunControl``."""
        return await self._told(actor, "run.resumed", await self._runs.resume(run))

    async def cancel(self, run: str, actor: Actor | None = None) -> RunInfo:
        """See ``RunControl``."""
        return await self._told(actor, "run.cancelled", await self._runs.cancel(run))

    async def retry_failed(self, run: str, actor: Actor) -> RunInfo:
        """See ``RunControl``."""
        made = await self._runs.retry_failed(run, actor)
        return await self._told(actor, "run.requested", made, {"retries": run})

    async def _told(
        self, actor: Actor | None, action: str, run: RunInfo, detail: dict[str, Any] | None = None
    ) -> RunInfo:
        def tell() -> None:
            with changing(self._store, self._now(), actor or SYSTEM) as change:
                change.tell(action, run.id, detail=detail, approved_by=run.approved_by)

        await asyncio.to_thread(tell)
        return run
