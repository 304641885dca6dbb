"""Users, tokens, sessions, audit and health by the API, over the tables of the service."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient
from service_identity import PASSWORD, Service, service, store
from service_parts import put_run, run_info

from volact.client.wire import NewUser, UserChange
from volact.queries.pages import encode
from volact.service.database.tables import ANSWERS, WORKERS
from volact.service.identity import sessions, users
from volact.service.identity.audit import lines

__all__ = ["service", "store"]

V1 = "/api/v1"
TABLE = (Path(__file__).parent / "routes.txt").read_text("utf-8")
ROUTES = {
    f"{method} {path}": who.strip()
    for who, method, path in re.findall(r"^(.{12}) (\S+) +(\S+)$", TABLE, re.M)
}
# What the forms of the console do, and the request that does the same.
SAME = {
    "POST /account/language": "PATCH /api/v1/me",
    "POST /account/sessions/end": "DELETE /api/v1/me/sessions/{session}",
    "POST /account/tokens": "POST /api/v1/me/tokens",
    "POST /account/tokens/revoke": "DELETE /api/v1/me/tokens/{token}",
    "GET /audit": "GET /api/v1/audit",
    "GET /audit/export": "GET /api/v1/audit/export",
    "GET /health": "GET /api/v1/health",
    "POST /inventories": "PUT /api/v1/inventories/{name}",
    "POST /inventories/from": "PUT /api/v1/inventories/{name}/source",
    "POST /inventories/{name}/delete": "DELETE /api/v1/inventories/{name}",
    "POST /inventories/{name}/refresh": "POST /api/v1/inventories/{name}/refresh",
    "POST /policies/{name}": "PUT /api/v1/policies/repairs",
    "POST /runs/new": "POST /api/v1/runs",
    "POST /runs/{run}/approve": "POST /api/v1/runs/{run}/approve",
    "POST /runs/{run}/cancel": "POST /api/v1/runs/{run}/cancel",
    "POST /runs/{run}/pause": "POST /api/v1/runs/{run}/pause",
    "POST /runs/{run}/plan": "POST /api/v1/runs",
    "POST /runs/{run}/refuse": "POST /api/v1/runs/{run}/refuse",
    "POST /runs/{run}/resume": "POST /api/v1/runs/{run}/resume",
    "POST /runs/{run}/retry": "POST /api/v1/runs/{run}/retry",
    "POST /schedules": "POST /api/v1/schedules",
    "POST /schedules/{id}": "PUT /api/v1/schedules/{id}",
    "POST /schedules/{id}/delete": "DELETE /api/v1/schedules/{id}",
    "GET /users": "GET /api/v1/users",
    "POST /users": "POST /api/v1/users",
    "GET /users/{id}": "GET /api/v1/users/{user}",
    "POST /users/{id}": "PATCH /api/v1/users/{user}",
    "POST /users/{id}/link": "POST /api/v1/users/{user}/link",
    "POST /users/{id}/remove": "DELETE /api/v1/users/{user}",
    "POST /users/{id}/sign-out": "DELETE /api/v1/users/{user}/sessions",
    "POST /views": "POST /api/v1/views",
    "POST /views/{id}/delete": "DELETE /api/v1/views/{id}",
}
# Signing in and out, and a password, are a browser's.
BROWSERS = {"POST /sign-in", "POST /sign-in/link", "POST /sign-out", "POST /account/password"}


def test_what_the_console_changes_can_be_changed_by_the_api_with_the_same_permission() -> None:
    forms = {each for each in ROUTES if each.startswith("POST /") and "/api/" not in each}
    assert forms == {each for each in SAME if each.startswith("POST")} | BROWSERS
    assert {page: ROUTES[page] for page in SAME} == {page: ROUTES[SAME[page]] for page in SAME}


@pytest.fixture
def root(service: Service) -> Iterator[TestClient[Any]]:
    """An administrator with a browser's session."""
    service.user("root", "administrator")
    with service.client() as client:
        client.post("/sign-in", data={"name": "root", "password": PASSWORD})
        yield client


@pytest.fixture
def by_token(service: Service) -> Iterator[TestClient[Any]]:
    """An administrator's token."""
    user = service.user("bot", "administrator", password="")
    token = service.token(user, "administrator")
    with service.client(authorization=f"Bearer {token}") as client:
        yield client


def actions(service: Service) -> list[tuple[str, str]]:
    return [(line.action, line.via) for line in service.store.ask(lines)]


