"""An application over a store with two runs, whose engine and sign-in are told by the test."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from built_apps import with_parts
from litestar import Litestar
from litestar.testing import TestClient
from migrated_store import migrated_store
from store_samples import WRONG_HOST, end, intent, row, silent, store_writer

from volact.client.wire import Role, RunInfo, RunSpec
from volact.errors import InputError
from volact.service.access import Actor, Scope
from volact.service.api import HANDLERS
from volact.service.api.problems import unrouted
from volact.service.app import Parts, make_app
from volact.service.database.tables import RUNS
from volact.service.engine.control import EngineControl
from volact.service.settings import ServiceSettings
from volact.store.clock import moment
from volact.store.engine import writing
from volact.store.store import Store

NOW = datetime(2027, 1, 1, tzinfo=UTC)


class SignedIn:
    """Every caller is the actor given."""

    def __init__(self, actor: Actor | None) -> None:
        self.actor = actor

    async def actor_of(self, connection: Any, *, in_use: bool = True) -> Actor | None:
        await asyncio.sleep(0)
        return self.actor


def actor(role: Role = "operator", *scopes: str, name: str = "ada") -> Actor:
    """A caller; without scopes, the whole fleet is theirs."""
    return Actor(
        user=name, name=name, role=role, scopes=tuple(map(Scope.parse, scopes)) if scopes else None
    )


class WrittenRuns(EngineControl):
    """Only writes the table: nothing is run."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self.submitted: list[RunSpec] = []

    async def submit(
        self, spec: RunSpec, actor: Actor, *, schedule: str = "", needs_approval: bool = False
    ) -> RunInfo:
        if spec.canary == "wrong":
            raise InputError("canary: no number", "write N or N%")
        self.submitted.append(spec)
        info = RunInfo(
            id=f"run{len(self.submitted)}",
            state="awaiting-approval" if needs_approval else "queued",
            spec=spec,
            requested_by=actor.name,
            schedule=schedule,
            requested=NOW,
        )
        put_run(self.engine, info)
        return info

    async def approve(self, run: str, actor: Actor) -> RunInfo:
        return self._moved(run, "awaiting-approval", "queued", approved_by=actor.name)

    async def refuse(self, run: str, actor: Actor, reason: str) -> RunInfo:
        return self._moved(run, "awaiting-approval", "refused", note=reason)

    async def pause(self, run: str, actor: Actor | None = None) -> RunInfo:
        return self._moved(run, "running", "paused")

    async def resume(self, run: str, actor: Actor | None = None) -> RunInfo:
        return self._moved(run, "paused", "running")

    async def cancel(self, run: str, actor: Actor | None = None) -> RunInfo:
        return self._moved(run, "queued", "cancelled")

    async def retry_failed(self, run: str, actor: Actor) -> RunInfo:
        return await self.submit(RunSpec(verb="activate", inventory="main"), actor)

    def _moved(self, run: str, state: str, then: str, **more: Any) -> RunInfo:
        from volact.service.run_list import RunListQuery

        with writing(self.engine).begin() as connection:
            found = connection.execute(
                sa.update(RUNS).where(RUNS.c.id == run, RUNS.c.state == state)
                .values(state=then, **more)
            )  # fmt: skip
        if not found.rowcount:
            raise InputError(f"the run is not {state}")
        made = RunListQuery().find(Reading(self.engine), run)
        assert made is not None
        return made


class Reading:
    """What a question is asked of."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine

    def ask(self, question: Any) -> Any:
        with self.engine.connect() as connection:
            return question(connection)

    def stream(self, question: Any) -> Any:
        return iter(())


def put_run(engine: sa.Engine, info: RunInfo) -> None:
    """Write a run's line as the engine does."""
    values = msgspec.structs.asdict(info)
    for name, value in values.items():
        if isinstance(value, datetime):
            values[name] = moment(value)
    values["spec"] = msgspec.json.encode(info.spec).decode()
    values["counts"] = msgspec.json.encode(info.counts).decode()
    with writing(engine).begin() as connection:
        connection.execute(sa.delete(RUNS).where(RUNS.c.id == info.id))
        connection.execute(sa.insert(RUNS).values(values))


def run_info(id: str, **given: Any) -> RunInfo:
    """A run of the service."""
    spec = given.pop("spec", RunSpec(verb="activate", inventory="main"))
    return RunInfo(**{"state": "done", "requested_by": "ada", "requested": NOW, **given},
                   id=id, spec=spec)  # fmt: skip


def fill(store: Store) -> None:
    """Two runs over four servers; ``bb22`` is one of the service."""
    url = str(store.address.file)
    for run, tags, rows in (
        ("aa11", None, (row("web-01", "attention", findings=(WRONG_HOST,)), row("db-01"))),
        (
            "bb22",
            {"web-01": ("web", "prod"), "web-02": ("web",), "db-01": ("db",)},
            (row("web-01"), silent("web-02"), row("db-01"), row("a/b?c")),
        ),
    ):
        writer = store_writer(url, run, tags=tags)
        for report in rows:
            asyncio.run(writer.sending(intent(report.name)))
            writer.row(report)
        writer.finish(end(run, servers=len(rows)))
    put_run(
        store.engine,
        run_info("bb22", servers=4, done=4, counts={"healthy": 3, "unreachable": 1}),
    )


@contextmanager
def served_store(folder: Path) -> Iterator[Store]:
    """A store with the service's tables."""
    with migrated_store(folder / "volact.db") as opened:
        yield opened


def parts(store: Store, who: Actor | None, **given: Any) -> Parts:
    """What the handlers get."""
    return Parts(
        settings=given.pop("settings", ServiceSettings(database=store.address)),
        store=store,
        authenticator=SignedIn(who),
        runs=given.pop("runs", None) or WrittenRuns(store.engine),
        now=lambda: NOW,
        **given,
    )


def api(store: Store, who: Actor | None, **given: Any) -> TestClient[Any]:
    """The API as this caller meets it."""
    app = with_parts(_api, parts(store, who, **given))
    return TestClient(app, raise_server_exceptions=False)


def _api(parts: Parts) -> Litestar:
    return make_app(parts, HANDLERS, exception_handlers=unrouted())
