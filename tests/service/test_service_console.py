"""The console's pages: what each shows, to whom, in which language, and how it is guarded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient
from service_fleet import console, fill, person

from volact.store.address import parse_address
from volact.store.store import Store, open_address

PAGES = [
    "/", "/servers", "/servers?verdict=failed&search=app", "/servers/app-01", "/runs",
    "/runs/bb22", "/findings", "/findings?code=0xC004F074",
    "/findings?code=kms-host-set-by-policy",
]  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    url = str(tmp_path_factory.mktemp("console") / "volact.db")
    fill(url)
    address = parse_address(url)
    assert address is not None
    opened = open_address(address)
    assert opened is not None
    with opened:
        yield opened


def get(store: Store, path: str, **given: Any) -> str:
    with TestClient(console(store, person(**given))) as http:
        answer = http.get(path)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        return answer.text


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_whole_and_has_no_script_or_style_of_its_own(store: Store, path: str) -> None:
    html = get(store, path, role="viewer")
    assert html.startswith("<!doctype html>")
    assert html.rstrip().endswith("</html>")
    assert "<style" not in html
    assert " style=" not in html
    assert "<script>" not in html
    assert " on" + "click=" not in html
    assert "<b>&x" not in html


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("language", ["id", "zh-CN"])
def test_a_page_speaks_the_users_language(store: Store, path: str, language: str) -> None:
    html = get(store, path, language=language)
    assert f'<html lang="{language}">' in html
    assert ">Servers<" not in html


def test_the_browsers_language_is_taken_where_the_user_chose_none(store: Store) -> None:
    with TestClient(console(store, person())) as http:
        for header, language in (
            ("zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"),
            ("fr, id;q=0.5, en;q=0.4", "id"),
            ("fr;q=x, *", "en"),
            ("", "en"),
        ):
            html = http.get("/servers", headers={"accept-language": header}).text
            assert f'<html lang="{language}">' in html


def test_the_fleet_names_what_is_wrong_first(store: Store) -> None:
    html = get(store, "/")
    assert "4 servers need attention" in html
    assert html.index("4 servers need attention") < html.index("Causes") < html.index("Trend")
    assert 'href="/servers?verdict=failed"' in html


def test_an_empty_store_says_what_to_do_first(tmp_path: Path) -> None:
    address = parse_address(str(tmp_path / "empty.db"))
    assert address is not None
    opened = open_address(address)
    assert opened is not None
    with opened:
        assert 'href="/runs/new"' in get(opened, "/", role="operator")
        assert 'href="/runs/new"' not in get(opened, "/", role="viewer")


def test_a_server_shows_evidence_what_to_type_facts_and_each_change(store: Store) -> None:
    html = get(store, "/servers/web-02")
    assert "sync-clock" in html
    assert "5 h" in html  # the value before
    assert "<code>14393</code>" in html  # a fact
    assert "A group policy sets the KMS host" in get(store, "/servers/db-01")
    assert "\\u" not in html


def test_scopes_hide_servers_and_what_is_counted(store: Store) -> None:
    with TestClient(console(store, person("viewer", "tag:web"))) as http:
        html = http.get("/servers").text
        assert "web-01" in html
        assert "db-01" not in html
        assert http.get("/servers/db-01").status_code == 404
        assert http.get("/servers/web-01").status_code == 200
        run = http.get("/runs/bb22").text
        assert "web-01" in run
        assert "db-01" not in run
        assert "app-01" not in run
        assert "2 healthy" in http.get("/runs").text
        assert "db-01" not in http.get("/").text
        assert "kms-host-set-by-policy</a><small>" not in http.get("/findings").text
    with TestClient(console(store, person("viewer", "tag:none"))) as http:
        assert http.get("/runs/bb22").status_code == 404


def test_pages_of_the_list_follow_each_other(store: Store) -> None:
    html = get(store, "/servers?search=web-*")
    assert "db-01" not in html
    assert "2 servers" in html
    assert "No matching servers." in get(store, "/servers?search=nothing")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/servers/nothing", 404),
        ("/runs/nothing", 404),
        ("/runs/bb", 404),
        ("/servers?verdict=nothing", 400),
        ("/servers?cursor=nothing", 400),
        ("/servers?ends_from=x", 400),
        ("/servers?cause=error:nothing", 400),
        ("/runs?cursor=nothing", 400),
        ("/servers/web-01?cursor=nothing", 400),
        ("/assets/console.css", 404),
        ("/findings?code=nothing-at-all", 404),
    ],
)
def test_what_does_not_exist_is_a_page_that_says_so(store: Store, path: str, status: int) -> None:
    with TestClient(console(store, person())) as http:
        answer = http.get(path)
        assert answer.status_code == status
        assert "<h1>" in answer.text


def test_who_is_not_signed_in_goes_to_the_sign_in_page(store: Store) -> None:
    with TestClient(console(store, None)) as http:
        answer = http.get("/servers?verdict=failed", follow_redirects=False)
        assert answer.status_code == 303
        assert answer.headers["location"] == "/sign-in?next=%2Fservers%3Fverdict%3Dfailed"


def test_files_are_kept_for_ever_under_the_name_of_their_content(store: Store) -> None:
    html = get(store, "/")
    with TestClient(console(store, None)) as http:
        for kind in ("css", "js"):
            path = html.split(f'.{kind}"')[0].rpartition('"')[2] + f".{kind}"
            answer = http.get(path)
            assert answer.status_code == 200
            assert "immutable" in answer.headers["cache-control"]
