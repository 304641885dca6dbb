"""Who has a part of the fleet decides nothing for all of it, in any role."""

from __future__ import annotations

from typing import Any

import pytest
from service_identity import OWN, Service, service, store
from test_service_routes import DECIDED, refused, session_of

from volact.client.wire import NewUser, UserChange
from volact.errors import InputError
from volact.service.identity import users

__all__ = ["service", "store"]


def bearer(service: Service, **more: Any) -> dict[str, str]:
    root = service.user("the-administrator", "administrator")
    return {"authorization": f"Bearer {service.token(root, 'administrator', **more)}"}


def test_a_token_with_scopes_gives_no_user_more(service: Service) -> None:
    headers = bearer(service, scopes=("tag:web",))
    with service.client() as http:
        for method, path, body in (
            ("POST", "/api/v1/users", {"name": "eve", "role": "administrator"}),
            ("PATCH", "/api/v1/users/the-administrator", {"scopes": None}),
            ("PUT", "/api/v1/users/the-administrator/password", {"password": "x" * 20}),
            ("POST", "/api/v1/users/the-administrator/link", None),
        ):
            answer = http.request(method, path, json=body, headers=headers)
            assert answer.status_code == 403, (path, answer.text)
        me = http.get("/api/v1/me", headers=headers).json()
        assert not {"configure", "administer"} & {*me["permissions"]}
        assert "run" in me["permissions"]


@pytest.mark.parametrize("decision", ["configure", "administer", "session only"])
def test_no_route_about_the_whole_service_takes_scopes(service: Service, decision: str) -> None:
    headers = bearer(service, scopes=("tag:web",))
    with service.client() as http:
        for path, method in (call for call, who in DECIDED.items() if who == decision):
            filled = path.replace("{", "").replace("}", "")
            assert refused(http.request(method, filled, headers=headers)), (method, path)


def test_an_administrator_who_gets_scopes_has_no_form_to_lose_them(service: Service) -> None:
    user = service.user("the-administrator", "administrator")
    service.user("root", "administrator")
    with service.change() as change:
        users.alter(change, user.id, UserChange(scopes=("tag:web",)))
    with service.client() as http:
        http.cookies.set("volact", session_of(service, "administrator"))
        assert http.get("/servers").status_code == 200
        assert refused(http.get(f"/users/{user.id}"))
        assert refused(http.post(f"/users/{user.id}", data={"role": "administrator"}, headers=OWN))
        assert 'href="/users"' not in http.get("/").text


def test_the_last_administrator_of_the_whole_fleet_stays_one(service: Service) -> None:
    service.user("root", "administrator")
    with service.change() as change:
        users.add(change, NewUser(name="web", role="administrator", scopes=("tag:web",)))
    for wrong in (UserChange(scopes=("tag:web",)), UserChange(role="viewer")):
        with pytest.raises(InputError, match="last administrator"), service.change() as change:
            users.alter(change, "root", wrong)
    with pytest.raises(InputError, match="last administrator"), service.change() as change:
        users.remove(change, "root")
    with service.change() as change:
        users.alter(change, "web", UserChange(role="viewer"))
        found = users.first_administrator(change)
    assert found is None  # root has a password
