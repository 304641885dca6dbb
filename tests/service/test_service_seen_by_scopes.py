"""Schedules and health as far as a caller with scopes may see the fleet, in API and console."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from built_apps import with_parts
from litestar.testing import TestClient
from service_fleet import console
from service_parts import NOW, actor, api, fill, parts, put_run, run_info, served_store
from test_service_routes import DECIDED

from volact.client.wire import Role, RunSpec, ScheduleDraft, ScheduleInfo, ViewDraft
from volact.queries.filters import ServerFilter
from volact.service.access import Actor
from volact.service.application import application
from volact.service.database.tables import INVENTORIES, RUN_SERVERS, SCHEDULES
from volact.service.database.transaction import transaction
from volact.service.identity.audit import changing
from volact.service.schedules.store import list_schedules, save_schedule
from volact.service.views import save_view
from volact.store.clock import moment
from volact.store.store import Store

V1 = "/api/v1"
FLEET = """
[[server]]
address = "ssh://10.0.0.1"
name = "web-01"
tags = ["web"]
[[server]]
address = "ssh://10.0.0.2"
name = "web-02"
tags = ["web"]
[[server]]
address = "ssh://10.0.0.3"
name = "db-01"
tags = ["db"]
"""
ROOT = actor("administrator", name="root")
EVE = actor("viewer", "tag:web", name="eve")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Four servers, of which three are in an inventory, and a run that is over."""
    with served_store(tmp_path) as opened:
        fill(opened)
        values = {"name": "main", "file": "main.toml", "text": FLEET, "updated": moment(NOW)}
        with transaction(opened) as connection:
            connection.execute(sa.insert(INVENTORIES).values(values))
        yield opened


def add(store: Store, name: str, who: Actor = ROOT, view: str = "", **run: Any) -> ScheduleInfo:
    spec = {"run": {"verb": "check", "inventory": "main", **run}, "view": view, "every": "6h"}
    draft = msgspec.convert({"name": name, "spec": spec}, ScheduleDraft)
    with changing(store, NOW, who) as change:
        return save_schedule(change, draft)


def view_of(store: Store, *names: str) -> str:
    with changing(store, NOW, ROOT) as change:
        draft = ViewDraft(name=",".join(names), filter=ServerFilter(names=names), shared=True)
        return save_view(change, draft).id


def page(store: Store, who: Actor, path: str) -> tuple[int, str]:
    with TestClient(console(store, who)) as http:
        answer = http.get(path)
        return answer.status_code, answer.text


SEEN: list[tuple[str, dict[str, Any]]] = [
    ("whole", {}),
    ("named", {"limit": ["web-01", "db-01"]}),
    ("without", {"limit": ["!db-01"]}),
    ("chosen", {"only": ["web-02", "db-01"]}),
]
HIDDEN: list[tuple[str, dict[str, Any]]] = [
    ("others", {"limit": ["db"]}),
    ("other-choice", {"only": ["db-01"]}),
    ("no-server", {"limit": ["none"]}),
]


def test_a_schedule_is_seen_where_it_may_reach_a_server_of_the_caller_s(store: Store) -> None:
    made = {name: add(store, name, **run) for name, run in (*SEEN, *HIDDEN)}
    made["viewed"] = add(store, "viewed", view=view_of(store, "web-*"))
    made["other-view"] = add(store, "other-view", view=view_of(store, "db-*"))
    seen = sorted([*(name for name, _ in SEEN), "viewed"])
    with api(store, EVE) as http:
        items = http.get(f"{V1}/schedules").json()["items"]
        assert [item["name"] for item in items] == seen
        for name, info in made.items():
            status = http.get(f"{V1}/schedules/{info.id}").status_code
            assert (status == 200) == (name in seen), name
    listed = page(store, EVE, "/schedules")[1]
    for name, info in made.items():
        assert (f'href="/schedules/{info.id}"' in listed) == (name in seen), name
        assert (page(store, EVE, f"/schedules/{info.id}")[0] == 200) == (name in seen), name
    with api(store, ROOT) as http:
        assert len(http.get(f"{V1}/schedules").json()["items"]) == len(made)


def test_the_words_of_another_s_schedule_name_no_servers_of_others(store: Store) -> None:
    made = add(store, "mixed", limit=["web-01", "db-01"], only=["web-01", "db-01"])
    with transaction(store) as connection:
        connection.execute(sa.update(SCHEDULES).values(note="db-01 is skipped: old"))
    with api(store, EVE) as http:
        one = http.get(f"{V1}/schedules/{made.id}")
        assert "db-01" not in one.text
        assert one.json()["spec"]["run"]["verb"] == "check"
        assert "db-01" not in http.get(f"{V1}/schedules").text
    for path in ("/schedules", f"/schedules/{made.id}"):
        assert "db-01" not in page(store, EVE, path)[1]
    with api(store, ROOT) as http:
        assert http.get(f"{V1}/schedules/{made.id}").json()["note"] == "db-01 is skipped: old"
    assert list_schedules(store)[0].spec.run.limit == ("web-01", "db-01")


def test_an_own_schedule_is_seen_whole(store: Store) -> None:
    """As an own run is, by a token that has fewer scopes than its owner."""
    made = add(store, "own", limit=["db-01"])
    with api(store, actor("viewer", "tag:web", name="root")) as http:
        assert http.get(f"{V1}/schedules/{made.id}").json()["spec"]["run"]["limit"] == ["db-01"]


def test_health_counts_the_runs_that_the_caller_sees(store: Store) -> None:
    """One that is over has servers of all, one that is queued has none yet."""
    put_run(store.engine, run_info("cc33", state="queued", requested_by="ada"))
    for who, runs in (
        (ROOT, {"done": 1, "queued": 1}),
        (EVE, {"done": 1}),
        (actor("viewer", "tag:none", name="eve"), {}),
        (actor("viewer", "tag:none", name="ada"), {"done": 1, "queued": 1}),
    ):
        with api(store, who) as http:
            assert http.get(f"{V1}/health").json()["runs"] == runs
        html = page(store, who, "/health")[1]
        assert (">Queued<" in html.title()) == ("queued" in runs)


@pytest.mark.parametrize("role", ["operator", "approver"])
def test_no_page_and_no_answer_names_a_server_outside_of_the_scopes(
    store: Store, role: Role
) -> None:
    spec = RunSpec(verb="activate", inventory="main", only=("db-01", "web-01"), limit=("db-01",))
    put_run(store.engine, run_info("bb22", state="stopped", servers=4, note="db-01", spec=spec))
    row = {"run": "bb22", "server": "db-01", "position": 0, "verdict": ""}
    with transaction(store) as connection:
        connection.execute(sa.insert(RUN_SERVERS), [row, {**row, "server": "web-01"}])
    made = add(store, "mixed", limit=["web-01", "db-01"], only=["web-01", "db-01"])
    ids = {"id": made.id, "run": "bb22", "code": "0xC004F074"}
    read = [path for (path, method), who in DECIDED.items() if (method, who) == ("GET", "read")]
    eve, found = actor(role, "tag:web", name="eve"), 0
    with TestClient(with_parts(application, parts(store, eve))) as http:
        for path in read:
            filled = path.format(**ids, name="web-01" if "/servers/{" in path else "main")
            two = {"before": "aa11", "after": "bb22"} if path.endswith("/diff") else {}
            answer = http.get(filled, params=two)
            assert answer.status_code != 400, filled
            assert "db-01" not in answer.text, filled
            assert "a/b?c" not in answer.text, filled
            found += "web-01" in answer.text
    assert found > 10
