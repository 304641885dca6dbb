"""What a form says of what was typed: in plain words, and with what was typed in it."""

from __future__ import annotations

from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient
from sent_form import SentForm, filled
from service_fleet import Control, add_inventory, add_run, console, opened, person
from store_samples import keep, row

from volact.store.store import Store

FILE = '[[servers]]\naddress = "ssh://10.0.0.1"\n'


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path / "volact.db") as made:
        add_inventory(made)
        yield made


@pytest.fixture
def http(store: Store) -> Iterator[TestClient[Any]]:
    with TestClient(console(store, person())) as made:
        yield made


def stored(http: TestClient[Any], name: str) -> list[str]:
    """The fields of the editor of an inventory."""
    return SentForm(http.get(f"/inventories/{name}").text, "/inventories").fields["named"]


@pytest.mark.parametrize(
    ("policy", "typed", "said"),
    [
        ("retention", {"least_runs": "many"}, "least_runs: write a whole number, 0 or more"),
        ("retention", {"least_runs": "-1"}, "least_runs: write a whole number, 0 or more"),
        ("retention", {"least_runs": "9" * 30}, "least_runs: it is too large"),
        ("approvals", {"most_servers": "1.5"}, "most_servers: write a whole number, 0 or more"),
        ("approvals", {"verbs": "aktivate"}, "verbs: write some of check, plan, activate, undo"),
        (
            "notifications",
            {"channels": "slack://x"},
            "variable: write the name of a variable that holds the URL, never the URL",
        ),
    ],
)
def test_a_wrong_word_of_a_policy_is_refused_in_plain_words(
    store: Store, http: TestClient[Any], policy: str, typed: dict[str, str], said: str
) -> None:
    path = f"/policies/{policy}"
    sent = {**filled(http, "/schedules", path), **typed}
    answer = http.post(path, data=sent)
    assert (answer.status_code, said in unescape(answer.text)) == (400, True)
    for language in ("id", "zh-CN"):
        with TestClient(console(store, person(language=language))) as reader:
            text = unescape(reader.post(path, data=sent).text)
        assert said not in text
        assert said.split(": ", maxsplit=1)[1] not in text


@pytest.mark.parametrize(
    ("file", "kept"),
    [
        ("lab (1).toml", "lab _1_.toml"),
        ("清单.toml", "__.toml"),
        (".toml", "_.toml"),
        (f"{'x' * 300}.toml", f"{'x' * 194}.toml"),
    ],
    ids=("copy", "chinese", "end", "long"),
)
def test_a_file_of_any_name_is_taken_under_another(
    http: TestClient[Any], file: str, kept: str
) -> None:
    answer = http.post("/inventories", data={"name": "lab"}, files={"file": (file, FILE)})
    assert answer.status_code == 200, answer.text
    assert stored(http, "lab") == [kept]


def test_an_empty_file_is_refused_as_that(http: TestClient[Any]) -> None:
    answer = http.post("/inventories", data={"name": "lab"}, files={"file": ("a.toml", "")})
    assert (answer.status_code, "the file is empty" in answer.text) == (400, True)
    assert http.get("/inventories/lab").status_code == 404


def test_a_refused_rollout_keeps_its_servers_and_its_canaries(store: Store) -> None:
    planned = [row(name, "attention", plan=({"do": "activate"},)) for name in ("a-1", "b-1")]
    keep(str(store.address.file), "aa11", *planned, command="plan")
    add_run(store, "aa11", "done", verb="plan")
    with TestClient(console(store, person(), Control(store, "canary: no number"))) as http:
        shown = filled(http, "/runs/aa11/plan")
        assert (shown["canary"], shown["max_failures"], len(shown["only"])) == (["1"], ["10%"], 2)
        for given in (
            {"only": ["b-1"], "canary": ["2 or 3"], "max_failures": ["7%"]},
            {"only": [], "canary": ["2"], "max_failures": ["7%"]},
        ):
            answer = http.post("/runs/aa11/plan", data={**shown, **given})
            assert (answer.status_code, 'role="alert"' in answer.text) == (400, True)
            again = SentForm(answer.text, "/runs/aa11/plan").fields
            assert {name: again.get(name, []) for name in given} == given


@pytest.mark.parametrize(
    ("action", "given"),
    [
        (
            "/inventories/from",
            {"name": "lab", "source": "nocloud:x", "filters": "a=b", "via": "winrm"},
        ),
        ("/inventories/from", {"name": "a b", "source": "x", "filters": "", "via": ""}),
        ("/account/tokens", {"name": "ci", "role": "operator", "days": "long"}),
        ("/account/tokens", {"name": "ci", "role": "approver", "days": "0"}),
        ("/views", {"name": "x" * 256, "shared": "1", "search": "web", "tag": "prod"}),
    ],
)
def test_a_form_that_is_refused_is_shown_as_it_was_typed(
    http: TestClient[Any], action: str, given: dict[str, str]
) -> None:
    answer = http.post(action, data=given)
    assert (answer.status_code, 'role="alert"' in answer.text) == (400, True)
    again = SentForm(answer.text, action).fields
    assert {name: again[name] for name in given} == {name: [it] for name, it in given.items()}
