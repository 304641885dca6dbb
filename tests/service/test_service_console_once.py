"""A form that is sent twice does its work once; one that fails keeps what was asked."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import sqlalchemy as sa
from litestar.testing import TestClient
from msgspec.structs import replace
from sent_form import SentForm, filled
from service_fleet import (
    NOW,
    Control,
    add_inventory,
    add_run,
    console,
    opened,
    person,
)
from store_samples import end, intent, row, store_writer

from volact.client.wire import NewUser, RunInfo
from volact.service.database.tables import ANSWERS
from volact.service.identity import tokens, users
from volact.service.identity.audit import changing
from volact.service.schedules.store import list_schedules
from volact.service.views import list_views
from volact.store.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path / "volact.db") as made:
        add_inventory(made)
        yield made


@pytest.fixture
def control(store: Store) -> Control:
    return Control(store)


@pytest.fixture
def http(store: Store, control: Control) -> Iterator[TestClient[Any]]:
    with TestClient(console(store, person(), control)) as made:
        yield made


def add_changes(store: Store) -> None:
    """A run that sent a step to a server."""
    writer = store_writer(str(store.address.file), "bb22", "activate")
    asyncio.run(writer.sending(intent("web-01")))
    writer.row(row("web-01"))
    writer.finish(end("bb22", servers=1, healthy=1))


def led(http: TestClient[Any], path: str, form: dict[str, Any]) -> str:
    return str(http.post(path, data=form, follow_redirects=False).headers["location"])


def test_a_form_that_is_sent_twice_makes_one_run(http: TestClient[Any], control: Control) -> None:
    form = filled(http, "/runs/new")
    for _ in range(2):
        assert led(http, "/runs/new", form) == "/runs/svc1"
    assert len(control.asked) == 1
    led(http, "/runs/new", {**form, "limit": "web-*"})  # back in the browser, and changed
    led(http, "/runs/new", filled(http, "/runs/new"))
    assert len(control.asked) == 3


def test_a_run_is_retried_and_undone_once(
    store: Store, http: TestClient[Any], control: Control
) -> None:
    add_changes(store)
    add_run(store, "bb22", "done")
    for page, action in (("/runs/bb22", "/runs/bb22/retry"), ("/runs/bb22/undo", "/runs/new")):
        form = filled(http, page, action)
        for _ in range(2):
            assert led(http, action, form) == "/runs/svc1"
    assert [asked[0] for asked in control.asked] == ["retry_failed", "submit"]


class Slow(Control):
    """The first run is submitted when the second request is on its way."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.second = threading.Event()

    async def submit(self, *given: Any, **more: Any) -> RunInfo:
        await asyncio.to_thread(self.second.wait)
        return await super().submit(*given, **more)


def test_two_clicks_at_once_make_one_run(store: Store) -> None:
    control = Slow(store)
    with TestClient(console(store, person(), control)) as http, ThreadPoolExecutor() as pool:
        form = filled(http, "/runs/new")
        first = pool.submit(led, http, "/runs/new", form)
        control.second.set()
        assert [led(http, "/runs/new", form), first.result()] == ["/runs/svc1"] * 2
    assert len(control.asked) == 1


def test_a_form_whose_work_failed_may_be_sent_again(
    store: Store, http: TestClient[Any], control: Control
) -> None:
    form = filled(http, "/runs/new")
    with TestClient(console(store, person(), Control(store, "no worker"))) as failing:
        assert failing.post("/runs/new", data=form).status_code == 400
    assert led(http, "/runs/new", form) == "/runs/svc1"
    assert len(control.asked) == 1


def test_keys_of_forms_are_kept_for_a_day(store: Store, http: TestClient[Any]) -> None:
    old = {"key": "x", "user": "1", "request": "x", "at": (NOW - timedelta(days=2)).isoformat()}
    store.change(lambda connection: connection.execute(sa.insert(ANSWERS).values(old)))
    led(http, "/runs/new", filled(http, "/runs/new"))
    kept = store.ask(lambda connection: connection.execute(sa.select(ANSWERS.c.body)).all())
    assert [row.body for row in kept] == [b"/runs/svc1"]


