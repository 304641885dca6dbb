"""The task of a serving process that starts what is due, tells of changes, and tidies.

Any number of processes run it on one database; the compare-and-sets of ``store`` and
``messages`` let one of them do each thing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

import msgspec
import sqlalchemy as sa
from msgspec.structs import replace

from volact.client.wire import RunInfo, RunSpec
from volact.errors import InputError, NoServersError, StoreError
from volact.model.text import say
from volact.queries.servers import ServersQuery
from volact.service.access import Actor, Permission
from volact.service.app import Parts
from volact.service.database.tables import USERS
from volact.service.identity.users import scopes_of
from volact.service.policies import RepairPolicy, scheduled_run
from volact.service.policy_store import read_policy
from volact.service.retention import tidy
from volact.service.schedules import messages, rules, store
from volact.service.schedules.store import Due, Start
from volact.service.views import find_view

_LOG = logging.getLogger(__name__)
POLL_S = 5.0


class Scheduler:
    """Starts runs by schedule."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def run(self, stop: asyncio.Event, poll_s: float = POLL_S) -> None:
        """Look every few seconds until ``stop`` is set; errors are logged and looked past."""
        works = (self.start_due, self.tell_and_tidy)
        # Side by side: a slow channel delays no start.
        await asyncio.gather(*(_repeat(work, stop, poll_s) for work in works))
        await _tried(self.tell_and_tidy)

    async def start_due(self) -> None:
        """Start what is due now."""
        parts = self._parts
        for due in await asyncio.to_thread(store.due_now, parts.store, parts.now()):
            if await asyncio.to_thread(store.claim, parts.store, due, parts.now()):
                await self._start(due)

    async def tell_and_tidy(self) -> None:
        """Send what is to be told, and tidy once a day."""
        parts = self._parts
        await asyncio.to_thread(messages.send_waiting, parts.store, parts.now())
        for ended in await asyncio.to_thread(messages.ended_runs, parts.store):
            await asyncio.to_thread(messages.tell_changes, parts.store, ended)
        await asyncio.to_thread(tidy, parts.store, parts.now())

    async def _start(self, due: Due) -> None:
        """Submit the run that is due, once; a database that fails is asked again later."""
        parts, name = self._parts, due.schedule.name
        try:
            start = Start(run=await self._submitted(due))
        except StoreError as error:
            _LOG.warning("schedule %s: %s", name, error.line())
            return  # the claim ends, and some process goes on
        except InputError as error:
            failing = not (due.schedule.spec.view and isinstance(error, NoServersError))
            start = Start(note=error.line(), failing=failing)
            _LOG.log(
                logging.WARNING if failing else logging.INFO, "schedule %s: %s", name, start.note
            )
        await asyncio.to_thread(store.settle, parts.store, due, parts.now(), start)

    async def _submitted(self, due: Due) -> str:
        """The id of the run: of the one that is there already, or of a new one."""
        there = await asyncio.to_thread(store.started, self._parts.store, due.key)
        if there:
            return there
        spec, actor, waits = await asyncio.to_thread(self._prepared, due)
        try:
            made: RunInfo = await self._parts.runs.submit(
                spec, actor, schedule=due.key, needs_approval=waits
            )
        except Exception:
            there = await asyncio.to_thread(store.started, self._parts.store, due.key)
            if there:  # another process was quicker
                return there
            raise
        _LOG.info("schedule %s: run %s", due.schedule.name, made.id)
        return made.id

    def _prepared(self, due: Due) -> tuple[RunSpec, Actor, bool]:
        parts = self._parts
        rules.is_open(due.schedule.spec, parts.now())  # an InputError where its zone is gone
        last = due.schedule.last_run
        if last and store.is_open(parts.store, last):
            raise InputError(say("its last run {run} has not ended", run=last))
        repairs = read_policy(parts.store, RepairPolicy)
        spec = scheduled_run(repairs, due.schedule.spec.run)
        if due.schedule.spec.view:
            spec = replace(spec, only=self._viewed(due.schedule.spec.view, spec.only))
        waits = spec.verb == "activate" and repairs.needs_approval
        return spec, self._owner(due.schedule.owner), waits

    def _viewed(self, view: str, only: tuple[str, ...]) -> tuple[str, ...]:
        """The servers of a view; of a schedule that names some, those of them."""
        parts = self._parts
        query = ServersQuery(now=parts.now(), filter=find_view(parts.store, view).filter)
        names = tuple(server.name for server in query.stream(parts.store))
        if not names:
            raise NoServersError(say("the schedule's view has no server now"))
        if only:
            names = tuple(name for name in names if name in only)
            if not names:
                raise NoServersError(say("no server that the schedule names is in its view now"))
        return names

    def _owner(self, name: str) -> Actor:
        """The actor that the run is requested by: who saved the schedule, with those scopes."""
        query = sa.select(USERS).where(USERS.c.name == name, sa.not_(USERS.c.disabled))
        row = self._parts.store.ask(lambda connection: connection.execute(query).one_or_none())
        if row is None:
            raise InputError(
                say("the schedule's owner {name} may not sign in any more", name=name),
                say("another administrator saves it again"),
            )
        scopes = scopes_of(msgspec.json.decode(row.scopes))
        actor = Actor(user=row.id, name=row.name, role=row.role, scopes=scopes, via="schedule")
        if not actor.may(Permission.RUN):
            raise InputError(
                say("the schedule's owner {name} may not start runs any more", name=name),
                say("another administrator saves it again"),
            )
        return actor


async def _repeat(work: Callable[[], Awaitable[None]], stop: asyncio.Event, poll_s: float) -> None:
    while not stop.is_set():
        await _tried(work)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), poll_s)


async def _tried(work: Callable[[], Awaitable[None]]) -> None:
    try:
        await work()
    except Exception:
        _LOG.exception("schedules")
