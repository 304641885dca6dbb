"""Sign-in and sign-out: by password, by one-time link, and what protects both."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from argon2 import Parameters, extract_parameters, profiles
from litestar.testing import TestClient
from service_identity import PASSWORD, Clock, Service, either_service, service, store

from volact.client.wire import UserChange, UserInfo
from volact.errors import InputError
from volact.service.database.tables import ATTEMPTS, USERS
from volact.service.identity import passwords, sessions, users
from volact.service.identity.audit import lines
from volact.service.identity.pages import safe_next
from volact.service.identity.passwords import wait_after
from volact.service.serve import make_parts
from volact.store.store import Store

__all__ = ["Clock", "either_service", "service", "store"]


def sign_in(
    client: TestClient[Any], name: str = "ada", password: str = PASSWORD, **more: str
) -> Any:
    return client.post("/sign-in", data={"name": name, "password": password, **more})


def actions(service: Service) -> list[str]:
    return [line.action for line in service.store.ask(lines)]


def test_a_password_signs_in_and_sign_out_ends_it(either_service: Service) -> None:
    either_service.user("ada")
    with either_service.client() as client:
        assert client.get("/account/password").status_code == 303
        answer = sign_in(client, "Ada ", next="/servers?q=1")
        assert (answer.status_code, answer.headers["location"]) == (303, "/servers?q=1")
        assert client.get("/account/password").status_code == 200
        assert client.post("/sign-out").headers["location"] == "/sign-in"
        assert client.get("/account/password").status_code == 303
    assert actions(either_service)[:2] == ["session.ended", "sign-in"]


@pytest.mark.parametrize("name", ["a%3Fb", "a%23b", "a%25b", "%C3%A9", "a%20b"])
def test_a_sign_in_leads_to_the_server_that_was_asked_for(service: Service, name: str) -> None:
    """Signs that mean something in an address are of its name."""
    service.user("ada")
    asked = f"/servers/{name}?days=30"
    with service.client() as client:
        wanted = client.get(asked).headers["location"]
        assert wanted == f"/sign-in?next={quote(asked, safe='')}"
        assert sign_in(client, next=asked).headers["location"] == asked


def test_the_cookie_is_for_the_server_alone(service: Service, store: Store) -> None:
    service.user("ada")
    with service.client() as client:
        cookie = sign_in(client).headers["set-cookie"]
    assert cookie.startswith("volact=")
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
    secure = Service(store, public_url="https://volact.example")
    with secure.client() as client:
        answer = sign_in(client)
    assert answer.headers["set-cookie"].startswith("__Host-volact=")
    assert "Secure" in answer.headers["set-cookie"].split("; ")
    assert "max-age" in answer.headers["strict-transport-security"]


def test_a_session_that_existed_before_is_not_the_one_after(service: Service) -> None:
    """Session fixation: a cookie that was put into the browser is worth nothing."""
    service.user("ada")
    with service.client() as client:
        client.cookies.set("volact", "known-to-the-attacker")
        key = sign_in(client).cookies["volact"]
        assert key != "known-to-the-attacker"
        again = sign_in(client).cookies["volact"]
        assert again != key
        client.cookies.clear()
        client.cookies.set("volact", key)
        assert client.get("/account/password").status_code == 303


@pytest.mark.parametrize("by", [{"hours": 13}, {"days": 8}])
def test_a_session_ends_when_it_is_idle_or_old(service: Service, by: dict[str, float]) -> None:
    service.user("ada")
    with service.client() as client:
        sign_in(client)
        service.clock.advance(hours=11)
        assert client.get("/account/password").status_code == 200
        service.clock.advance(hours=11)
        assert client.get("/account/password").status_code == 200
        service.clock.advance(**by)
        assert client.get("/account/password").status_code == 303


def test_a_link_signs_in_once_and_asks_for_a_password(either_service: Service) -> None:
    service = either_service
    key = service.link(service.user("ada", "administrator", password=""))
    with service.client() as client:
        page = client.get("/sign-in/link", params={"key": key})
        assert key in page.text  # looking at it does not use it up
        answer = client.post("/sign-in/link", data={"key": key})
        assert answer.headers["location"] == "/account/password"
        assert client.post("/sign-in/link", data={"key": key}).status_code == 401
        assert 'name="old"' not in client.get("/account/password").text
        assert client.post("/account/password", data={"new": PASSWORD}).status_code == 303
        assert 'name="old"' in client.get("/account/password").text
    with service.client() as client:
        assert sign_in(client).status_code == 303


def test_a_link_lasts_a_day_and_the_newest_alone_counts(service: Service) -> None:
    ada = service.user("ada")
    first, second = service.link(ada), service.link(ada)
    with service.client() as client:
        assert client.post("/sign-in/link", data={"key": first}).status_code == 401
        service.clock.advance(hours=25)
        assert client.post("/sign-in/link", data={"key": second}).status_code == 401


def test_a_new_password_ends_the_other_sessions(service: Service) -> None:
    service.user("ada")
    with service.client() as here, service.client() as there:
        sign_in(here)
        sign_in(there)
        wrong = here.post("/account/password", data={"old": "x", "new": PASSWORD + "!"})
        assert wrong.status_code == 400
        right = here.post("/account/password", data={"old": PASSWORD, "new": PASSWORD + "!"})
        assert right.status_code == 303
        assert here.get("/account/password").status_code == 200
        assert there.get("/account/password").status_code == 303


@pytest.mark.parametrize("password", ["short", "a" * 20, "x" * 1001, "ada was here today"])
def test_a_password_that_is_easily_guessed_is_refused(service: Service, password: str) -> None:
    with pytest.raises(InputError, match="a password"):
        service.user("ada", password=password)


def test_names_that_exist_and_names_that_do_not_are_answered_alike(service: Service) -> None:
    """Enumeration: same words, same status, same lock-out; no password, disabled: the same."""
    service.user("ada")
    service.user("grace", password="")
    service.user("linus")
    with service.change() as change:
        users.alter(change, "linus", UserChange(disabled=True))
    seen = set()
    for name in ("ada", "grace", "missing", "linus"):
        with service.client() as client:
            answers = [sign_in(client, name, "a wrong password") for _ in range(6)]
            seen.add(tuple((one.status_code, one.text) for one in answers))
    assert len(seen) == 1
    assert [status for status, _ in seen.pop()] == [401] * 5 + [429]


def test_failures_make_the_next_try_wait(either_service: Service) -> None:
    """Brute force: even the right password has to wait, and the wait grows."""
    service = either_service
    service.user("ada")
    with service.client() as client:
        for _ in range(5):
            assert sign_in(client, password="wrong").status_code == 401
        waiting = sign_in(client)
        assert (waiting.status_code, waiting.headers["retry-after"]) == (429, "16")
        service.clock.advance(seconds=16)
        assert sign_in(client, password="wrong").status_code == 401
        service.clock.advance(seconds=16)
        assert sign_in(client).status_code == 429
        service.clock.advance(seconds=15)
        assert sign_in(client).status_code == 303
        assert sign_in(client, password="wrong").status_code == 401


def test_the_last_second_of_a_wait_is_one_second(service: Service) -> None:
    service.user("ada")
    with service.client() as client:
        for _ in range(5):
            sign_in(client, password="wrong")
        service.clock.advance(seconds=14.5)
        assert "Try again in 1 second." in sign_in(client).text


def test_waits_double_up_to_an_hour() -> None:
    seconds = [wait_after(failures, 5).total_seconds() for failures in (1, 4, 5, 6, 7, 12, 13, 999)]
    assert seconds == [0, 0, 15, 30, 60, 1920, 3600, 3600]


def test_an_address_that_tries_many_names_waits(service: Service) -> None:
    for number in range(20):
        assert passwords.sign_in(service.parts, f"u{number}", "x", "a") is None
    with pytest.raises(passwords.TooManyAttemptsError):
        passwords.sign_in(service.parts, "other", "x", "a")
    assert passwords.sign_in(service.parts, "other", "x", "b") is None


def test_the_usual_mistakes_of_an_office_do_not_add_up(service: Service) -> None:
    """Its people sign in from one address, with a few mistakes an hour."""
    service.user("ada")
    for number in range(12):
        for try_ in range(2):
            name = f"u{number * 2 + try_}"
            assert passwords.sign_in(service.parts, name, "typo", "office") is None
        assert passwords.sign_in(service.parts, "ada", PASSWORD, "office") is not None
        service.clock.advance(minutes=20)


def tries_in(service: Service, hours: int, name: str, address: str) -> int:
    """How many guesses are answered where the next one is sent as soon as it may be."""
    tries, end = 0, service.clock() + timedelta(hours=hours)
    while service.clock() < end:
        try:
            passwords.sign_in(service.parts, name.format(tries), "x", address.format(tries))
            tries += 1
            service.clock.advance(seconds=1)
        except passwords.TooManyAttemptsError as error:
            service.clock.advance(seconds=error.seconds)
    return tries


@pytest.mark.parametrize(
    ("name", "address", "hours", "most"),
    [("ada", "a", 48, 80), ("u{}", "a", 4, 4 * 30), ("ada", "a{}", 4, 4 * 60)],
    ids=["one name from one address", "many names from one address", "one name from everywhere"],
)
def test_guesses_stay_few(service: Service, name: str, address: str, hours: int, most: int) -> None:
    assert tries_in(service, hours, name, address) <= most


def test_a_password_costs_what_the_rfc_recommends(service: Service) -> None:
    """One that was stored with a lower cost is hashed anew when its user signs in."""

    def cost() -> Parameters:
        (stored,) = service.store.ask(lambda c: c.execute(sa.select(USERS.c.password)).scalars())
        return extract_parameters(stored)

    service.user("ada")
    assert cost() == profiles.CHEAPEST
    service.parts = replace(
        service.parts, hasher=make_parts(service.settings, service.store).hasher
    )
    with service.client() as client:
        assert sign_in(client).status_code == 303
        assert cost() == profiles.RFC_9106_LOW_MEMORY
        assert sign_in(client).status_code == 303


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example", "evil",
        "javascript:alert(1)", "/\t/evil.example", "http:evil", "///evil.example", "", "//[",
    ],
)  # fmt: skip
def test_sign_in_leads_to_no_other_site(service: Service, path: str) -> None:
    assert safe_next(path) == "/"
    service.user("ada")
    with service.client() as client:
        assert sign_in(client, next=path).headers["location"] == "/"
        assert client.get("/sign-in", params={"next": path}).headers["location"] == "/"


def test_a_user_who_is_disabled_is_signed_out(service: Service) -> None:
    service.user("root", "administrator")
    ada = service.user("ada")
    key = service.link(ada)
    token = service.token(ada, "viewer")
    with service.client() as client:
        sign_in(client)
        with service.change() as change:
            users.alter(change, "ada", UserChange(disabled=True))
        assert client.get("/account/password").status_code == 303
        assert sign_in(client).status_code == 401
        assert client.post("/sign-in/link", data={"key": key}).status_code == 401
        bearer = {"authorization": f"Bearer {token}"}
        assert client.get("/api/v1/servers", headers=bearer).status_code == 401


def test_sessions_are_listed_and_ended(service: Service) -> None:
    ada = service.user("ada")
    with service.client(**{"user-agent": "Browser"}) as client:
        sign_in(client)
        found = service.store.ask(lambda c: sessions.sessions(c, service.clock(), ada.id))
        assert [(one.agent, one.address) for one in found] == [("Browser", "testclient")]
        with service.change() as change:
            assert sessions.end(change, ada.id, found[0].id) == 1
        assert client.get("/account/password").status_code == 303


def test_failures_at_the_same_moment_all_count(either_service: Service) -> None:
    service = either_service
    service.user("ada")
    together = threading.Barrier(4)

    def fail(_: int) -> UserInfo | None:
        together.wait()
        return passwords.sign_in(service.parts, "ada", "wrong", "10.0.0.1")

    with ThreadPoolExecutor(4) as threads:
        assert [*threads.map(fail, range(4))] == [None] * 4
    query = sa.select(ATTEMPTS.c.failures)
    counted = service.store.ask(lambda connection: connection.execute(query).scalars().all())
    assert counted == [4] * 3