def test_an_administrator_keeps_users(service: Service, root: TestClient[Any]) -> None:
    new = {"name": "Ada", "role": "operator", "scopes": ["tag:web"], "email": "ada@volact.example"}
    made = root.post(f"{V1}/users", json=new)
    ada = made.json()
    assert (made.status_code, ada["name"], ada["scopes"]) == (201, "ada", ["tag:web"])
    assert [user["name"] for user in root.get(f"{V1}/users").json()["items"]] == ["ada", "root"]
    changed = root.patch(f"{V1}/users/ada", json={"role": "approver", "scopes": None}).json()
    assert (changed["role"], changed["scopes"], changed["email"]) == (
        "approver", None, "ada@volact.example",
    )  # fmt: skip
    assert root.get(f"{V1}/users/{ada['id']}").json() == changed
    assert root.delete(f"{V1}/users/ada").status_code == 204
    assert root.get(f"{V1}/users/ada").status_code == 404
    assert actions(service)[:3] == [
        ("user.removed", "session"), ("user.changed", "session"), ("user.added", "session"),
    ]  # fmt: skip


def test_a_link_signs_in_once(service: Service, root: TestClient[Any]) -> None:
    service.user("ada", password="")
    url = root.post(f"{V1}/users/ada/link").json()["url"]
    key = url.partition("/sign-in/link?key=")[2]
    with service.client() as client:
        assert client.post("/sign-in/link", data={"key": key}).status_code == 303
        assert client.post("/sign-in/link", data={"key": key}).status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", f"{V1}/users", {"name": "eve", "role": "viewer"}),
        ("POST", f"{V1}/users/bot/link", None),
        ("PUT", f"{V1}/users/bot/password", {"password": "another sentence about figs"}),
        ("PATCH", f"{V1}/users/ada", {"role": "administrator"}),
        ("PATCH", f"{V1}/users/ada", {"role": "approver"}),
        ("PATCH", f"{V1}/users/ada", {"scopes": ["tag:web", "tag:db"]}),
        ("PATCH", f"{V1}/users/ada", {"scopes": None}),
        ("PATCH", f"{V1}/users/ada", {"disabled": False}),
        ("POST", "/users", {"name": "eve", "role": "viewer"}),
        ("POST", "/users/bot/link", None),
        ("POST", "/users/ada", {"role": "administrator", "disabled": "1", "scopes": "tag:web"}),
    ],
)
def test_a_token_gives_no_user_access_or_rights(
    service: Service, by_token: TestClient[Any], method: str, path: str, body: Any
) -> None:
    """Who has stolen it would keep them when it has ended."""
    with service.change() as change:
        ada = users.add(change, NewUser(name="ada", role="operator", scopes=("tag:web",)))
        ada = users.alter(change, ada.id, UserChange(disabled=True))
    is_form = V1 not in path
    answer = by_token.request(method, path, **{"data" if is_form else "json": body})
    assert (answer.status_code, is_form or "not a token" in answer.text) == (403, True)
    found = service.store.ask(users.users)
    assert [user.name for user in found] == ["ada", "bot"]
    assert (found[0], found[1].password) == (ada, False)


def test_a_token_takes_rights_away(service: Service, by_token: TestClient[Any]) -> None:
    """What a program does about a user who leaves."""
    service.user("ada", "administrator")
    less: list[Any] = [{"role": "approver"}, {"role": "viewer", "scopes": ["tag:web"]}]
    for to in (*less, {"scopes": []}):
        assert by_token.patch(f"{V1}/users/ada", json=to).status_code == 200
    off = by_token.patch(f"{V1}/users/ada", json={"disabled": True, "email": "a@volact.example"})
    assert (off.json()["disabled"], off.json()["scopes"]) == (True, [])
    assert by_token.delete(f"{V1}/users/ada/sessions").status_code == 204
    assert by_token.delete(f"{V1}/users/ada").status_code == 204


def test_an_administrator_ends_the_sessions_and_tokens_of_others(
    service: Service, root: TestClient[Any]
) -> None:
    ada = service.user("ada")
    token = service.token(ada, "viewer")
    with service.client() as client:
        client.post("/sign-in", data={"name": "ada", "password": PASSWORD})
        (session,) = root.get(f"{V1}/users/ada/sessions").json()["items"]
        assert (session["user"], session["current"]) == (ada.id, False)
        assert client.get(f"{V1}/me").status_code == 200
        assert root.delete(f"{V1}/users/ada/sessions").status_code == 204
        assert client.get(f"{V1}/me").status_code == 401
    ended = service.store.ask(lines)[0]
    assert (ended.action, ended.object, ended.user) == ("session.ended", "ada", "root")
    (kept,) = root.get(f"{V1}/users/ada/tokens").json()["items"]
    assert root.delete(f"{V1}/users/root/tokens/{kept['id']}").status_code == 404  # not root's
    assert root.delete(f"{V1}/users/ada/tokens/{kept['id']}").status_code == 204
    with service.client(authorization=f"Bearer {token}") as client:
        assert client.get(f"{V1}/me").status_code == 401


