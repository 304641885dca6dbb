"""What forms of the console save: no more and no less than what was chosen, and nothing twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from litestar.testing import TestClient
from msgspec.structs import replace
from sent_form import SentForm, filled
from service_fleet import NOW, add_inventory, console, opened, person

from volact.client.inventories import InventoryUpload
from volact.client.wire import NewUser, UserChange, UserInfo
from volact.service import inventories
from volact.service.console.typed_words import typed, words_of
from volact.service.database.tables import INVENTORIES
from volact.service.database.transaction import transaction
from volact.service.identity import users
from volact.service.identity.audit import changing
from volact.service.policies import ApprovalPolicy, RetentionPolicy
from volact.service.policy_store import read_policy, write_policy
from volact.service.schedules.store import list_schedules
from volact.store.store import Store

NEW = {"name": "weekend", "verb": "check", "inventory": "fleet.toml", "every": "6h"}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path / "volact.db") as made:
        add_inventory(made)
        yield made


@pytest.fixture
def http(store: Store) -> Iterator[TestClient[Any]]:
    with TestClient(console(store, person())) as made:
        yield made


def test_days_without_times_are_whole_days(store: Store, http: TestClient[Any]) -> None:
    http.post("/schedules", data={**NEW, "days": ["sat", "sun"], "begin": "", "end": ""})
    (kept,) = list_schedules(store)
    assert [(it.begin, it.end, it.days) for it in kept.spec.windows] == [
        ("00:00", "00:00", ("sat", "sun"))
    ]
    http.post(f"/schedules/{kept.id}", data=filled(http, f"/schedules/{kept.id}"))
    assert list_schedules(store)[0].spec == kept.spec


@pytest.mark.parametrize(
    ("half", "words"),
    [
        ({"begin": "01:00"}, "a time from and a time to"),
        ({"end": "01:00", "days": ["sat"]}, "a time from and a time to"),
        ({"last": "2026-12-31"}, "the first of the dates"),
    ],
)
def test_half_a_limit_is_refused_with_the_form_as_it_was_typed(
    store: Store, http: TestClient[Any], half: dict[str, Any], words: str
) -> None:
    given = {**NEW, "limit": "web-*", "canary": "2", "zone": "Asia/Jakarta", **half}
    answer = http.post("/schedules", data=given)
    assert (answer.status_code, words in answer.text) == (400, True)
    again = SentForm(answer.text, "/schedules").fields
    assert {name: again.get(name) for name in given} == {
        name: value if isinstance(value, list) else [value] for name, value in given.items()
    }
    assert "enabled" not in again  # nor was it
    assert list_schedules(store) == []


def test_a_refused_change_of_a_schedule_shows_what_was_typed(
    store: Store, http: TestClient[Any]
) -> None:
    http.post("/schedules", data=NEW)
    (kept,) = list_schedules(store)
    path = f"/schedules/{kept.id}"
    answer = http.post(path, data={**filled(http, path), "every": "", "cron": "61 * * * *"})
    assert answer.status_code == 400
    again = SentForm(answer.text, path).fields
    assert again["cron"] == ["61 * * * *"]
    assert http.post(path, data={**again, "cron": "30 2 * * *"}).status_code == 200
    assert list_schedules(store)[0].spec.cron == "30 2 * * *"


def add_user(store: Store, scopes: tuple[str, ...] | None) -> UserInfo:
    with changing(store, NOW, person()) as change:
        users.add(change, NewUser(name="root", role="administrator"))
        return users.add(change, NewUser(name="carl", role="operator", scopes=scopes))


def found(store: Store, name: str = "carl") -> UserInfo:
    return store.ask(lambda connection: users.find(connection, name))


@pytest.mark.parametrize("scopes", [None, (), ("tag:web", "tag:prod eu")])
def test_a_user_who_is_saved_reaches_the_same_servers(
    store: Store, http: TestClient[Any], scopes: tuple[str, ...] | None
) -> None:
    path = f"/users/{add_user(store, scopes).id}"
    form = filled(http, path)
    assert http.post(path, data={**form, "role": "viewer"}).status_code == 200
    assert (found(store).role, found(store).scopes) == ("viewer", scopes)


def test_the_whole_fleet_is_given_by_its_box_alone(store: Store, http: TestClient[Any]) -> None:
    for name, scopes, whole, status in (
        ("nothing", ",", "", 400),
        ("both", "tag:web", "1", 400),
        ("some", "tag:web", "", 200),
        ("all", "", "1", 200),
    ):
        new = {"name": name, "role": "viewer", "scopes": scopes, "whole": whole}
        answer = http.post("/users", data={**new, "email": "a@volact.example"})
        assert answer.status_code == status, name
        if status == 400:
            again = SentForm(answer.text, "/users").fields
            assert (again["name"], again["email"]) == ([name], ["a@volact.example"])
    assert found(store, "some").scopes == ("tag:web",)
    assert found(store, "all").scopes is None
    assert len(store.ask(users.users)) == 2


def test_a_form_gives_back_no_right_that_another_took(store: Store, http: TestClient[Any]) -> None:
    path = f"/users/{add_user(store, None).id}"
    form = filled(http, path)
    with changing(store, NOW, person()) as change:
        users.alter(change, "carl", UserChange(disabled=True))
    answer = http.post(path, data={**form, "role": "viewer"})
    assert answer.status_code == 409
    assert found(store).disabled
    again = SentForm(answer.text, path).fields
    assert (again["disabled"], again["role"]) == (["1"], ["operator"])  # as it is now
    assert http.post(path, data={**again, "role": "viewer"}).status_code == 200
    assert (found(store).role, found(store).disabled) == ("viewer", True)


def test_a_policy_that_another_decided_meanwhile_stays(store: Store, http: TestClient[Any]) -> None:
    action = "/policies/retention"
    form = filled(http, "/schedules", action)
    decided = RetentionPolicy(runs="180d")
    with changing(store, NOW, person()) as change:
        write_policy(change, decided)
    answer = http.post(action, data={**form, "least_runs": "20"})
    assert answer.status_code == 409
    assert read_policy(store, RetentionPolicy) == decided
    again = SentForm(answer.text, action).fields
    assert http.post(action, data={**again, "least_runs": "20"}).status_code == 200
    assert read_policy(store, RetentionPolicy) == replace(decided, least_runs=20)


def test_a_policy_that_is_refused_is_shown_as_it_was_typed(
    store: Store, http: TestClient[Any]
) -> None:
    action = "/policies/retention"
    answer = http.post(action, data={**filled(http, "/schedules", action), "runs": "1 year"})
    assert (answer.status_code, "How long things are kept: " in answer.text) == (400, True)
    assert SentForm(answer.text, action).fields["runs"] == ["1 year"]
    assert read_policy(store, RetentionPolicy) == RetentionPolicy()


def test_an_inventory_that_another_changed_meanwhile_is_not_overwritten(
    store: Store, http: TestClient[Any]
) -> None:
    def text() -> str:
        kept = store.ask(lambda connection: inventories.text_of(connection, "fleet.toml"))
        assert kept
        return kept.text

    def saving() -> inventories.Saving:
        return inventories.Saving(name="fleet.toml", by="Ben", now=NOW)

    form = filled(http, "/inventories/fleet.toml", "/inventories")
    theirs = '[[server]]\nname = "theirs"\naddress = "ssh://10.0.0.1"\n'
    mine = theirs.replace("theirs", "mine")
    with changing(store, NOW, person()) as change:
        upload = InventoryUpload(file="fleet.toml", text=theirs)
        inventories.save_upload(change.connection, saving(), upload)
    answer = http.post("/inventories", data={**form, "text": mine})
    assert answer.status_code == 409
    assert text() == theirs
    shown, _, unsaved = answer.text.partition("which was not saved")
    assert ("theirs" in shown, "mine" in unsaved) == (True, True)
    again = SentForm(answer.text, "/inventories").fields
    assert http.post("/inventories", data={**again, "text": mine}).status_code == 200
    assert text() == mine
    # A file that is uploaded replaces the one of its name, as the page says.
    sent = http.post("/inventories", files={"file": ("fleet.toml", theirs.encode())})
    assert (sent.status_code, text()) == (200, theirs)


EDITED = '[[server]]\nname = "mine"\naddress = "ssh://10.0.0.1"\n'


def edited(http: TestClient[Any], **fields: str) -> dict[str, Any]:
    """The form of the inventory's editor with another text."""
    form = filled(http, "/inventories/fleet.toml", "/inventories")
    return {**form, "text": EDITED, **fields}


