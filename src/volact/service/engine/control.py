"""What is asked of a run, on the tables.  Workers see it there and act.

No process of the console talks to DBOS: a run is put into the queue by its state alone.
The line of the audit is in the transaction of what it tells of.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import to_builtins

from volact.client.wire import RunInfo, RunSpec, RunState
from volact.errors import InputError
from volact.inventory import Inventory
from volact.model.server import Server
from volact.model.text import Text, raw, say
from volact.service import policies
from volact.service.access import Actor
from volact.service.database.tables import RUNS
from volact.service.engine import progress
from volact.service.engine.live_run import histories_of
from volact.service.engine.plan import Member, check_spec, members_of
from volact.service.identity.audit import SYSTEM, Change
from volact.service.inventories import read_whole, stored_text
from volact.service.policies import ApprovalPolicy
from volact.service.policy_store import decided
from volact.service.run_list import find_run
from volact.service.run_states import state_text
from volact.store.clock import moment
from volact.store.encoding import readable
from volact.store.store import Store
from volact.store.tables import SERVERS

Moves = dict[RunState, RunState]
_NEVER_BEGUN: Moves = {
    "awaiting-approval": "cancelled",
    "queued": "cancelled",
    "paused": "cancelled",
}
_BEGUN: Moves = {
    "queued": "cancelling",
    "running": "cancelling",
    "paused": "cancelling",
    "stopped": "cancelling",
}


class EngineControl:
    """Starts runs and steers them, for console, API and schedules.

    Every method raises ``InputError`` for what the caller can mend (no such run, a wrong
    word in the specification, a state that the request does not fit), and ``StoreError``
    when the database cannot be asked.
    """

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now

    async def submit(
        self, spec: RunSpec, actor: Actor, *, schedule: str = "", needs_approval: bool = False
    ) -> RunInfo:
        """Store a run and, unless it needs approval, put it into the queue.

        It also needs one where the policy on approvals says so.
        """

        inventory = await asyncio.to_thread(self._inventory, spec.inventory)

        def work(change: Change) -> RunInfo:
            made = _submit(change, spec, inventory, schedule, needs_approval)
            waits = made.state == "awaiting-approval"
            why = {"why": made.note} if made.note else {}
            asked = to_builtins(spec)
            return _told(change, "run.requested", made, spec=asked, waits=waits, **why)

        return await self._change(actor, work)

    async def approve(self, run: str, actor: Actor) -> RunInfo:
        """Put a run that awaits approval into the queue; not by who requested it."""

        def work(change: Change) -> RunInfo:
            info = find_run(change.connection, run)
            if info.requested_by == actor.name:
                raise InputError(say("another person has to approve this run"))
            values = {"approved_by": actor.name, "approved": moment(change.now), "note": ""}
            made = _moved(change, info, {"awaiting-approval": "queued"}, **values)
            return _told(change, "run.approved", made)

        return await self._change(actor, work)

    async def refuse(self, run: str, actor: Actor, reason: str) -> RunInfo:
        """End a run that awaits approval."""

        def work(change: Change) -> RunInfo:
            values = {"note": reason[: progress.NOTE], "ended": moment(change.now)}
            info = find_run(change.connection, run)
            moves: Moves = {"awaiting-approval": "refused"}
            made = _moved(change, info, moves, approved_by=actor.name, **values)
            return _told(change, "run.refused", made, reason=reason)

        return await self._change(actor, work)

    async def pause(self, run: str, actor: Actor | None = None) -> RunInfo:
        """Begin no more servers; those under way are finished."""

        def work(change: Change) -> RunInfo:
            info = find_run(change.connection, run)
            made = _moved(change, info, {"queued": "paused", "running": "paused"}, note="")
            return _told(change, "run.paused", made)

        return await self._change(actor, work)

    async def resume(self, run: str, actor: Actor | None = None) -> RunInfo:
        """Go on after a pause, or after a stop by its rules.

        After a stop the failures so far are not counted again.
        """

        def work(change: Change) -> RunInfo:
            info = find_run(change.connection, run)
            values: dict[str, Any] = {"attempt": RUNS.c.attempt + 1, "ended": None, "note": ""}
            if info.state == "stopped":
                values["counted_from"] = RUNS.c.attempt + 1
            made = _moved(change, info, {"paused": "queued", "stopped": "queued"}, **values)
            return _told(change, "run.resumed", made)

        return await self._change(actor, work)

    async def cancel(self, run: str, actor: Actor | None = None) -> RunInfo:
        """Begin no more servers and end; those under way are finished."""

        def work(change: Change) -> RunInfo:
            info = find_run(change.connection, run)
            if info.begun is None:
                made = _moved(change, info, _NEVER_BEGUN, ended=moment(change.now), note="")
            else:
                # A workflow of its own ends what has none any more.
                again = int(info.state in ("paused", "stopped"))  # a number, for PostgreSQL
                note = "" if info.state == "running" else info.note  # why it was stopped
                made = _moved(change, info, _BEGUN, attempt=RUNS.c.attempt + again, note=note)
            return _told(change, "run.cancelled", made)

        return await self._change(actor, work)

    async def retry_failed(self, run: str, actor: Actor) -> RunInfo:
        """A new run over the servers of this one that are not healthy."""
        name = (await asyncio.to_thread(self._store.ask, partial(find_run, run=run))).spec.inventory
        inventory = await asyncio.to_thread(self._inventory, name)

        def work(change: Change) -> RunInfo:
            info = find_run(change.connection, run)
            if info.ended is None:
                raise _unfit(info)
            names = progress.not_healthy(change.connection, run)
            if not names:
                raise InputError(say("every server of run {run} is healthy", run=raw(run)))
            spec = msgspec.structs.replace(info.spec, targets=(), limit=(), only=tuple(names))
            made = _submit(change, spec, inventory, "", bool(info.approved_by))
            return _told(change, "run.requested", made, retries=run)

        return await self._change(actor, work)

    def _inventory(self, name: str) -> Inventory:
        return read_whole(*self._store.ask(lambda c: stored_text(c, name)))

    async def _change(self, actor: Actor | None, work: Callable[[Change], RunInfo]) -> RunInfo:
        def change(connection: sa.Connection) -> RunInfo:
            return work(Change(connection, self._now(), actor or SYSTEM))

        return await asyncio.to_thread(self._store.change, change)


def _submit(
    change: Change, spec: RunSpec, inventory: Inventory, schedule: str, needs_approval: bool
) -> RunInfo:
    check_spec(spec)
    connection, actor = change.connection, change.actor
    seen = sa.select(SERVERS.c.name).where(SERVERS.c.verdict == "healthy")
    healthy = {*connection.execute(seen).scalars()} if spec.canary else set[str]()
    members = members_of(spec, inventory, actor.scopes, healthy, scheduled=bool(schedule))
    if spec.verb == "undo":
        members = _changed(connection, spec, members, inventory, whole=actor.scopes is None)
    names = {member.name for member in members}
    spec = msgspec.structs.replace(spec, only=tuple(name for name in spec.only if name in names))
    why = _approval_reason(
        connection, spec, [one for one in inventory.servers if one.name in names]
    )
    waits = needs_approval or why is not None
    run = secrets.token_hex(8)
    connection.execute(
        sa.insert(RUNS).values(
            id=run,
            state="awaiting-approval" if waits else "queued",
            spec=msgspec.json.encode(spec).decode(),
            servers=len(members),
            note=readable(why or "")[: progress.NOTE],
            requested_by=actor.name,
            schedule=schedule,
            requested=moment(change.now),
        )
    )
    progress.add_members(connection, run, members)
    return find_run(connection, run)


def _approval_reason(
    connection: sa.Connection, spec: RunSpec, servers: Sequence[Server]
) -> Text | None:
    """Why the run waits.  A provider that the inventory does not name is the one last seen."""
    policy = decided(connection, ApprovalPolicy)
    known: dict[str, str] = {}
    if policy.providers:
        query = sa.select(SERVERS.c.name, SERVERS.c.provider)
        known = dict(connection.execute(query.where(SERVERS.c.provider.is_not(None))).all())
    placed = [
        msgspec.structs.replace(server, provider=server.provider or known.get(server.name, ""))
        for server in servers
    ]
    return policies.approval_reason(policy, spec, placed)


def _told(change: Change, action: str, made: RunInfo, **detail: Any) -> RunInfo:
    change.tell(action, made.id, detail=detail, approved_by=made.approved_by)
    return made


def _changed(
    connection: sa.Connection,
    spec: RunSpec,
    members: list[Member],
    inventory: Inventory,
    *,
    whole: bool,
) -> list[Member]:
    """Those servers that the run to undo has sent steps to.

    Where none were named and the caller sees the ``whole`` fleet, those that are not in the
    inventory any more, too: their rows say so.
    """
    changed = histories_of(connection, spec.undo)
    found = [one for one in members if one.name in changed]
    if not found:
        raise InputError(say("run {run} changed none of these servers", run=raw(spec.undo)))
    if spec.targets or spec.limit or spec.only or not whole:
        return found
    there = {server.name for server in inventory.servers}
    return [*found, *(Member(name, "", False) for name in changed if name not in there)]


def _moved(change: Change, info: RunInfo, moves: Moves, **values: Any) -> RunInfo:
    """The run in its next state; ``InputError`` where its state has none."""
    state = moves.get(info.state)
    connection = change.connection
    if state is None or not progress.move(
        connection, info.id, (info.state,), state=state, **values
    ):
        raise _unfit(info)
    return find_run(connection, info.id)


def _unfit(info: RunInfo) -> InputError:
    return InputError(say("run {run} is {state}", run=raw(info.id), state=state_text(info.state)))
