"""Runs whose servers have no rows yet, as far as a caller with scopes sees the servers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from built_apps import with_parts
from litestar.testing import TestClient
from service_parts import NOW, actor, parts
from service_schedules import open_service
from store_samples import end, row, store_writer

from volact.client.inventories import InventoryUpload
from volact.client.wire import RunInfo, RunSpec, RunState
from volact.service.access import Actor
from volact.service.application import application
from volact.service.database.tables import RUNS
from volact.service.database.transaction import transaction
from volact.service.engine.control import EngineControl
from volact.service.identity.audit import changing
from volact.service.inventories import Saving, save_upload
from volact.service.policies import ApprovalPolicy
from volact.service.policy_store import write_policy
from volact.store.store import Store

V1 = "/api/v1"
ADA = actor("operator", name="ada")
EVE = actor("approver", "tag:web", name="eve")
TAGS: dict[str, tuple[str, ...]] = {"web-01": ("web",), "web-02": ("web",), "db-01": ("db",)}
FLEET = "".join(
    f'[[server]]\nname = "{name}"\naddress = "ssh://{name}"\ntags = ["{name.split("-")[0]}"]\n'
    for name in (*TAGS, "web-09")  # which no run has seen
)


@pytest.fixture
def store(service_url: str) -> Iterator[Store]:
    """Three servers that are known and one that is not; each run awaits approval."""
    with open_service(service_url) as opened:
        writer = store_writer(service_url, "aa11", "check", tags=TAGS)
        for name in TAGS:
            writer.row(row(name))
        assert writer.finish(end("aa11")).stored
        with changing(opened, NOW, actor("administrator")) as change:
            saving = Saving(name="main", by="root", now=NOW)
            save_upload(change.connection, saving, InventoryUpload(file="f.toml", text=FLEET))
            write_policy(change, ApprovalPolicy(most_servers=0))
        yield opened


@contextmanager
def browser(store: Store, who: Actor) -> Iterator[TestClient[Any]]:
    """The whole service as this caller meets it."""
    runs = EngineControl(store, lambda: NOW)
    with TestClient(with_parts(application, parts(store, who, runs=runs))) as http:
        http.headers.update({"origin": "http://testserver.local"})
        yield http


async def asked(store: Store, *only: str, **words: Any) -> RunInfo:
    spec = RunSpec(verb="activate", inventory="main", only=only, **words)
    return await EngineControl(store, lambda: NOW).submit(spec, ADA)


def state_of(store: Store, run: RunInfo) -> RunState:
    query = sa.select(RUNS.c.state).where(RUNS.c.id == run.id)
    return store.ask(lambda connection: connection.execute(query).scalar_one())


@pytest.mark.parametrize(("action", "state"), [("approve", "queued"), ("refuse", "refused")])
async def test_an_approver_decides_on_a_run_within_the_scopes(
    store: Store, action: str, state: str
) -> None:
    over_api, on_page = await asked(store, "web-01", "web-02"), await asked(store, "web-01")
    with browser(store, EVE) as http:
        seen = http.get(f"{V1}/runs/{over_api.id}").json()
        assert (seen["state"], seen["servers"], seen["done"]) == ("awaiting-approval", 2, 0)
        listed = {run["id"] for run in http.get(f"{V1}/runs").json()["items"]}
        assert listed == {over_api.id, on_page.id}
        done = http.post(f"{V1}/runs/{over_api.id}/{action}", json={"reason": "not tonight"})
        assert (done.status_code, state_of(store, over_api)) == (200, state)
        path = f"/runs/{on_page.id}"
        assert on_page.id in http.get("/runs").text
        assert f'action="{path}/{action}"' in http.get(path).text
        http.post(f"{path}/{action}", data={"reason": "not tonight"})
        assert state_of(store, on_page) == state


@pytest.mark.parametrize("other", ["db-01", "web-09"])
async def test_of_a_run_with_other_servers_an_approver_sees_a_part_and_decides_nothing(
    store: Store, other: str
) -> None:
    """A server that no run has seen is of no scope yet, also where its inventory names one."""
    words = ("web-01", "web-02", other)
    made = await asked(store, *words, targets=words, limit=words)
    with browser(store, EVE) as http:
        seen = http.get(f"{V1}/runs/{made.id}")
        assert (seen.json()["servers"], seen.json()["note"]) == (2, "")
        page = http.get(f"/runs/{made.id}").text
        for text in (seen.text, http.get(f"{V1}/runs").text, http.get("/runs").text, page):
            assert made.id in text
            assert other not in text
        assert f"/runs/{made.id}/approve" not in page
        for place in (V1, ""):
            for action in ("approve", "refuse"):
                path = f"{place}/runs/{made.id}/{action}"
                assert http.post(path, json={"reason": "no"}).status_code == 403, path
        assert http.get(f"{V1}/health").json()["runs"] == {"awaiting-approval": 1}
    assert state_of(store, made) == "awaiting-approval"


@pytest.mark.parametrize("other", ["db-01", "web-09"])
async def test_a_run_without_a_server_of_the_scopes_is_not_found(store: Store, other: str) -> None:
    made = await asked(store, other)
    with browser(store, EVE) as http:
        assert http.get(f"{V1}/runs").json()["items"] == []
        assert made.id not in http.get("/runs").text
        assert http.get(f"{V1}/health").json()["runs"] == {}
        for path in ("", "/rows", "/changes", "/events"):
            assert http.get(f"{V1}/runs/{made.id}{path}").status_code == 404, path
        assert http.get(f"/runs/{made.id}").status_code == 404
        assert http.post(f"{V1}/runs/{made.id}/approve").status_code == 404
        assert http.post(f"/runs/{made.id}/approve").status_code == 404
    with browser(store, actor("approver", "tag:none", name="eve")) as http:
        assert http.get(f"{V1}/runs/{made.id}").status_code == 404
    assert state_of(store, made) == "awaiting-approval"


async def test_a_run_at_work_counts_the_servers_that_have_rows(
    store: Store, service_url: str
) -> None:
    own, mixed = await asked(store, "web-01", "web-02"), await asked(store, "web-02", "db-01")
    with transaction(store) as connection:
        connection.execute(sa.update(RUNS).values(state="running", note="db-01"))
    for run, name in ((own, "web-01"), (mixed, "db-01")):
        writer = store_writer(service_url, run.id, tags=TAGS)
        writer.row(row(name))
        assert writer.finish(end(run.id)).stored
    with browser(store, actor("operator", "tag:web", name="eve")) as http:
        for run, counts in ((own, (2, 1, {"healthy": 1})), (mixed, (1, 0, {}))):
            seen = http.get(f"{V1}/runs/{run.id}").json()
            assert (seen["servers"], seen["done"], seen["counts"]) == counts
            assert seen["note"] == ""
        assert http.post(f"{V1}/runs/{mixed.id}/pause").status_code == 403
        assert http.post(f"{V1}/runs/{own.id}/pause").status_code == 200
