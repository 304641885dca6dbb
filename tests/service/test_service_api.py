"""The API over a store with two runs: lists, scopes, steering, errors, the document."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from service_parts import actor, api, fill, put_run, run_info, served_store

from volact.client.answers import ServerDetail
from volact.client.wire import RunInfo
from volact.queries.values import History
from volact.store.store import Store

V1 = "/api/v1"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with served_store(tmp_path) as opened:
        fill(opened)
        yield opened


def names(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [server["name"] for server in answer.json()["items"]]


def test_servers_by_filter_order_and_page(store: Store) -> None:
    with api(store, actor("viewer")) as http:
        assert names(http.get(f"{V1}/servers")) == ["a/b?c", "db-01", "web-01", "web-02"]
        assert names(http.get(f"{V1}/servers?verdict=unreachable&verdict=failed")) == ["web-02"]
        assert names(http.get(f"{V1}/servers?tag=web&name=!web-02")) == ["web-01"]
        assert names(http.get(f"{V1}/servers?order=seen&tag=web")) == ["web-01", "web-02"]
        first = http.get(f"{V1}/servers?limit=3").json()
        rest = http.get(f"{V1}/servers", params={"limit": 3, "cursor": first["next"]})
        assert names(rest) == ["web-02"]
        assert rest.json()["next"] == ""


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "cursor=x", "verdict=odd", "ends_from=soon", "order=odd"]
)
def test_a_wrong_query_is_a_problem(store: Store, query: str) -> None:
    with api(store, actor("viewer")) as http:
        answer = http.get(f"{V1}/servers?{query}")
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert answer.json()["detail"]


def test_one_server(store: Store) -> None:
    with api(store, actor("viewer")) as http:
        found = msgspec.json.decode(http.get(f"{V1}/servers/web-01").content, type=ServerDetail)
        assert found.server.tags == ("web", "prod")
        assert found.report is not None
        assert (found.report.name, found.report_run) == ("web-01", "bb22")
        past = msgspec.json.decode(http.get(f"{V1}/servers/web-01/history").content, type=History)
        assert [look.run for look in past.looks] == ["bb22", "aa11"]
        steps = http.get(f"{V1}/servers/web-01/changes").json()["items"]
        assert {step["run"] for step in steps} == {"aa11", "bb22"}
        assert http.get(f"{V1}/servers/web-01/facts").status_code == 404
        assert http.get(f"{V1}/servers/web-0*").status_code == 404


def test_a_scope_hides_other_servers_everywhere(store: Store) -> None:
    with api(store, actor("operator", "tag:web", name="eve")) as http:
        assert names(http.get(f"{V1}/servers")) == ["web-01", "web-02"]
        for path in ("", "/history", "/changes", "/facts"):
            assert http.get(f"{V1}/servers/db-01{path}").status_code == 404
        assert names(http.get(f"{V1}/runs/bb22/rows")) == ["web-01", "web-02"]
        steps = http.get(f"{V1}/runs/bb22/changes").json()["items"]
        assert {step["server"] for step in steps} == {"web-01", "web-02"}
        run = http.get(f"{V1}/runs/bb22").json()
        assert (run["servers"], run["counts"]) == (2, {"healthy": 1, "unreachable": 1})


def test_a_scope_hides_runs_without_its_servers(store: Store) -> None:
    with api(store, actor("operator", "tag:other", name="eve")) as http:
        assert http.get(f"{V1}/runs").json() == {"items": [], "next": ""}
        for method, path in (
            ("GET", ""), ("GET", "/rows"), ("GET", "/changes"), ("POST", "/pause"),
            ("POST", "/retry"), ("POST", "/cancel"), ("POST", "/resume"),
        ):  # fmt: skip
            assert http.request(method, f"{V1}/runs/bb22{path}").status_code == 404, path


def test_runs_by_state_and_verb(store: Store) -> None:
    put_run(store.engine, run_info("cc33", state="running"))
    with api(store, actor("viewer")) as http:

        def ids(query: str) -> list[str]:
            return [run["id"] for run in http.get(f"{V1}/runs?{query}").json()["items"]]

        assert ids("") == ["cc33", "bb22"]
        assert ids("state=running&state=paused") == ["cc33"]
        assert ids("verb=check") == []
        assert ids("verb=activate&limit=1") == ["cc33"]


def test_a_run_is_submitted_and_steered(store: Store) -> None:
    with api(store, actor()) as http:
        made = http.post(f"{V1}/runs", json={"verb": "check", "inventory": "main"})
        assert made.status_code == 201
        run = msgspec.json.decode(made.content, type=RunInfo)
        assert made.headers["location"] == f"{V1}/runs/{run.id}"
        assert http.post(f"{V1}/runs/{run.id}/cancel").json()["state"] == "cancelled"
        again = http.post(f"{V1}/runs/{run.id}/cancel")
        assert (again.status_code, again.json()["detail"]) == (409, "the run is not queued")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"verb": "check"}, 400),
        ({"verb": "explode", "inventory": "main"}, 400),
        ({"verb": "check", "inventory": "main", "canary": "wrong"}, 422),
        ([], 400),
    ],
)
def test_a_wrong_run_is_a_problem(store: Store, body: Any, status: int) -> None:
    with api(store, actor()) as http:
        answer = http.post(f"{V1}/runs", json=body)
    assert answer.status_code == status
    assert answer.json()["status"] == status
    assert answer.headers["content-type"].startswith("application/problem+json")


def test_who_approves(store: Store) -> None:
    put_run(store.engine, run_info("dd44", state="awaiting-approval"))
    with api(store, actor("operator")) as http:
        assert http.post(f"{V1}/runs/dd44/approve").status_code == 403
    with api(store, actor("approver", name="grace")) as http:
        assert http.post(f"{V1}/runs/dd44/approve").json()["approved_by"] == "grace"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/servers/none", 404),
        ("GET", "/runs/none", 404),
        ("DELETE", "/servers", 405),
    ],
)
def test_errors_of_routing_are_problems(store: Store, method: str, path: str, status: int) -> None:
    with api(store, actor("viewer")) as http:
        answer = http.request(method, V1 + path)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("application/problem+json")


def test_without_sign_in(store: Store) -> None:
    with api(store, None) as http:
        answer = http.get(f"{V1}/servers")
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert http.get(f"{V1}/openapi.json").status_code == 200


def test_a_defect_shows_no_traceback(store: Store) -> None:
    store.engine.dispose()
    (Path(str(store.address.file))).write_bytes(b"no database" * 100)
    with api(store, actor("viewer")) as http:
        answer = http.get(f"{V1}/servers")
    assert answer.status_code in (500, 503)
    assert "Traceback" not in answer.text


def test_the_document_is_openapi_3_1(store: Store) -> None:
    with api(store, actor()) as http:
        made = http.get(f"{V1}/openapi.json").json()
    assert made["openapi"].startswith("3.1")
    assert f"{V1}/servers/{{name}}" in made["paths"]