def delete_inventory(store: Store) -> None:
    with transaction(store) as connection:
        inventories.delete_inventory(connection, "fleet.toml")


def list_from_cloud(store: Store) -> None:
    with transaction(store) as connection:
        listed = {"source": "aws:eu-west-1", "text": "# listed"}
        connection.execute(sa.update(INVENTORIES).values(listed))


def kept_text(store: Store) -> str | None:
    kept = store.ask(lambda connection: inventories.text_of(connection, "fleet.toml"))
    return kept.text if kept else None


def test_an_inventory_that_was_deleted_meanwhile_is_made_again(
    store: Store, http: TestClient[Any]
) -> None:
    form = edited(http)
    delete_inventory(store)
    assert http.post("/inventories", data=form).status_code == 200
    assert kept_text(store) == EDITED


def test_the_text_of_an_inventory_that_is_a_cloud_list_now_is_shown(
    store: Store, http: TestClient[Any]
) -> None:
    form = edited(http)
    list_from_cloud(store)
    answer = http.post("/inventories", data=form)
    shown, _, unsaved = answer.text.partition("which was not saved")
    assert (answer.status_code, "changed since" in shown) == (409, True)
    assert "10.0.0.1" in unsaved
    assert kept_text(store) == "# listed"


def test_an_inventory_whose_text_is_refused_is_shown_as_it_was_typed(
    store: Store, http: TestClient[Any]
) -> None:
    form = edited(http, named="a/b.toml")
    answer = http.post("/inventories", data=form)
    assert (answer.status_code, 'role="alert"' in answer.text) == (400, True)
    editor = answer.text.partition('name="text"')[2]
    assert "10.0.0.1" in editor
    assert "which was not saved" not in answer.text
    again = SentForm(answer.text, "/inventories").fields
    assert again["mark"] == form["mark"]  # so what another saves meanwhile is not overwritten
    assert http.post("/inventories", data={**again, "text": EDITED}).status_code == 200
    assert kept_text(store) == EDITED


