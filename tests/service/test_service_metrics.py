"""/metrics: what a scrape holds, who may, and what Prometheus makes of it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from litestar.testing import TestClient
from prometheus_client.parser import text_string_to_metric_families
from service_parts import NOW, SignedIn, WrittenRuns, actor, fill, put_run, run_info, served_store

from volact.service import health, metrics
from volact.service.access import Actor
from volact.service.app import Parts, make_app
from volact.service.database.tables import SCHEDULES, WORKERS
from volact.service.database.transaction import transaction
from volact.service.settings import ServiceSettings
from volact.store.clock import moment
from volact.store.store import Store

MONITORING = Path(__file__).parents[2] / "docs" / "monitoring"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with served_store(tmp_path) as opened:
        fill(opened)
        yield opened


def client(store: Store, who: Actor | None) -> TestClient[Any]:
    parts = Parts(
        settings=ServiceSettings(database=store.address),
        store=store,
        authenticator=SignedIn(who),
        runs=WrittenRuns(store.engine),
        now=lambda: NOW,
    )
    return TestClient(make_app(parts, [*metrics.HANDLERS, *health.HANDLERS]))


def busy(store: Store) -> None:
    """Runs, a worker and schedules, one of them late."""
    put_run(store.engine, run_info("r1", state="running", servers=10, done=4))
    put_run(store.engine, run_info("r2", state="queued", servers=3))
    put_run(store.engine, run_info("r3", state="awaiting-approval", servers=100))
    spec = '{"run":{"verb":"check","inventory":"main"},"every":"1h"}'
    with transaction(store) as connection:
        connection.execute(
            sa.insert(WORKERS).values(id="w1", started=moment(NOW), seen=moment(NOW))
        )
        for name, due in (
            ("late", "2026-12-31T23:50:00.000Z"),
            ("fine", "2027-01-01T01:00:00.000Z"),
        ):
            values = {"id": name, "name": name, "spec": spec, "enabled": True, "next": due}
            note = "no" if name == "late" else ""
            connection.execute(
                sa.insert(SCHEDULES).values(**values, note=note, updated=moment(NOW))
            )


def scrape(store: Store) -> str:
    with client(store, actor("viewer")) as http:
        assert http.get("/healthz").status_code == 200
        answer = http.get("/metrics")
    assert answer.status_code == 200, answer.text
    return answer.text


def values(text: str) -> dict[tuple[str, str], float]:
    """The samples by name and label values."""
    return {
        (sample.name, ",".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_a_scrape_counts_fleet_runs_workers_and_schedules(store: Store) -> None:
    busy(store)
    text = scrape(store)
    found = values(text)
    for name, labels, value in (
        ("volact_fleet_servers", "healthy", 3),
        ("volact_fleet_servers", "unreachable", 1),
        ("volact_fleet_servers", "failed", 0),
        ("volact_runs", "running", 1),
        ("volact_runs", "awaiting-approval", 1),
        ("volact_runs", "stopped", 0),
        ("volact_queue_servers", "", 9),
        ("volact_workers", "", 1),
        ("volact_schedule_lateness_seconds", "late", 600),
        ("volact_schedule_lateness_seconds", "fine", 0),
        ("volact_schedule_failing", "late", 1),
        ("volact_schedule_failing", "fine", 0),
    ):
        assert found[name, labels] == value, (name, labels)
    assert found["volact_http_request_duration_seconds_count", "GET,/healthz,200"] >= 1
    assert "web-01" not in text


def test_only_a_reader_of_the_whole_fleet_scrapes(store: Store) -> None:
    for who, status in (
        (None, 401),
        (actor("viewer", "tag:web"), 403),
        (actor("viewer"), 200),
    ):
        with client(store, who) as http:
            assert http.get("/metrics").status_code == status


def test_every_answer_is_observed_with_its_status_and_an_id(store: Store) -> None:
    with client(store, None) as http:
        assert http.get("/metrics").status_code == 401
    with client(store, actor("viewer")) as http:
        answer = http.get("/metrics")
    assert re.fullmatch(r"[0-9a-f]{16}", answer.headers["x-request-id"])
    assert (
        values(answer.text)["volact_http_request_duration_seconds_count", "GET,/metrics,401"] >= 1
    )


def promtool(*words: str, stdin: str | None = None) -> tuple[int, str]:
    """Its exit code and what it said."""
    program = shutil.which("promtool")
    if program is None and os.environ.get("CI") != "true":
        pytest.skip("needs promtool (Debian: prometheus)")
    assert program, "no promtool: CI has the package prometheus"
    done = subprocess.run(
        [program, *words], input=stdin, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_promtool_has_nothing_to_say_of_the_metrics(store: Store) -> None:
    busy(store)
    assert promtool("check", "metrics", stdin=scrape(store)) == (0, "")


def test_the_alert_rules_fire_when_they_should() -> None:
    code, said = promtool("check", "rules", str(MONITORING / "volact-alerts.yaml"))
    assert code == 0, said
    code, said = promtool("test", "rules", str(MONITORING / "volact-alerts-test.yaml"))
    assert code == 0, said


def named_metrics(text: str) -> set[str]:
    return set(re.findall(r"\bvolact_[a-z_]+", text))


def test_dashboard_and_alerts_ask_for_metrics_that_there_are(store: Store) -> None:
    busy(store)
    text = scrape(store)
    samples = {name for name, _ in values(text)}
    samples |= {family.name for family in text_string_to_metric_families(text)}
    dashboard = json.loads((MONITORING / "volact-dashboard.json").read_text("utf-8"))
    queries = [
        target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])
    ]
    assert len(queries) >= 10
    asked = named_metrics("\n".join(queries))
    asked |= named_metrics(
        re.sub(r"alert: .*", "", (MONITORING / "volact-alerts.yaml").read_text())
    )
    assert asked <= samples
    unused = {name.removesuffix("_bucket") for name in samples if name.startswith("volact_")}
    unused -= {name.removesuffix("_bucket") for name in asked}
    assert {one for one in unused if not one.endswith(("_sum", "_count", "_created"))} <= {
        "volact_build_info"
    }


def test_the_dashboard_s_panels_do_not_overlap() -> None:
    dashboard = json.loads((MONITORING / "volact-dashboard.json").read_text("utf-8"))
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len({*ids}) == len(ids)
