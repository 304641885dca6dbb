"""A service with schedules: its store, a clock that stands, an engine that only takes notes."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier
from typing import Any, TypeVar, cast

import msgspec
import sqlalchemy as sa

from volact.client.wire import RunInfo, RunSpec
from volact.service.access import Actor
from volact.service.app import Authenticator, Parts
from volact.service.database.schema import SERVICE
from volact.service.database.tables import INVENTORIES, RUNS, USERS
from volact.service.database.transaction import transaction
from volact.service.engine.control import EngineControl
from volact.service.identity.audit import Change, changing
from volact.service.policies import AnyPolicy
from volact.service.policy_store import write_policy
from volact.service.schedules.scheduler import Scheduler
from volact.service.settings import ServiceSettings
from volact.store import open_store
from volact.store.clock import moment
from volact.store.schema import require_current
from volact.store.store import Store

T = TypeVar("T")
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
ANA = Actor(user="u1", name="ana", role="administrator")


def open_service(url: str) -> Store:
    """A store with the service's tables."""
    store = open_store(url, create=True)
    require_current(store.engine, store.address, SERVICE)
    return store


def fill(store: Store) -> None:
    """A user and an inventory."""
    with transaction(store) as connection:
        connection.execute(
            sa.insert(USERS).values(
                id="u1",
                name="ana",
                role="administrator",
                scopes='["tag:web"]',
                created=moment(NOON),
            )
        )
        connection.execute(
            sa.insert(INVENTORIES).values(
                name="fleet", file="fleet.toml", text="", updated=moment(NOON)
            )
        )


def with_change(store: Store, work: Callable[[Change], T], actor: Actor = ANA) -> T:
    """A change of the service's tables."""
    with changing(store, NOON, actor) as change:
        return work(change)


def decide(store: Store, policy: AnyPolicy) -> None:
    """Decide a policy."""
    with_change(store, lambda change: write_policy(change, policy))


class Notes:
    """An engine that stores a run and starts nothing."""

    def __init__(self, store: Store, fails: Sequence[Exception] = ()) -> None:
        self.submitted: list[tuple[RunSpec, Actor, bool]] = []
        self._store = store
        self._fails = [*fails]

    async def submit(
        self, spec: RunSpec, actor: Actor, *, schedule: str = "", needs_approval: bool = False
    ) -> RunInfo:
        if self._fails:
            raise self._fails.pop(0)
        made = RunInfo(id=secrets.token_hex(4), state="queued", spec=spec, requested=NOON)
        values = {
            "id": made.id,
            "state": "awaiting-approval" if needs_approval else "queued",
            "spec": msgspec.json.encode(spec).decode(),
            "requested_by": actor.name,
            "schedule": schedule,
            "requested": moment(NOON),
        }
        await asyncio.to_thread(self._insert, values)
        self.submitted.append((spec, actor, needs_approval))
        return made

    def _insert(self, values: dict[str, Any]) -> None:
        with transaction(self._store) as connection:
            connection.execute(sa.insert(RUNS).values(**values))


class Clock:
    """A time that is set."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def scheduler(store: Store, runs: Notes, clock: Clock) -> Scheduler:
    """A process of the service that starts what is due."""
    parts = Parts(
        settings=ServiceSettings(database=store.address),
        store=store,
        authenticator=cast(Authenticator, None),
        runs=cast(EngineControl, runs),
        now=clock,
    )
    return Scheduler(parts)


async def tick(tasks: Scheduler) -> None:
    """Start what is due now, tell of runs that have ended, and tidy once a day."""
    await tasks.start_due()
    await tasks.tell_and_tidy()


def tick_often(url: str, now: datetime, begin: Barrier, submitted: SimpleQueue[int]) -> None:
    """Start what is due in a process of its own, at once with another; tell how many runs."""
    with open_service(url) as store:
        runs = Notes(store)
        tasks = scheduler(store, runs, Clock(now))

        async def often() -> None:
            for _ in range(3):
                await tick(tasks)

        begin.wait()
        asyncio.run(often())
        submitted.put(len(runs.submitted))