def test_an_administrator_sets_a_password_and_the_sessions_of_the_user_end(
    service: Service, root: TestClient[Any]
) -> None:
    service.user("ada")
    new, headers = "another sentence about figs", {"Idempotency-Key": "k1"}
    with service.client() as client:
        client.post("/sign-in", data={"name": "ada", "password": PASSWORD})
        assert client.get(f"{V1}/me").status_code == 200
        path, body = f"{V1}/users/ada/password", {"password": new}
        assert root.put(path, json=body, headers=headers).status_code == 204
        assert client.get(f"{V1}/me").status_code == 401
        told = service.store.ask(lines)[1]
        assert (told.action, told.object, told.user) == ("password.changed", "ada", "root")
        old = client.post("/sign-in", data={"name": "ada", "password": PASSWORD})
        assert (old.status_code, client.get(f"{V1}/me").status_code) == (401, 401)
        client.post("/sign-in", data={"name": "ada", "password": new})
        assert client.get(f"{V1}/me").status_code == 200
    # What is kept for the key would let the password be guessed.
    for again in (body, {"password": PASSWORD}):
        assert root.put(path, json=again, headers=headers).status_code == 409
    assert new not in "".join(map(repr, service.store.ask(lines)))


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "users/eve", None), ("PATCH", "users/eve", {}), ("DELETE", "users/eve", None),
        ("POST", "users/eve/link", None), ("GET", "users/eve/sessions", None),
        ("DELETE", "users/eve/sessions", None), ("GET", "users/eve/tokens", None),
        ("DELETE", "users/eve/tokens/1", None),
        ("PUT", "users/eve/password", {"password": PASSWORD}),
        ("DELETE", "users/root/tokens/1", None),
    ],
)  # fmt: skip
def test_who_is_not_there_is_not_found(
    root: TestClient[Any], method: str, path: str, body: Any
) -> None:
    answer = root.request(method, f"{V1}/{path}", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


@pytest.mark.parametrize(
    ("method", "path", "body", "why"),
    [
        ("PATCH", "users/root", {"role": "viewer"}, "last administrator"),
        ("DELETE", "users/root", None, "last administrator"),
        ("POST", "users", {"name": "root", "role": "viewer"}, "already"),
        ("POST", "users", {"name": "a b", "role": "viewer"}, "no user name"),
        ("POST", "users", {"name": "a", "role": "viewer", "scopes": ["web"]}, "a scope is written"),
        ("PUT", "users/root/password", {"password": "short"}, "at least 12 characters"),
        ("PUT", "users/root/password", {"password": "the root of it"}, "the user's name"),
    ],
)
def test_what_cannot_be_done_is_said(
    root: TestClient[Any], method: str, path: str, body: Any, why: str
) -> None:
    answer = root.request(method, f"{V1}/{path}", json=body)
    assert (answer.status_code, why in answer.json()["detail"]) == (422, True)


@pytest.fixture
def ada(service: Service) -> Iterator[TestClient[Any]]:
    """An operator with a browser's session."""
    service.user("ada", "operator")
    with service.client() as client:
        client.post("/sign-in", data={"name": "ada", "password": PASSWORD})
        yield client


def test_one_makes_and_revokes_ones_own_tokens(service: Service, ada: TestClient[Any]) -> None:
    made = ada.post(f"{V1}/me/tokens", json={"name": "ci", "role": "operator", "days": 3}).json()
    assert ada.get(f"{V1}/me/tokens").json()["items"] == [made["token"]]
    with service.client(authorization=f"Bearer {made['key']}") as by_token:
        assert by_token.get(f"{V1}/me").json()["role"] == "operator"
        for path in ("me/tokens", "me/sessions"):
            assert by_token.get(f"{V1}/{path}").status_code == 403
            operation = by_token.get(f"{V1}/openapi.json").json()["paths"][f"{V1}/{path}"]["get"]
            assert operation["security"] == [{"session": []}]
        assert by_token.post(f"{V1}/me/tokens", json={"name": "more"}).status_code == 403
        assert ada.delete(f"{V1}/me/tokens/{made['token']['id']}").status_code == 204
        assert by_token.get(f"{V1}/me").status_code == 401
    assert ada.delete(f"{V1}/me/tokens/{made['token']['id']}").status_code == 404
    wrong = ada.post(f"{V1}/me/tokens", json={"name": "ci", "role": "administrator"})
    assert (wrong.status_code, "more than its owner" in wrong.json()["detail"]) == (422, True)


def test_one_ends_ones_own_sessions(service: Service, ada: TestClient[Any]) -> None:
    user = service.user("eve")
    with service.change() as change:
        sessions.begin(change, user)
    (eves,) = service.store.ask(lambda it: sessions.sessions(it, service.clock(), user.id))
    (own,) = ada.get(f"{V1}/me/sessions").json()["items"]
    assert own["current"] is True
    assert ada.delete(f"{V1}/me/sessions/{eves.id}").status_code == 404
    assert ada.delete(f"{V1}/me/sessions/{own['id']}").status_code == 204
    assert ada.get(f"{V1}/me/sessions").status_code == 401
    ada.post("/sign-in", data={"name": "ada", "password": PASSWORD})
    assert ada.delete(f"{V1}/me/sessions").status_code == 204
    assert ada.get(f"{V1}/me").status_code == 401


def test_one_chooses_ones_language(ada: TestClient[Any]) -> None:
    assert ada.patch(f"{V1}/me", json={"language": "id"}).json()["language"] == "id"
    assert ada.get(f"{V1}/me").json()["language"] == "id"


def test_a_change_from_another_site_is_refused(ada: TestClient[Any]) -> None:
    headers = {"origin": "https://elsewhere.example"}
    answer = ada.post(f"{V1}/me/tokens", json={"name": "x"}, headers=headers)
    assert (answer.status_code, ada.get(f"{V1}/me/tokens").json()["items"]) == (403, [])


def test_a_secret_is_not_kept_for_a_repeated_request(
    service: Service, root: TestClient[Any]
) -> None:
    service.user("ada", password="")
    headers = {"Idempotency-Key": "k1"}
    first = root.post(f"{V1}/users/ada/link", headers=headers)
    again = root.post(f"{V1}/users/ada/link", headers=headers)
    assert (first.status_code, again.status_code) == (201, 409)
    assert [action for action, _ in actions(service)].count("link.made") == 1
    with service.store.engine.connect() as connection:
        (kept,) = connection.execute(ANSWERS.select()).all()
    assert kept.body is None
    for _ in range(2):  # an error has no secret
        answer = root.post(f"{V1}/users/eve/link", headers={"Idempotency-Key": "k2"})
        assert answer.status_code == 404


def test_the_audit_is_read_by_pages_checked_and_exported(
    service: Service, root: TestClient[Any]
) -> None:
    for name in ("ada", "eve", "ida"):
        root.post(f"{V1}/users", json={"name": name, "role": "viewer"})
    found: list[dict[str, Any]] = []
    cursor = ""
    while cursor or not found:
        page = root.get(f"{V1}/audit", params={"limit": 2, "cursor": cursor}).json()
        found += page["items"]
        cursor = page["next"]
    whole = service.store.ask(lines)
    assert [line["position"] for line in found] == [line.position for line in whole]
    query = {"action": "user.added", "user": "root"}
    added = root.get(f"{V1}/audit", params=query).json()["items"]
    assert [line["object"] for line in added] == ["ida", "eve", "ada"]
    check = root.get(f"{V1}/audit/check").json()
    assert check == {"lines": len(whole), "head": whole[0].hash, "broken_at": 0}
    exported = root.get(f"{V1}/audit/export")
    assert exported.headers["content-type"].startswith("application/x-ndjson")
    assert [json.loads(line) for line in exported.text.splitlines()] == found[::-1]


@pytest.mark.parametrize("cursor", ["x", encode(["ada"]), encode([2**63]), encode([-(2**64)])])
def test_a_cursor_of_no_line_is_refused(root: TestClient[Any], cursor: str) -> None:
    assert root.get(f"{V1}/audit", params={"cursor": cursor}).status_code == 400


def test_health_says_who_works(service: Service, root: TestClient[Any]) -> None:
    put_run(service.store.engine, run_info("aa11", state="queued"))
    at = "2026-11-29T12:00:00.000Z"
    worker = {"id": "w1", "host": "box", "labels": '["dmz"]', "started": at, "seen": at}
    with service.change() as change:
        change.connection.execute(WORKERS.insert().values(worker))
    health = root.get(f"{V1}/health").json()
    assert (health["database"], health["runs"]) == ("sqlite", {"queued": 1})
    assert [(one["host"], one["labels"]) for one in health["workers"]] == [("box", ["dmz"])]
