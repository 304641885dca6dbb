"""The API over a store with two runs: lists, scopes, steering, errors, the document."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from service_parts import NOW, actor, api, fill, put_run, run_info, served_store

from volact.cli.options.changes import ActivateOptions
from volact.cli.options.parameter import PARAMETER
from volact.client.answers import ServerDetail
from volact.client.wire import RunInfo, RunSpec
from volact.queries.values import History
from volact.service.api import HANDLERS
from volact.service.api.idempotency import MOST_BODY
from volact.service.api.openapi import document
from volact.service.database.tables import ANSWERS, INVENTORIES, RUN_SERVERS
from volact.service.settings import ServiceSettings
from volact.store.clock import moment
from volact.store.engine import writing
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


OUTSIDE = [
    ("deadline_s", -5), ("deadline_s", 0), ("deadline_s", 1e300), ("deadline_s", 3601),
    ("retries", -3), ("retries", 21), ("retries", 10**9), ("concurrency", 10**12),
    ("concurrency", 2001), ("kms_concurrency", 2001),
]  # fmt: skip


@pytest.mark.parametrize(("name", "number"), OUTSIDE)
def test_a_number_that_the_command_line_refuses_is_refused(
    store: Store, name: str, number: float
) -> None:
    run = {"verb": "check", "inventory": "main", name: number}
    with api(store, actor("administrator")) as http:
        schedule = {"name": "nightly", "spec": {"run": run, "every": "1d"}}
        for path, body in (("runs", run), ("schedules", schedule)):
            before = http.get(f"{V1}/{path}").json()
            answer = http.post(f"{V1}/{path}", json=body)
            assert answer.status_code == 422
            assert answer.json()["detail"].startswith(f"{name} ")
            assert http.get(f"{V1}/{path}").json() == before


def test_numbers_up_to_the_bounds_are_taken(store: Store) -> None:
    least = {"deadline_s": 1, "retries": 0, "concurrency": 0, "kms_concurrency": 1}
    most = {"deadline_s": 3600, "retries": 20, "concurrency": 2000, "kms_concurrency": 2000}
    with api(store, actor()) as http:
        for numbers in (least, most):
            run = {"verb": "check", "inventory": "main", **numbers}
            assert http.post(f"{V1}/runs", json=run).status_code == 201


def test_the_document_tells_the_bounds_of_the_command_line() -> None:
    told = document(HANDLERS)["components"]["schemas"]["RunSpec"]["properties"]
    options = {
        field.name: field.metadata[PARAMETER]
        for field in fields(ActivateOptions)
        if PARAMETER in field.metadata
    }
    named = {name: name.removesuffix("_s") for name in ("deadline_s", "retries", "kms_concurrency")}
    for name, option in named.items():
        bounds = (told[name]["minimum"], told[name]["maximum"])
        assert bounds == (options[option].min, options[option].max)
    assert told["concurrency"]["maximum"] == options["concurrency"].max


def test_what_was_stored_outside_the_bounds_is_read(store: Store) -> None:
    spec = RunSpec(verb="check", inventory="main", deadline_s=1e300, retries=-3)
    put_run(store.engine, run_info("dd44", state="done", spec=spec))
    with api(store, actor()) as http:
        answer = http.get(f"{V1}/runs/dd44")
    assert msgspec.json.decode(answer.content, type=RunInfo).spec == spec


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


def test_the_fleet_in_numbers_within_scopes(store: Store) -> None:
    with api(store, actor("viewer")) as http:
        assert http.get(f"{V1}/fleet").json()["summary"]["servers"] == 4
        assert http.get(f"{V1}/fleet?tag=web&stale_days=1").json()["summary"]["servers"] == 2
        assert http.get(f"{V1}/expiring?within_days=400").json()["summary"]["ends"] == 3
        assert http.get(f"{V1}/fleet/values").json()["verdicts"]["healthy"] == 3
    with api(store, actor("viewer", "tag:db")) as http:
        assert http.get(f"{V1}/fleet").json()["summary"]["servers"] == 1
        assert http.get(f"{V1}/expiring?within_days=400").json()["summary"]["ends"] == 1


def test_findings_and_codes(store: Store) -> None:
    with api(store, actor("viewer")) as http:
        found = {each["id"]: each for each in http.get(f"{V1}/findings").json()["items"]}
        assert found["kms-host-wrong"]["meaning"]
        assert http.get(f"{V1}/explain/0xC004F074").json()["class"]
        assert http.get(f"{V1}/explain/kms-host-wrong").json()["kind"] == "finding"
        assert http.get(f"{V1}/explain/0xNOPE").status_code == 404


def test_me(store: Store) -> None:
    with api(store, actor("viewer", "tag:db", name="eve")) as http:
        assert http.get(f"{V1}/me").json() == {
            "user": "eve", "name": "eve", "role": "viewer", "language": "", "via": "session",
            "permissions": ["public", "signed-in", "read"], "scopes": ["tag:db"],
        }  # fmt: skip


@pytest.mark.parametrize(
    ("format_", "media_type", "part"),
    [
        ("json", "application/json", '"run":"bb22"'),
        ("jsonl", "application/jsonl", '"summary":'),
        ("csv", "text/csv", "web-01"),
        ("html", "text/html", "<html"),
        ("junit", "application/xml", "<testsuite"),
        ("prometheus", "text/plain", "volact_"),
    ],
)
def test_reports_to_download(store: Store, format_: str, media_type: str, part: str) -> None:
    with api(store, actor("viewer")) as http:
        answer = http.get(f"{V1}/runs/bb22/report?format={format_}")
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith(media_type)
        assert "volact-activate-bb22." in answer.headers["content-disposition"]
        assert part in answer.text
        assert "db-01" in answer.text
        assert http.get(f"{V1}/runs/none/report").status_code == 404
    with api(store, actor("viewer", "tag:web")) as http:
        narrowed = http.get(f"{V1}/runs/bb22/report?format={format_}").text
        assert "web-01" in narrowed
        assert "db-01" not in narrowed
    with api(store, actor("viewer", "tag:none")) as http:
        assert http.get(f"{V1}/runs/bb22/report").status_code == 404


def test_stored_runs_and_what_changed_between_two(store: Store) -> None:
    with api(store, actor("viewer")) as http:
        assert [run["id"] for run in http.get(f"{V1}/stored-runs").json()["items"]] == [
            "bb22", "aa11",
        ]  # fmt: skip
        assert http.get(f"{V1}/stored-runs?command=check").json()["items"] == []
        runs = http.get(f"{V1}/stored-runs").json()["items"]
        assert [http.get(f"{V1}/stored-runs/{run['id']}").json() for run in runs] == runs
        assert http.get(f"{V1}/stored-runs/aa").status_code == 404
        found = http.get(f"{V1}/diff?before=aa11&after=bb22").json()
        assert {row["name"]: row["kind"] for row in found["servers"]} == {
            "web-01": "better", "web-02": "new", "a/b?c": "new",
        }  # fmt: skip
        assert http.get(f"{V1}/diff?before=aa11&after=zz").status_code == 404
    with api(store, actor("viewer", "tag:db")) as http:
        runs = http.get(f"{V1}/stored-runs").json()["items"]
        assert [run["summary"]["servers"] for run in runs] == [1, 1]
        assert [http.get(f"{V1}/stored-runs/{run['id']}").json() for run in runs] == runs
        assert http.get(f"{V1}/diff?before=aa11&after=bb22").json()["servers"] == []
    with api(store, actor("viewer", "tag:web")) as http:
        found = http.get(f"{V1}/diff?before=aa11&after=bb22").json()
        assert {row["name"] for row in found["servers"]} == {"web-01", "web-02"}


def test_an_answer_that_is_known_is_not_sent_again(store: Store) -> None:
    with api(store, actor("viewer")) as http:
        first = http.get(f"{V1}/servers")
        tag = first.headers["etag"]
        again = http.get(f"{V1}/servers", headers={"If-None-Match": f'"x", W/{tag}'})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
        other = http.get(f"{V1}/servers?limit=1", headers={"If-None-Match": tag})
        assert (other.status_code, other.headers["etag"] != tag) == (200, True)
        assert "etag" not in http.get(f"{V1}/servers/none").headers


def test_a_changing_request_with_a_key_is_done_once(store: Store) -> None:
    body = {"verb": "check", "inventory": "main"}
    key = {"Idempotency-Key": "one"}
    with api(store, actor()) as http:
        first = http.post(f"{V1}/runs", json=body, headers=key)
        again = http.post(f"{V1}/runs", json=body, headers=key)
        assert (first.status_code, again.status_code) == (201, 201)
        assert first.content == again.content
        assert again.headers["location"] == first.headers["location"]
        assert again.headers["idempotency-replayed"] == "true"
        other = http.post(f"{V1}/runs", json={**body, "verb": "plan"}, headers=key)
        assert other.status_code == 422
        assert http.post(f"{V1}/runs", json=body).json()["id"] == "run2"
    with api(store, actor(name="grace")) as http:  # another's keys are others
        assert http.post(f"{V1}/runs", json=body, headers=key).status_code == 201


def test_a_request_whose_first_is_at_work_waits(store: Store) -> None:
    line = {"key": "k", "user": "ada", "at": moment(NOW), "request": _digest_of("check")}
    with writing(store.engine).begin() as connection:
        connection.execute(sa.insert(ANSWERS).values(line))
    with api(store, actor()) as http:
        answer = http.post(
            f"{V1}/runs", content=_BODY.replace(b"VERB", b"check"),
            headers={"Idempotency-Key": "k", "Content-Type": "application/json"},
        )  # fmt: skip
    assert (answer.status_code, answer.headers["retry-after"]) == (409, "1")


_BODY = b'{"verb":"VERB","inventory":"main"}'


def _digest_of(verb: str) -> str:
    content = _BODY.replace(b"VERB", verb.encode())
    return hashlib.sha256(f"POST {V1}/runs?\noperator None\n".encode() + content).hexdigest()


def test_a_failed_request_can_be_repeated_with_its_key(store: Store) -> None:
    key = {"Idempotency-Key": "one"}
    body = {"verb": "check", "inventory": "main"}
    with api(store, actor("viewer")) as http:
        assert http.post(f"{V1}/runs", json=body, headers=key).status_code == 403
    with api(store, actor("operator")) as http:
        assert http.post(f"{V1}/runs", json=body, headers=key).status_code == 201


@pytest.mark.parametrize("key", ["x" * 256, "a\tb"])
def test_a_key_is_plain(store: Store, key: str) -> None:
    with api(store, actor()) as http:
        answer = http.post(f"{V1}/runs", json={}, headers={"Idempotency-Key": key})
    assert answer.status_code == 400


def test_too_many_requests(store: Store) -> None:
    settings = ServiceSettings(database=store.address, requests_a_minute=2)
    with api(store, actor("viewer"), settings=settings) as http:
        assert [http.get(f"{V1}/me").status_code for _ in range(3)] == [200, 200, 429]
        answer = http.get(f"{V1}/me")
    assert answer.headers["retry-after"] == "60"
    assert answer.headers["content-type"].startswith("application/problem+json")


def test_what_no_database_keeps_is_refused(store: Store) -> None:
    with api(store, actor()) as http:
        assert http.get(f"{V1}/servers?name=a%00b").status_code == 400
        assert http.get(f"{V1}/servers/a%00b").status_code == 400
        body = {"verb": "check", "inventory": "a\0b"}
        assert http.post(f"{V1}/runs", json=body).status_code == 400


def test_a_body_has_a_limit(store: Store) -> None:
    with api(store, actor()) as http:
        body = b'{"verb":"check","inventory":"' + b"x" * MOST_BODY + b'"}'
        for headers in ({}, {"Idempotency-Key": "k"}):
            answer = http.post(f"{V1}/runs", content=body, headers=headers)
            assert answer.status_code == 413


@pytest.mark.parametrize("path", ["servers?verdicts=failed", "fleet?tags=web", "me?x=1"])
def test_a_parameter_that_there_is_not_is_refused(store: Store, path: str) -> None:
    with api(store, actor("viewer")) as http:
        answer = http.get(f"{V1}/{path}")
    word = path.partition("?")[2].partition("=")[0]
    assert (answer.status_code, answer.json()["detail"]) == (
        400, f"{word}: there is no such parameter",
    )  # fmt: skip


def test_steering_a_run_needs_all_of_its_servers(store: Store) -> None:
    put_run(store.engine, run_info("bb22", state="running", servers=4, done=4))
    with api(store, actor("operator", "tag:web", name="eve")) as http:
        assert http.post(f"{V1}/runs/bb22/pause").status_code == 403
    with api(store, actor("operator", "tag:web", name="ada")) as http:
        assert http.post(f"{V1}/runs/bb22/pause").status_code == 200


def test_what_a_run_was_asked_for_with_names_no_server_of_others(store: Store) -> None:
    words = RunSpec(
        verb="activate",
        inventory="main",
        targets=("db-01",),
        limit=("db-01",),
        only=("db-01", "web-01"),
    )
    put_run(store.engine, run_info("bb22", spec=words, note="1 server failed: db-01"))
    for who, named in ((actor("viewer", "tag:web", name="eve"), False), (actor("viewer"), True)):
        with api(store, who) as http:
            for path in ("/runs", "/runs/bb22", "/stored-runs"):
                text = http.get(f"{V1}{path}").text
                assert "bb22" in text
                assert ("db-01" in text) is (named and path != "/stored-runs"), path


def test_a_narrower_token_is_not_given_the_answer_of_a_wider_one(store: Store) -> None:
    body, key = {"verb": "check", "inventory": "main"}, {"Idempotency-Key": "one"}
    with api(store, actor()) as http:
        assert http.post(f"{V1}/runs", json=body, headers=key).status_code == 201
    for narrower in (actor("viewer"), actor("operator", "tag:web")):
        with api(store, narrower) as http:
            assert http.post(f"{V1}/runs", json=body, headers=key).status_code == 422


def test_a_narrow_token_steers_its_owner_s_runs_only_within_its_scopes(store: Store) -> None:
    web = "[[server]]\nname='web-01'\naddress='ssh://a'\ntags=['web']\n"
    row = {"name": "main", "file": "main.toml", "updated": "2026-01-01"}
    row["text"] = f"{web}[[server]]\nname='db-01'\naddress='ssh://b'\n"
    for run in ("dd44", "ee55"):
        put_run(store.engine, run_info(run, state="running"))
    with writing(store.engine).begin() as connection:
        connection.execute(sa.insert(INVENTORIES).values(row))
        for run, servers in (("dd44", ["web-01"]), ("ee55", ["web-01", "db-01"])):
            rows = [{"run": run, "server": name} for name in servers]
            connection.execute(sa.insert(RUN_SERVERS), rows)
    with api(store, actor("operator", "tag:web")) as http:  # their owner's name, and less to reach
        pauses = [http.post(f"{V1}/runs/{run}/pause").status_code for run in ("dd44", "ee55")]
    assert pauses == [200, 403]
    with api(store, actor("operator")) as http:
        assert http.post(f"{V1}/runs/ee55/pause").status_code == 200
