"""Every filter of the API in each of its questions, for callers with scopes and without."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from service_parts import actor, api, fill, served_store
from store_samples import two_runs

from volact.service.api import HANDLERS
from volact.service.api.openapi import document
from volact.store.store import Store

V1 = "/api/v1"
# A value of each filter that means some of the servers, and one that means none of them.
VALUES: dict[str, tuple[str, str]] = {
    "name": ("web-*", "web-[9-5]"),
    "tag": ("web", "WEB"),
    "verdict": ("failed", "not-started"),
    "finding": ("kms-host-wrong", "clock-skew"),
    "cause": ("kms-host-wrong", "renewal-overdue"),
    "error": ("connect", "auth"),
    "provider": ("tencent", "TENCENT"),
    "kms_host": ("other:1688", "OTHER:1688"),
    "release": ("2016", "2019"),
    "status": ("licensed", "LICENSED"),
    "ends_from": ("2027-01-10T00:00:00Z", "2100-01-01T00:00:00Z"),
    "ends_before": ("2027-01-10T00:00:00Z", "2000-01-01T00:00:00Z"),
    "examined_from": ("2000-01-01T00:00:00Z", "2100-01-01T00:00:00Z"),
    "examined_before": ("2100-01-01T00:00:00Z", "2000-01-01T00:00:00Z"),
    "seen_from": ("2000-01-01T00:00:00Z", "2100-01-01T00:00:00Z"),
    "seen_before": ("2100-01-01T00:00:00Z", "2000-01-01T00:00:00Z"),
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder: Path = tmp_path_factory.mktemp("filters")
    with served_store(folder) as opened:
        fill(opened)
        two_runs(str(opened.address.file)).close()
        yield opened


def numbers(http: Any, query: str) -> dict[str, int]:
    """How many servers each question means."""

    def asked(path: str) -> Any:
        answer = http.get(f"{V1}{path}?{query}")
        assert answer.status_code == 200, (path, query, answer.text)
        return answer.json()

    return {
        "servers": len(asked("/servers")["items"]),
        "fleet": asked("/fleet")["summary"]["servers"],
        "values": sum(asked("/fleet/values")["verdicts"].values()),
        "expiring": sum(asked("/expiring")["summary"].values()),
    }


@pytest.mark.parametrize("scopes", [(), ("provider:tencent",)])
def test_a_filter_means_as_many_servers_in_every_question(
    store: Store, scopes: tuple[str, ...]
) -> None:
    with api(store, actor("viewer", *scopes)) as http:
        (every,) = {*numbers(http, "").values()}
        for name, (some, none) in VALUES.items():
            (found,) = {*numbers(http, f"{name}={some}").values()}
            assert 0 < found <= every, name
            assert {*numbers(http, f"{name}={none}").values()} == {0}, name
            rows = http.get(f"{V1}/runs/bb22/rows?{name}={some}")
            assert rows.status_code == 200, (name, rows.text)
        parts = [numbers(http, f"overdue={value}") for value in ("true", "false")]
        assert [{*part.values()} for part in parts] == [{1}, {every - 1}]


def test_every_filter_and_every_question_is_here() -> None:
    paths = document(HANDLERS)["paths"]
    given = {
        path: {each["name"] for each in methods["get"].get("parameters", ())}
        for path, methods in paths.items()
        if "get" in methods
    }
    filtered = {path: names for path, names in given.items() if "finding" in names}
    questions = ("servers", "fleet", "fleet/values", "expiring", "runs/{run}/rows")
    assert {*filtered} == {f"{V1}/{name}" for name in questions}
    others = {"limit", "cursor", "order", "stale_days", "within_days", "run"}
    for names in filtered.values():
        assert names - others == {*VALUES, "overdue"}