@pytest.mark.parametrize("meanwhile", [delete_inventory, list_from_cloud])
def test_a_refused_text_is_shown_where_there_is_no_editor_for_it(
    store: Store, http: TestClient[Any], meanwhile: Callable[[Store], None]
) -> None:
    form = edited(http, named="a/b.toml")
    meanwhile(store)
    answer = http.post("/inventories", data=form)
    assert (answer.status_code, 'role="alert"' in answer.text) == (400, True)
    assert "10.0.0.1" in answer.text.partition("which was not saved")[2]


@pytest.mark.parametrize("named", ["fleet.toml", "a/b.toml"])
def test_a_refused_text_that_holds_a_secret_is_not_shown(
    store: Store, http: TestClient[Any], named: str
) -> None:
    """For each reason that a text is refused for."""
    form = edited(http, named=named, text=f'{EDITED}password = "hunter2"\n')
    answer = http.post("/inventories", data=form)
    assert (answer.status_code, "not shown again" in answer.text) == (400, True)
    assert ("10.0.0.1" in answer.text, "hunter2" in answer.text) == (False, False)
    assert 'name="text"' in answer.text  # the editor, with what is stored
    assert kept_text(store) == ""


@pytest.mark.parametrize(
    "words",
    [
        ("web-*", "!web-09"), ("prod eu", "a,b"), ("Ben's lab", 'the "old" one'),
        ("a'b\"c d", "", "x"), ("c:\\d", "db[1]"),
    ],
)  # fmt: skip
def test_words_are_read_as_they_are_shown(words: tuple[str, ...]) -> None:
    assert words_of(typed(words)) == words


def test_words_stand_between_blanks_or_commas() -> None:
    assert words_of(" web-*, !web-09\ttag:'prod eu'\u3000x,") == (
        "web-*", "!web-09", "tag:prod eu", "x",
    )  # fmt: skip
    assert typed(("web-*", "!web-09")) == "web-* !web-09"


def test_a_policy_that_is_saved_unchanged_asks_for_the_same_approvals(
    store: Store, http: TestClient[Any]
) -> None:
    policy = ApprovalPolicy(tags=("prod eu", "a,b", "two\nlines"), providers=("ovh",))
    with changing(store, NOW, person()) as change:
        write_policy(change, policy)
    action = "/policies/approvals"
    form = filled(http, "/schedules", action)
    http.post(action, data={**form, "most_servers": "9"})
    assert read_policy(store, ApprovalPolicy) == replace(policy, most_servers=9)
