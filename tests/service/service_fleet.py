"""A store with a fleet in it, and the console over that store."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any, cast

from litestar import Litestar
from report_samples import RETAIL, attention, failed, healthy, run_of, unreachable
from store_samples import FACTS, store_writer

from volact.client.wire import Role
from volact.model.report import ServerReport
from volact.service.access import Actor, Scope
from volact.service.app import Parts, make_app
from volact.service.console import HANDLERS
from volact.service.run_control import RunControl
from volact.service.settings import ServiceSettings
from volact.store.store import Store

NOW = datetime(2026, 2, 1, 8, tzinfo=UTC)
TAGS: dict[str, tuple[str, ...]] = {"web-01": ("web",), "web-02": ("web",), "db-01": ("db",)}


class SignedIn:
    """The actor given is whoever calls; ``None``: not signed in."""

    def __init__(self, actor: Actor | None) -> None:
        self.actor = actor

    async def actor_of(self, connection: Any) -> Actor | None:
        await asyncio.sleep(0)
        return self.actor


def rows() -> list[ServerReport]:
    """One server of each kind, one of them with a name that has to be escaped."""
    return [
        healthy(),
        healthy("web-02", repaired=True),
        attention(),
        attention("<b>&x", RETAIL),
        failed(),
        unreachable(),
    ]


def fill(url: str) -> None:
    """Two runs: a check, and an activation."""
    for run, command in (("aa11", "check"), ("bb22", "activate")):
        writer = store_writer(url, run, command, tags=TAGS)
        for report in rows():
            writer.row(report)
            writer.seen(report.name, "first", FACTS)
        writer.finish(run_of(rows(), command=command))


def person(role: Role = "administrator", scopes: str | None = None, **given: Any) -> Actor:
    """A user; ``scopes`` are words between commas."""
    meant = None if scopes is None else tuple(map(Scope.parse, scopes.split(",")))
    return Actor(user="1", name="Ana", role=role, scopes=meant, **given)


def console(store: Store, actor: Actor | None, runs: Any = None, **parts: Any) -> Litestar:
    """The application of one user."""
    return make_app(
        Parts(
            settings=ServiceSettings(database=store.address),
            store=store,
            authenticator=SignedIn(actor),
            runs=cast(RunControl, runs),
            now=lambda: NOW,
            **parts,
        ),
        HANDLERS,
    )
