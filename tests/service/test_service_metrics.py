"""/metrics: what a scrape holds, who may, and what Prometheus makes of it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
import yaml
from litestar.testing import TestClient
from postgres_server import PostgresServer
from prometheus_client.parser import text_string_to_metric_families
from service_parts import NOW, SignedIn, WrittenRuns, actor, fill, put_run, run_info, served_store
from store_samples import keep, row

from volact.model.finding import Accepted, Finding
from volact.model.report import LicenseRow
from volact.service import health, metrics
from volact.service.access import Actor
from volact.service.app import Parts, make_app
from volact.service.database.schema import open_service_store
from volact.service.database.tables import SCHEDULES, WORKERS
from volact.service.database.transaction import transaction
from volact.service.engine import progress
from volact.service.engine.control import EngineControl
from volact.service.engine.lease import ENGINE, Lease
from volact.service.engine.plan import Member
from volact.service.settings import ServiceSettings
from volact.store.address import parse_address
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
            state = {"note": "no", "failing": name == "late"}
            connection.execute(sa.insert(SCHEDULES).values(**values, **state, updated=moment(NOW)))


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


def ending(text: str) -> dict[str, float]:
    """Servers whose activation ends, by days."""
    found = values(text)
    return {days: found["volact_fleet_ending_servers", days] for days in ("0", "7", "30")}


def with_licence(store: Store, run: str, days: int | None, **given: Any) -> str:
    """A scrape after a server was examined: licensed for so many days, or not at all."""
    expires = days if days is None else moment(NOW + timedelta(days=days))
    status = "notification" if days is None else "licensed"
    licence = LicenseRow(status=status, channel="VOLUME_KMSCLIENT", expires=expires)
    report = row("web-09", given.pop("verdict", "attention"), **given)
    keep(str(store.address.file), run, msgspec.structs.replace(report, license=licence))
    return scrape(store)


def test_a_server_counts_as_ending_when_its_activation_has_ended(store: Store) -> None:
    assert ending(with_licence(store, "r1", 3)) == {"0": 0, "7": 1, "30": 1}
    assert ending(with_licence(store, "r2", -1)) == {"0": 1, "7": 1, "30": 1}
    assert ending(with_licence(store, "r3", None)) == {"0": 1, "7": 1, "30": 1}


def test_a_server_that_is_accepted_without_a_licence_does_not_count_as_ending(
    store: Store,
) -> None:
    """But it does once that is over."""
    for until, counted in ((NOW, 0), (NOW - timedelta(days=1), 1)):
        accepted = Accepted(severity="error", reason="a test server", until=until.date())
        finding = Finding(
            id="not-activated", severity="accepted", summary="Not activated", accepted=accepted
        )
        text = with_licence(store, f"r{counted}", None, verdict="healthy", findings=(finding,))
        assert ending(text) == {"0": counted, "7": counted, "30": counted}


def test_a_run_waits_since_it_was_requested_approved_or_resumed_last(store: Store) -> None:
    def waits() -> tuple[float, float]:
        found = values(scrape(store))
        waited = [
            found["volact_run_wait_seconds", state] for state in ("queued", "awaiting-approval")
        ]
        return waited[0], waited[1]

    def ago(**given: int) -> datetime:
        return NOW - timedelta(**given)

    assert waits() == (0, 0)
    put_run(store.engine, run_info("r1", state="awaiting-approval", requested=ago(hours=20)))
    assert waits() == (0, 20 * 3600)
    late = {"requested": ago(hours=20), "approved": ago(minutes=9)}
    put_run(store.engine, run_info("r1", state="queued", **late))
    assert waits() == (9 * 60, 0)
    put_run(store.engine, run_info("r2", state="paused", requested=ago(hours=30)))
    asyncio.run(EngineControl(store, lambda: ago(minutes=5)).resume("r2"))
    assert waits() == (9 * 60, 0)
    put_run(store.engine, run_info("r1", state="running", **late))
    assert waits() == (5 * 60, 0)
    put_run(store.engine, run_info("r3", state="queued", requested=ago(minutes=6)))
    assert waits() == (6 * 60, 0)


def test_a_run_at_work_for_whose_servers_no_worker_is_there_is_counted(store: Store) -> None:
    put_run(store.engine, run_info("r1", state="running", servers=1))
    put_run(store.engine, run_info("r2", state="stopped", note="too many failures"))
    member = Member("web-01", "far", canary=False)
    store.change(lambda connection: progress.add_members(connection, "r1", [member]))
    assert values(scrape(store))["volact_runs_without_worker", ""] == 0
    store.change(lambda connection: progress.tell_unreached(connection, ENGINE))
    assert values(scrape(store))["volact_runs_without_worker", ""] == 1


def test_workers_live_by_the_clock_of_the_database_not_by_that_of_the_serving_process(
    postgresql: PostgresServer, migrated_database: str
) -> None:
    """Here the serving process is at another time, by which each was seen at another time."""
    address = parse_address(postgresql.new_database(migrated_database))
    assert address is not None
    with open_service_store(address) as store:
        busy(store)
        store.change(lambda connection: connection.execute(sa.delete(WORKERS)))
        assert values(scrape(store))["volact_workers", ""] == 0
        lease = Lease(())
        for beat in (lease.register, lease.renew):
            store.change(beat)
        assert values(scrape(store))["volact_workers", ""] == 1
        long_ago = moment(datetime.fromisoformat(lease.now()) - timedelta(minutes=1))
        store.change(
            lambda connection: connection.execute(sa.update(WORKERS).values(seen=long_ago))
        )
        assert values(scrape(store))["volact_workers", ""] == 0


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


def samples_of(text: str) -> list[str]:
    """The samples of the fleet, as in the text."""
    return [line for line in text.splitlines() if line.startswith("volact_fleet_")]


def test_an_alert_goes_on_when_activations_that_were_to_end_have_ended(
    store: Store, tmp_path: Path
) -> None:
    """What was scraped in the hours before, and then."""
    before, after = (samples_of(with_licence(store, f"r{days}", days)) for days in (3, None))
    series = []
    for was, now in zip(before, after, strict=True):
        name, first = was.rsplit(" ", 1)
        assert now.startswith(f"{name} ")
        series.append(
            {"series": name, "values": f"{float(first):g}x99 {float(now.rsplit(' ', 1)[1]):g}x200"}
        )
    summary = "The activation of 1 servers ends within 7 days, has ended, or is missing"
    alert = {
        "exp_labels": {"severity": "critical", "within_days": "7"},
        "exp_annotations": {"summary": summary},
    }
    rules = yaml.safe_load((MONITORING / "volact-alerts.yaml").read_text("utf-8"))
    (rule,) = (one for one in rules["groups"][0]["rules"] if one["alert"] == "VolactActivationsEnd")
    alert["exp_annotations"]["description"] = rule["annotations"]["description"]
    cases = [
        {"eval_time": f"{minute}m", "alertname": rule["alert"], "exp_alerts": [alert]}
        for minute in (90, 101, 290)
    ]
    file = tmp_path / "test.yaml"
    test = {"interval": "1m", "input_series": series, "alert_rule_test": cases}
    whole = {"rule_files": [str(MONITORING / "volact-alerts.yaml")], "tests": [test]}
    file.write_text(yaml.safe_dump(whole), "utf-8")
    code, said = promtool("test", "rules", str(file))
    assert code == 0, said


def test_every_alert_rule_is_seen_to_fire_with_two_serving_processes() -> None:
    rules = yaml.safe_load((MONITORING / "volact-alerts.yaml").read_text("utf-8"))
    tests = yaml.safe_load((MONITORING / "volact-alerts-test.yaml").read_text("utf-8"))
    (test,) = tests["tests"]
    fired = {one["alertname"] for one in test["alert_rule_test"] if one["exp_alerts"]}
    assert fired == {rule["alert"] for rule in rules["groups"][0]["rules"]}
    series = {one["series"] for one in test["input_series"]}
    assert {one.replace('"a:443"', '"b:443"') for one in series if '"a:443"' in one} == {
        one for one in series if '"b:443"' in one
    }
    assert all(re.search(r'instance="[ab]:443"', one) for one in series)


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
