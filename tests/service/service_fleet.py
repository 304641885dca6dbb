"""A store with a fleet in it, and the console over that store."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from built_apps import with_parts
from litestar import Litestar
from migrated_store import migrated_store
from msgspec.json import encode
from msgspec.structs import replace
from report_samples import RETAIL, attention, failed, healthy, run_of, unreachable
from store_samples import FACTS, store_writer

from volact.client.wire import Role, RunInfo, RunSpec, RunState
from volact.errors import InputError
from volact.model.report import ServerReport
from volact.service.access import Actor, Scope
from volact.service.app import Parts, make_app
from volact.service.console import HANDLERS
from volact.service.database.tables import INVENTORIES, RUN_SERVERS, RUNS
from volact.service.database.transaction import transaction
from volact.service.engine.control import EngineControl
from volact.service.settings import ServiceSettings
from volact.store.clock import moment
from volact.store.store import Store

NOW = datetime(2026, 2, 1, 8, tzinfo=UTC)
TAGS: dict[str, tuple[str, ...]] = {"web-01": ("web",), "web-02": ("web",), "db-01": ("db",)}


class SignedIn:
    """Every caller is the actor given; ``None``: not signed in."""

    def __init__(self, actor: Actor | None) -> None:
        self.actor = actor

    async def actor_of(self, connection: Any, *, in_use: bool = True) -> Actor | None:
        await asyncio.sleep(0)
        return self.actor


def rows() -> list[ServerReport]:
    """One server of each kind, one of them with a name that has to be escaped."""
    found = [
        healthy(),
        healthy("web-02", repaired=True),
        attention(),
        attention("<b>&x", RETAIL),
        failed(),
        unreachable(),
    ]
    return [replace(row, address=f"ssh://10.0.0.{n}") for n, row in enumerate(found, 1)]


def fill(url: str) -> None:
    """Two runs: a check, and an activation."""
    for run, command in (("aa11", "check"), ("bb22", "activate")):
        writer = store_writer(url, run, command, tags=TAGS)
        for report in rows():
            writer.row(report)
            writer.seen(report.name, "first", FACTS)
        writer.finish(run_of(rows(), command=command))


def opened(file: Path) -> Store:
    """A store with the service's tables."""
    return migrated_store(file)


def add_run(store: Store, id: str, state: RunState, **spec: Any) -> None:
    """A run of the service, asked for by Bo; half of its servers are finished."""
    values = {
        "id": id,
        "state": state,
        "spec": encode(RunSpec(**{"verb": "activate", "inventory": "fleet.toml", **spec})).decode(),
        "servers": 6,
        "done": 3,
        "counts": '{"healthy":2,"failed":1}',
        "requested_by": "bo",
        "requested": moment(NOW),
    }
    with transaction(store) as connection:
        connection.execute(RUNS.insert().values(values))
        if spec.get("canary"):
            connection.execute(RUN_SERVERS.insert(), canaries_first(id))


def canaries_first(run: str) -> list[dict[str, Any]]:
    """Its six servers: two canaries, which are finished, and four others."""
    verdicts = ("healthy", "healthy", "failed", "", "", "")
    return [
        {"run": run, "server": f"s{at}", "position": at, "canary": at < 2, "verdict": verdict}
        for at, verdict in enumerate(verdicts)
    ]


def add_inventory(store: Store, name: str = "fleet.toml") -> None:
    """An inventory of six servers."""
    values = {"name": name, "file": name, "text": "", "servers": 6, "updated": moment(NOW)}
    with transaction(store) as connection:
        connection.execute(INVENTORIES.insert().values(values))


class Control:
    """An ``EngineControl`` that remembers what it was asked for."""

    def __init__(self, store: Store, refusal: str = "") -> None:
        self.asked: list[tuple[Any, ...]] = []
        self._store = store
        self._refusal = refusal

    def _run(self, *asked: Any) -> RunInfo:
        self.asked.append(asked)
        if self._refusal:
            raise InputError(self._refusal)
        spec = RunSpec(verb="check", inventory="fleet.toml")
        return RunInfo(id="svc1", state="queued", spec=spec, requested=NOW)

    async def submit(self, spec: RunSpec, actor: Actor, **given: Any) -> RunInfo:
        await asyncio.sleep(0)
        return self._run("submit", spec)

    def __getattr__(self, name: str) -> Any:
        async def steered(*given: Any) -> RunInfo:
            await asyncio.sleep(0)
            return self._run(name, *(item for item in given if isinstance(item, str)))

        return steered


def person(role: Role = "administrator", scopes: str | None = None, **given: Any) -> Actor:
    """A user; ``scopes`` are words between commas."""
    meant = None if scopes is None else tuple(map(Scope.parse, scopes.split(",")))
    return Actor(user="1", name="Ana", role=role, scopes=meant, **given)


def put_parts(store: Store, authenticator: SignedIn, runs: Any = None) -> Parts:
    """What handlers work with."""
    return Parts(
        settings=ServiceSettings(database=store.address),
        store=store,
        authenticator=authenticator,
        runs=cast(EngineControl, runs),
        now=lambda: NOW,
    )


def console(store: Store, actor: Actor | None, runs: Any = None) -> Litestar:
    """The application of one user."""
    return with_parts(_pages, put_parts(store, SignedIn(actor), runs))


def _pages(parts: Parts) -> Litestar:
    return make_app(parts, HANDLERS)