def test_a_token_is_made_once_and_the_second_page_says_so(store: Store) -> None:
    with changing(store, NOW, person()) as change:
        ana = users.add(change, NewUser(name="ana", role="administrator"))
    with TestClient(console(store, replace(person(), user=ana.id))) as http:
        form = {**filled(http, "/account", "/account/tokens"), "name": "ci"}
        first = http.post("/account/tokens", data=form).text
        second = http.post("/account/tokens", data=form).text
    assert ("Copy it now" in first, "made already" in first) == (True, False)
    assert ("Copy it now" in second, "made already" in second) == (False, True)
    assert len(store.ask(lambda connection: tokens.tokens(connection, ana.id))) == 1


def test_what_is_saved_twice_is_no_error(store: Store, http: TestClient[Any]) -> None:
    new = {"name": "carl", "role": "viewer", "whole": "1"}
    form = {**filled(http, "/users"), **new}
    paths = {led(http, "/users", form) for _ in range(2)}
    (carl,) = store.ask(users.users)
    assert paths == {f"/users/{carl.id}"}
    form = {**filled(http, f"/users/{carl.id}"), "role": "operator"}
    assert {led(http, f"/users/{carl.id}", form) for _ in range(2)} == paths
    form = {**filled(http, "/schedules"), "name": "nightly", "every": "6h"}
    assert {led(http, "/schedules", form) for _ in range(2)} == {"/schedules"}
    (made,) = list_schedules(store)
    form = {**filled(http, f"/schedules/{made.id}"), "every": "12h"}
    assert {led(http, f"/schedules/{made.id}", form) for _ in range(2)} == {"/schedules"}
    form = filled(http, "/servers?search=web", "/views")
    assert len({led(http, "/views", {**form, "name": "web"}) for _ in range(2)}) == 1
    assert len(list_views(store, person())) == 1
    text = '[[server]]\nname = "web-1"\naddress = "ssh://10.0.0.1"\n'
    form = {**filled(http, "/inventories/fleet.toml", "/inventories"), "text": text}
    paths = {led(http, "/inventories", form) for _ in range(2)}
    assert paths == {"/inventories/fleet.toml"}


def test_an_undo_that_is_refused_stays_an_undo(store: Store, http: TestClient[Any]) -> None:
    add_changes(store)
    form = filled(http, "/runs/bb22/undo", "/runs/new")
    with TestClient(console(store, person(), Control(store, "no such server"))) as refusing:
        answer = refusing.post("/runs/new", data={**form, "limit": "nothing"})
    assert (answer.status_code, "no such server" in answer.text) == (400, True)
    again = SentForm(answer.text, "/runs/new").fields
    assert (again["verb"], again["undo"], again["limit"]) == (["undo"], ["bb22"], ["nothing"])
    assert "Undo this run" in answer.text
    assert ">Activate<" not in answer.text


@pytest.mark.parametrize(
    ("path", "referer", "next"),
    [
        ("/runs/svc1/retry", "", "/runs/svc1"),
        ("/runs/svc1/retry", "http://testserver.local/runs/svc1?verdict=failed",
         "/runs/svc1?verdict=failed"),
        ("/runs/svc1/retry", "https://elsewhere.example/servers", "/runs/svc1"),
        ("/runs/svc1/retry", "http://[", "/runs/svc1"),
        ("/runs/svc1/retry", "http://testserver.local/runs/svc1/retry", "/runs/svc1"),
        ("/users/1/remove?x=1", "", "/users/1"),
        ("/policies/repairs", "", "/"),
        ("/account/sessions/end", "", "/account"),
        ("/runs/new", "http://testserver.local/runs/new?limit=web", "/runs/new?limit=web"),
    ],
)  # fmt: skip
def test_after_a_sign_in_the_page_of_the_form_is_shown(
    store: Store, path: str, referer: str, next: str
) -> None:
    with TestClient(console(store, None), base_url="http://testserver.local") as http:
        answer = http.post(path, headers={"referer": referer}, follow_redirects=False)
        assert answer.status_code == 303
        wanted = answer.headers["location"].removeprefix("/sign-in?next=")
    assert unquote(wanted) == next
