"""What the API refuses rather than pass over: fields that there are not, moments of no year."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from service_parts import actor, api, fill, served_store

from volact.service.api import HANDLERS
from volact.service.api.openapi import document
from volact.service.language import accepted
from volact.store.store import Store

V1 = "/api/v1"
RUN = {"verb": "check", "inventory": "main"}
EARLY, LATE = "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with served_store(tmp_path) as opened:
        fill(opened)
        yield opened


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("runs", {**RUN, "target": ["nope"]}, "target"),
        ("runs", {**RUN, "policy": {"consents": []}}, "policy.consents"),
        ("users", {"name": "bob", "role": "operator", "scope": ["tag:web"]}, "scope"),
        ("views", {"name": "v", "filter": {"verdict": ["failed"]}}, "filter.verdict"),
        ("me/tokens", {"name": "t", "scope": []}, "scope"),
        (
            "schedules",
            {"name": "s", "spec": {"run": RUN, "every": "1d",
             "windows": [{"begin": "01:00", "end": "02:00", "day": ["mon"]}]}},
            "spec.windows.day",
        ),
    ],
)  # fmt: skip
def test_a_field_that_there_is_not_is_refused(
    store: Store, path: str, body: Any, field: str
) -> None:
    with api(store, actor("administrator")) as http:
        answer = http.post(f"{V1}/{path}", json=body)
    assert (answer.status_code, answer.json()["detail"]) == (
        400, f"{field}: there is no such field",
    )  # fmt: skip


def test_a_number_out_of_range_in_such_a_field_is_refused(store: Store) -> None:
    body = b'{"verb": "check", "inventory": "main", "x": 1e999}'
    with api(store, actor("administrator")) as http:
        answer = http.post(f"{V1}/runs", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert "Number out of range" in answer.json()["detail"]


@pytest.mark.parametrize("field", ["kms_concurrency", "concurrency", "retries"])
def test_a_number_of_a_run_of_hundreds_of_digits_is_refused(store: Store, field: str) -> None:
    body = {**RUN, field: 10**400}
    with api(store, actor("administrator")) as http:
        answer = http.post(f"{V1}/runs", json=body)
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith(f"{field} 10000000000000000000: not from")


def test_fields_that_there_are_are_taken(store: Store) -> None:
    policy = {"consent": ["rearm", "rearm"], "replace_key": True}
    run = {**RUN, "verb": "activate", "targets": ["web"], "policy": policy}
    filter = {"verdicts": ["failed"], "ends_from": "2026-01-01T00:00:00Z", "overdue": None}
    with api(store, actor("administrator")) as http:
        assert http.post(f"{V1}/runs", json=run).status_code == 201
        assert http.post(f"{V1}/views", json={"name": "v", "filter": filter}).status_code == 201


def test_the_document_says_that_bodies_have_no_other_fields() -> None:
    schemas = document(HANDLERS)["components"]["schemas"]
    for name in ("RunSpec", "Policy", "ServerFilter", "NewUser", "UserChange", "NewToken",
                 "ScheduleDraft", "MaintenanceWindow", "InventoryUpload"):  # fmt: skip
        assert schemas[name]["additionalProperties"] is False, name
    assert "additionalProperties" not in schemas["RunInfo"]


@pytest.mark.parametrize("moment", [EARLY, LATE])
def test_a_moment_of_no_year_is_refused(store: Store, moment: str) -> None:
    with api(store, actor("administrator")) as http:
        for path in ("servers", "fleet", "runs/bb22/rows"):
            answer = http.get(f"{V1}/{path}", params={"ends_from": moment})
            assert (answer.status_code, answer.json()["detail"]) == (
                400, "ends_from: not within the years 1 to 9999 of UTC",
            )  # fmt: skip
        past = http.get(f"{V1}/servers/web-01/history", params={"since": moment})
        assert past.status_code == 400
        view = {"name": "old", "filter": {"ends_before": moment}}
        answer = http.post(f"{V1}/views", json=view)
        assert (answer.status_code, answer.json()["detail"]) == (
            400, "filter.ends_before: not within the years 1 to 9999 of UTC",
        )  # fmt: skip


@pytest.mark.parametrize("id", ["0001-01-01", EARLY, "9999-12-31T23:59:59-14:00"])
def test_an_id_of_an_event_that_is_none_is_refused(store: Store, id: str) -> None:
    with api(store, actor("viewer")) as http:
        answer = http.get(f"{V1}/runs/bb22/events", headers={"Last-Event-ID": id})
    assert answer.status_code == 400


def test_a_weight_of_a_language_that_is_no_number_is_passed_over() -> None:
    assert accepted("id;q=\u00b2") == "id"
