"""The whole application over a database of its own, with a clock that stands still."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import pytest
from argon2 import PasswordHasher, profiles
from built_apps import with_parts
from litestar.testing import TestClient
from litestar.types import ControllerRouterHandler
from migrated_store import migrated_store

from volact.client.wire import NewToken, NewUser, Role, UserInfo
from volact.errors import InputError
from volact.service.access import Actor
from volact.service.app import Parts
from volact.service.application import application
from volact.service.database.schema import open_service_store
from volact.service.engine.control import EngineControl
from volact.service.identity import passwords, sessions, tokens, users
from volact.service.identity.audit import SYSTEM, Change, changing
from volact.service.identity.authenticator import DatabaseAuthenticator
from volact.service.identity.oidc import OidcProvider
from volact.service.settings import ServiceSettings
from volact.store.address import parse_address
from volact.store.store import Store

PASSWORD = "a sentence about lemons"
# The kind of hash that the service stores, at a thousandth of its cost.
CHEAP = PasswordHasher.from_parameters(profiles.CHEAPEST)
OWN = {"origin": "http://testserver.local", "host": "testserver.local"}


class Clock:
    """A time that moves when it is told to."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 29, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def advance(self, **by: float) -> None:
        self.time += timedelta(**by)


class NoRuns:
    """An engine that refuses everything."""

    def __getattr__(self, name: str) -> Any:
        async def refuse(*_: Any, **__: Any) -> Any:
            raise InputError("there is no engine here")

        return refuse


class Service:
    """The application and what a test does to its tables directly."""

    def __init__(self, store: Store, **settings: Any) -> None:
        self.store = store
        self.clock = Clock()
        self.settings = ServiceSettings(database=store.address, **settings)
        self.parts = Parts(
            settings=self.settings,
            store=store,
            authenticator=DatabaseAuthenticator(store, self.settings, self.clock),
            runs=cast(EngineControl, NoRuns()),
            now=self.clock,
            hasher=CHEAP,
        )

    def use_oidc(self, provider: OidcProvider) -> None:
        self.parts = replace(self.parts, oidc=provider)

    @contextmanager
    def change(self, actor: Actor = SYSTEM) -> Iterator[Change]:
        with changing(self.store, self.clock(), actor) as change:
            yield change

    def user(self, name: str, role: Role = "viewer", password: str = PASSWORD) -> UserInfo:
        with self.change() as change:
            made = users.add(change, NewUser(name=name, role=role))
            if password:
                passwords.set_password(self.parts.hasher, change, made.id, password)
            return users.find(change.connection, name)

    def link(self, user: UserInfo) -> str:
        with self.change() as change:
            return sessions.make_link(change, user)

    def token(self, user: UserInfo, role: Role, **more: Any) -> str:
        actor = Actor(user=user.id, name=user.name, role=user.role)
        with self.change(actor) as change:
            return tokens.make(change, NewToken(name="t", role=role, **more))[1]

    def client(self, *more: ControllerRouterHandler, **headers: str) -> TestClient[Any]:
        """A browser that is on the service's own pages."""
        client = TestClient(
            application(self.parts, more) if more else with_parts(application, self.parts),
            base_url=base_url(self.settings),
            raise_server_exceptions=False,
        )
        client.follow_redirects = False
        client.headers.update(
            {"origin": base_url(self.settings), "host": urlsplit(base_url(self.settings)).netloc}
            | headers
        )
        return client


def base_url(settings: ServiceSettings) -> str:
    return settings.public_url or "http://testserver.local"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with migrated_store(tmp_path / "volact.db") as opened:
        yield opened


@pytest.fixture
def service(store: Store) -> Service:
    return Service(store)


@pytest.fixture
def either_service(service_url: str) -> Iterator[Service]:
    """The same in each kind of database."""
    address = parse_address(service_url)
    assert address is not None
    with open_service_store(address) as opened:
        yield Service(opened)
