"""Users and tokens: who they are, what they may at most, and the verbs for a lost administrator."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa
from cli_run import volact
from postgres_server import PostgresServer
from service_identity import PASSWORD, Service, either_service, service, store

from volact.client.wire import NewToken, NewUser, Role, UserChange
from volact.errors import InputError
from volact.service.access import GRANTS, Actor, capped_role
from volact.service.database.schema import open_service_store
from volact.service.database.tables import LINKS, SESSIONS, TOKENS, USERS
from volact.service.identity import tokens, users
from volact.service.identity.keys import key_hash
from volact.store.address import parse_address
from volact.store.store import Store

__all__ = ["either_service", "service", "store"]

ROLES: tuple[Role, ...] = ("viewer", "operator", "approver", "administrator")


def get(service: Service, token: str, path: str = "/api/v1/servers") -> int:
    with service.client(authorization=f"Bearer {token}") as client:
        return client.get(path).status_code


def actor(service: Service, token: str) -> Actor:
    hash, now = key_hash(token), service.clock()
    found = service.store.ask(lambda connection: tokens.find(connection, now, [hash]))
    return tokens.actor_of(found[hash], "")


def test_a_token_works_until_it_expires(either_service: Service) -> None:
    service = either_service
    token = service.token(service.user("ada", "operator"), "operator", days=2)
    assert token.startswith("volact_")
    assert get(service, token) == 200
    assert get(service, token + "x") == 401
    service.clock.advance(days=2, seconds=1)
    assert get(service, token) == 401


def test_a_token_that_is_revoked_is_none(service: Service) -> None:
    ada, eve = service.user("ada"), service.user("eve")
    token = service.token(ada, "viewer")
    (info,) = service.store.ask(lambda connection: tokens.tokens(connection, ada.id))
    with pytest.raises(InputError), service.change() as change:
        tokens.revoke(change, info.id, eve.id)  # not eve's
    assert get(service, token) == 200
    with service.change() as change:
        tokens.revoke(change, info.id, ada.id)
    assert get(service, token) == 401


@pytest.mark.parametrize("owner", ROLES)
@pytest.mark.parametrize("role", ROLES)
def test_a_token_may_never_do_more_than_its_owner(
    service: Service, owner: Role, role: Role
) -> None:
    assert GRANTS[capped_role(owner, role)] <= GRANTS[owner] & GRANTS[role]
    user = service.user("ada", owner, password="")
    if GRANTS[role] <= GRANTS[owner]:
        assert actor(service, service.token(user, role)).role == role
    else:
        with pytest.raises(InputError, match="more than its owner"):
            service.token(user, role)


def test_the_owner_at_the_time_of_use_counts(service: Service) -> None:
    service.user("root", "administrator", password="")
    ada = service.user("ada", "operator", password="")
    token = service.token(ada, "operator", scopes=("tag:web", "tag:db"))
    with service.change() as change:
        users.alter(change, "ada", UserChange(role="viewer", scopes=("tag:web",)))
    caller = actor(service, token)
    assert caller.role == "viewer"
    assert [str(scope) for scope in caller.scopes or ()] == ["tag:web"]


def test_a_token_makes_no_tokens_and_lasts_no_longer_than_a_year(service: Service) -> None:
    ada = service.user("ada", password="")
    by_token = Actor(user=ada.id, name="ada", role="viewer", via="token")
    with pytest.raises(InputError), service.change(by_token) as change:
        tokens.make(change, NewToken(name="t"))
    for days in (0, 367):
        with pytest.raises(InputError):
            service.token(ada, "viewer", days=days)


def test_the_last_administrator_stays(service: Service) -> None:
    service.user("root", "administrator", password="")
    for change_to in (UserChange(role="viewer"), UserChange(disabled=True)):
        with pytest.raises(InputError, match="last administrator"), service.change() as change:
            users.alter(change, "root", change_to)
    with pytest.raises(InputError, match="last administrator"), service.change() as change:
        users.remove(change, "root")
    with service.change() as change:
        users.add(change, NewUser(name="other", role="administrator"))
        users.remove(change, "root")
    assert [user.name for user in service.store.ask(users.users)] == ["other"]


@pytest.mark.parametrize("name", ["", " ", "a b", "x" * 101, "a\x00", "ro\u202eot"])
def test_a_name_can_be_typed(service: Service, name: str) -> None:
    with pytest.raises(InputError, match="no user name"):
        service.user(name, password="")


def test_names_are_the_same_in_capitals(service: Service) -> None:
    service.user("Ada", password="")
    with pytest.raises(InputError, match="already"):
        service.user("ADA", password="")


def test_nothing_secret_is_in_the_tables(service: Service) -> None:
    ada = service.user("ada")
    keys = [PASSWORD, service.link(ada), service.token(ada, "viewer")]
    with service.client() as client:
        keys.append(
            client.post("/sign-in", data={"name": "ada", "password": PASSWORD}).cookies["volact"]
        )
    with service.store.engine.connect() as connection:
        stored: list[Any] = []
        for table in (USERS, LINKS, SESSIONS, TOKENS):
            stored += connection.execute(table.select()).all()
    assert not [key for key in keys if key in str(stored)]
    assert str(stored).count("$argon2id$") == 1


def test_an_administrator_who_is_locked_out_comes_in_again(store: Store) -> None:
    service = Service(store)
    database = ("--database", str(store.address.file))
    assert volact("user", "add", "root", "--role", "administrator", *database).returncode == 0
    link = volact(
        "user", "link", "root", "--public-url", "https://volact.example", *database
    ).stdout
    assert link.startswith("https://volact.example/sign-in/link?key=")
    listed = json.loads(volact("user", "list", "-o", "json", *database).stdout)
    assert [(user["name"], user["role"]) for user in listed] == [("root", "administrator")]
    assert volact("user", "disable", "root", *database).returncode == 2
    service.clock.time = datetime.fromisoformat(listed[0]["created"])
    with service.client() as client:
        key = link.strip().partition("key=")[2]
        assert client.post("/sign-in/link", data={"key": key}).status_code == 303


@pytest.mark.parametrize("words", [("link", "root"), ("add", "eve")])
def test_a_link_has_the_address_that_the_service_has(
    words: tuple[str, ...], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = ("--database", str(store.address.file))
    assert volact("user", "add", "root", *database).stdout.startswith("http://127.0.0.1:8088/")
    monkeypatch.setenv("VOLACT_PUBLIC_URL", "https://volact.example")
    assert volact("user", *words, *database).stdout.startswith("https://volact.example/sign-in/")


@pytest.mark.parametrize("words", [("link", "root"), ("add", "eve")])
@pytest.mark.parametrize(
    "url",
    [
        "volact.example",
        "https://[v",
        "https://v:abc",
        "https://v/console",
        "ftp://v",
    ],
)
def test_a_link_with_an_address_that_is_none_is_not_made(
    words: tuple[str, ...], url: str, store: Store
) -> None:
    Service(store).user("root")
    place = ("--public-url", url, "--database", str(store.address.file))
    done = volact("user", *words, *place)
    said = (
        f"volact: '{url}' is not the address of a service (for example: https://volact.example)\n"
    )
    assert (done.returncode, done.stdout, done.stderr) == (2, "", said)
    assert [user.name for user in store.ask(users.users)] == ["root"]


def test_no_user_is_named_as_another_is_numbered(service: Service) -> None:
    admin = service.user("ada", "administrator")
    with pytest.raises(InputError), service.change() as change:
        users.add(change, NewUser(name=admin.id, role="viewer"), "https://idp.example eve")


def test_of_two_administrators_who_demote_each_other_one_stays(postgresql: PostgresServer) -> None:
    address = parse_address(postgresql.new_database())
    assert address is not None
    with open_service_store(address) as store, ThreadPoolExecutor(1) as threads:
        service = Service(store)
        for name in ("ada", "eve"):
            service.user(name, "administrator")

        def demote(name: str) -> None:
            with service.change() as change:
                users.alter(change, name, UserChange(role="viewer"))

        with service.change() as change:
            users.alter(change, "ada", UserChange(role="viewer"))
            other = threads.submit(demote, "eve")
            waiting = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")
            while not store.ask(lambda it: it.execute(waiting).scalar_one()):
                assert not other.done()
        with pytest.raises(InputError, match="eve is the last administrator"):
            other.result()
        assert [user.name for user in store.ask(users.administrators)] == ["eve"]
