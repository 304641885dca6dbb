"""Every route of the application, with every role, against the table in ``routes.txt``.

A route that is not there fails: who may call it has to be decided.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, get_args

from built_apps import with_parts
from litestar.routes import HTTPRoute
from service_identity import Service, service, store

from volact.client.wire import Role
from volact.service.access import Actor
from volact.service.application import application
from volact.service.identity import sessions
from volact.service.identity.users import find

__all__ = ["service", "store"]

ROLES: tuple[Role, ...] = get_args(Role)
EVERYONE = {"viewer", "operator", "approver", "administrator"}
WHO: dict[str, set[str]] = {
    "public": {"", *EVERYONE},
    "own session": EVERYONE,  # and no token
    "signed-in": EVERYONE,
    "read": EVERYONE,
    "run": {"operator", "administrator"},
    "approve": {"approver", "administrator"},
    "configure": {"administrator"},
    "administer": {"administrator"},
    "session only": {"administrator"},  # and no token
}
NO_TOKEN = {"own session", "session only"}
TABLE = (Path(__file__).parent / "routes.txt").read_text("utf-8")
DECIDED = {
    (path, method): decision.strip()
    for decision, method, path in re.findall(r"^(.{12}) (\S+) +(\S+)$", TABLE, re.M)
}


class Call(NamedTuple):
    path: str
    method: str


def calls(app: Any) -> Iterator[Call]:
    for route in app.routes:
        assert isinstance(route, HTTPRoute), f"{route.path}: not decided how it is walked"
        for method in sorted(route.methods):
            if method != "OPTIONS":
                yield Call(route.path_format, method)


def refused(answer: Any) -> bool:
    to_sign_in = answer.headers.get("location", "").startswith("/sign-in?")
    form_again = 'action="/sign-in"' in answer.text  # the sign-in page, about what was typed
    return (answer.status_code in (401, 403) and not form_again) or to_sign_in


def session_of(service: Service, role: str) -> str:
    user = service.store.ask(lambda connection: find(connection, f"the-{role}"))
    actor = Actor(user=user.id, name=user.name, role=user.role)
    with service.change(actor) as change:
        return sessions.begin(change, user)


def test_every_route_is_decided(service: Service) -> None:
    assert {
        (path, method) for path, method in calls(with_parts(application, service.parts))
    } == set(DECIDED)


def test_every_route_with_every_role(service: Service) -> None:
    users = {role: service.user(f"the-{role}", role, password="") for role in ROLES}
    tokens: dict[str, str] = {role: service.token(user, role) for role, user in users.items()}
    wrong, keys = [], dict[str, str]()
    with service.client() as client:
        for path, method in calls(with_parts(application, service.parts)):
            decision = DECIDED[path, method]
            filled = re.sub(r"\{[^}]*\}", "1", path)
            callers = [(role, via) for role in ROLES for via in ("session", "token")]
            for role, via in [("", ""), *callers]:
                client.cookies.clear()
                headers = {}
                if via == "session":
                    if method != "GET":
                        keys.pop(role, None)  # a change may end the session
                    key = keys.get(role) or session_of(service, role)
                    client.cookies.set("volact", key)
                    if method == "GET":
                        keys[role] = key
                elif via == "token":
                    headers["authorization"] = f"Bearer {tokens[role]}"
                allowed = role in WHO[decision] and not (via == "token" and decision in NO_TOKEN)
                answer = client.request(method, filled, headers=headers)
                if refused(answer) == allowed:
                    wrong.append((method, path, role, via, answer.status_code))
    assert not wrong
