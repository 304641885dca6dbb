"""One point of enforcement: a route passes those whose role has its permission."""

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest
from litestar import get
from litestar.testing import TestClient

from volact.client.wire import Role
from volact.service.access import GRANTS, Actor, Permission, Scope, narrowed
from volact.service.app import Parts, make_app
from volact.service.engine.control import EngineControl
from volact.service.settings import ServiceSettings
from volact.store.address import StoreAddress
from volact.store.store import Store, open_address


class SignedIn:
    """Every caller is the actor given."""

    def __init__(self, actor: Actor | None) -> None:
        self.actor = actor

    async def actor_of(self, connection: Any, *, in_use: bool = True) -> Actor | None:
        await asyncio.sleep(0)
        return self.actor


@pytest.fixture
def store(tmp_path: Path) -> Any:
    opened = open_address(StoreAddress(file=tmp_path / "volact.db", shown="volact.db"))
    assert opened is not None
    with opened:
        yield opened


def client(store: Store, actor: Actor | None) -> TestClient[Any]:
    @get("/named", opt={"permission": Permission.RUN})
    async def named() -> str:
        return "named"

    @get("/forgotten")
    async def forgotten() -> str:
        return "forgotten"

    @get("/open", opt={"permission": Permission.PUBLIC})
    async def public() -> str:
        return "open"

    parts = Parts(
        settings=ServiceSettings(database=store.address),
        store=store,
        authenticator=SignedIn(actor),
        runs=cast(EngineControl, None),
    )
    return TestClient(make_app(parts, [named, forgotten, public]))


@pytest.mark.parametrize("role", ["viewer", "operator", "approver", "administrator"])
def test_a_route_passes_roles_with_its_permission(store: Store, role: Role) -> None:
    with client(store, Actor(user="1", name="a", role=role)) as http:
        allowed = Permission.RUN in GRANTS[role]
        assert http.get("/named").status_code == (200 if allowed else 403)
        assert http.get("/forgotten").status_code == 403
        assert http.get("/open").status_code == 200


def test_without_sign_in_only_public_routes_answer(store: Store) -> None:
    with client(store, None) as http:
        assert [http.get(path).status_code for path in ("/named", "/forgotten", "/open")] == [
            401, 401, 200,
        ]  # fmt: skip


def test_a_token_has_no_more_than_its_owner() -> None:
    web, db = Scope.parse("tag:web"), Scope.parse("tag:db")
    assert narrowed(None, None) is None
    assert narrowed(None, (web,)) == (web,)
    assert narrowed((web,), None) == (web,)
    assert narrowed((web,), (web, db)) == (web,)
    assert narrowed((web,), (db,)) == ()


@pytest.mark.parametrize("text", ["", "web", "tag:", "region:x"])
def test_a_scope_is_a_tag_or_a_provider(text: str) -> None:
    with pytest.raises(ValueError, match="is no scope"):
        Scope.parse(text)
