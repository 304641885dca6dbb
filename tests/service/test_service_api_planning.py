"""Schedules, views and policies over the API: who may, what is refused, what is audited."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from service_parts import NOW, actor, api, put_run, run_info, served_store

from volact.client.wire import Role
from volact.service.database.tables import AUDIT, INVENTORIES
from volact.service.database.transaction import transaction
from volact.store.clock import moment
from volact.store.store import Store

V1 = "/api/v1"
CHECK = {"verb": "check", "inventory": "main"}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with served_store(tmp_path) as opened, transaction(opened) as connection:
        connection.execute(sa.insert(INVENTORIES).values(name="main", text="", updated=moment(NOW)))
        connection.commit()
        yield opened


def nightly(**spec: Any) -> dict[str, Any]:
    return {"name": "nightly", "spec": {"run": CHECK, "cron": "30 2 * * *", **spec}}


def actions(store: Store) -> list[str]:
    query = sa.select(AUDIT.c.action).order_by(AUDIT.c.position)
    return store.ask(lambda connection: [*connection.execute(query).scalars()])


def test_a_schedule_is_made_changed_and_deleted(store: Store) -> None:
    with api(store, actor("administrator")) as http:
        made = http.post(f"{V1}/schedules", json=nightly(zone="Europe/Paris"))
        assert made.status_code == 201, made.text
        assert made.json()["next"] == "2027-01-01T01:30:00Z"
        path = f"{V1}/schedules/{made.json()['id']}"
        changed = http.put(path, json={**nightly(), "enabled": False})
        assert (changed.status_code, changed.json()["next"]) == (200, None)
        assert http.get(path).json() == changed.json()
        assert http.get(f"{V1}/schedules").json() == {"items": [changed.json()]}
        assert http.delete(path).status_code == 204
        for method in ("GET", "PUT", "DELETE"):
            assert http.request(method, path, json=nightly()).status_code == 404
    assert actions(store) == ["schedule.saved", "schedule.saved", "schedule.deleted"]


@pytest.mark.parametrize(
    ("draft", "status"),
    [
        (nightly(cron="every night"), 422),
        (nightly(zone="Mars"), 422),
        (nightly(windows=[{"begin": "25:00", "end": "06:00"}]), 400),
        (nightly(view="none"), 422),
        ({"name": "", "spec": {"run": CHECK, "every": "1h"}}, 400),
        ({"name": "x", "spec": {"run": {**CHECK, "inventory": "none"}, "every": "1h"}}, 422),
    ],
)
def test_what_cannot_be_kept_is_a_problem(store: Store, draft: Any, status: int) -> None:
    with api(store, actor("administrator")) as http:
        answer = http.post(f"{V1}/schedules", json=draft)
    assert answer.status_code == status
    assert answer.json()["detail"]
    assert actions(store) == []


@pytest.mark.parametrize("role", ["viewer", "operator", "approver"])
def test_only_administrators_configure(store: Store, role: Role) -> None:
    with api(store, actor(role)) as http:
        assert http.get(f"{V1}/schedules").status_code == 200
        assert http.get(f"{V1}/policies").status_code == 200
        assert http.post(f"{V1}/schedules", json=nightly()).status_code == 403
        assert http.put(f"{V1}/policies/repairs", json={"allowed": True}).status_code == 403


def test_each_user_has_views_of_their_own(store: Store) -> None:
    draft = {"name": "bad", "filter": {"verdicts": ["failed"]}}
    with api(store, actor("viewer", "tag:web", name="eve")) as http:
        made = http.post(f"{V1}/views", json=draft)
        assert made.status_code == 201
        path = f"{V1}/views/{made.json()['id']}"
        assert http.get(path).json()["filter"]["verdicts"] == ["failed"]
        assert http.put(path, json={**draft, "shared": True}).json()["shared"] is True
    with api(store, actor("operator", name="bob")) as http:
        assert [view["name"] for view in http.get(f"{V1}/views").json()["items"]] == ["bad"]
        assert http.delete(path).status_code == 422
    with api(store, actor("viewer", name="eve")) as http:
        assert http.delete(path).status_code == 204
        assert http.get(path).status_code == 404


def test_a_view_holds_no_scopes(store: Store) -> None:
    with api(store, actor("viewer", "tag:web", name="eve")) as http:
        draft = {"name": "all", "filter": {"scopes": ["tag:db"]}}
        assert http.post(f"{V1}/views", json=draft).json()["filter"]["scopes"] is None


def test_policies_are_decided_and_validated(store: Store) -> None:
    with api(store, actor("administrator")) as http:
        before = http.get(f"{V1}/policies").json()
        assert before["repairs"]["allowed"] is False
        right: tuple[tuple[str, Any], ...] = (
            ("approvals", {"most_servers": 5, "tags": ["prod"]}),
            ("repairs", {"allowed": True, "canary": "2"}),
            ("retention", {"runs": "180d"}),
            ("notifications", {"channels": [{"variable": "VOLACT_TEAM"}]}),
        )
        for name, value in right:
            answer = http.put(f"{V1}/policies/{name}", json=value)
            assert answer.status_code == 200, answer.text
            assert http.get(f"{V1}/policies").json()[name] == answer.json()
        wrong: tuple[tuple[str, Any, int], ...] = (
            ("approvals", {"most_servers": -1}, 400),
            ("approvals", {"most_servers": 10**30}, 400),
            ("retention", {"least_runs": 99999999999999999999}, 400),
            ("approvals", {"consents": ["all"]}, 422),
            ("repairs", {"max_failures": "many"}, 422),
            ("retention", {"runs": "long"}, 422),
            ("notifications", {"channels": [{"variable": "https://hook/secret"}]}, 400),
            ("notifications", {"channels": [{"url": "https://hook/secret"}]}, 400),
        )
        for name, value, status in wrong:
            answer = http.put(f"{V1}/policies/{name}", json=value)
            assert answer.status_code == status, (name, value)
            assert "secret" not in answer.json()["detail"]
    assert actions(store) == ["policy.decided"] * 4


def test_runs_of_a_schedule_are_listed(store: Store) -> None:
    for id, schedule in (("r1", "s1@2027-01-01T00:00:00.000Z"), ("r2", "s12@x"), ("r3", "")):
        put_run(store.engine, run_info(id, schedule=schedule))
    with api(store, actor("viewer")) as http:
        found = http.get(f"{V1}/runs?schedule=s1").json()["items"]
    assert [run["id"] for run in found] == ["r1"]
