"""The Prometheus textfile, read by Prometheus's own parser."""

from __future__ import annotations

import io
import os
import shutil
import subprocess

import msgspec
import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families
from report_samples import HOW, attention, fleet, healthy, one_of_each, run_of, unreachable

from volact.model.report import ServerReport
from volact.report.make import make_writer

EVIL = 'a"b\\c\nd{e="f"} 1\x1b[2J\u202e\ud800'


def text_of(servers: list[ServerReport]) -> str:
    out = io.StringIO()
    writer = make_writer("prometheus", out, HOW)
    for server in servers:
        writer.add(server)
    writer.finish(run_of(servers))
    return out.getvalue()


def parsed(servers: list[ServerReport]) -> dict[str, Metric]:
    found = list(text_string_to_metric_families(text_of(servers)))
    names = [metric.name for metric in found]
    assert len(names) == len(set(names)), "a metric's series do not stand together"
    return {metric.name: metric for metric in found}


def values(metric: Metric, label: str = "server") -> dict[str, float]:
    return {sample.labels[label]: sample.value for sample in metric.samples}


def test_every_metric_says_what_it_is() -> None:
    for metric in parsed(one_of_each()).values():
        assert metric.type == "gauge"
        assert metric.documentation
        assert metric.samples or metric.name == "volact_server_clock_skew_seconds"


def test_what_is_not_known_has_no_series() -> None:
    unknown = msgspec.structs.replace(attention("dark-01"), license=type(healthy().license)())
    late = msgspec.structs.replace(healthy("late-01"), clock_skew_s=-7200)
    metrics = parsed([*one_of_each(), unknown, late])
    licensed = values(metrics["volact_server_licensed"])
    assert licensed == {"web-01": 1, "web-02": 1, "db-01": 0, "app-01": 0, "late-01": 1}
    assert set(values(metrics["volact_server_days_left"])) == {"web-01", "web-02", "late-01"}
    assert values(metrics["volact_server_clock_skew_seconds"]) == {"late-01": -7200}
    assert values(metrics["volact_server_examined"])["old-01"] == 0
    assert "old-01" not in values(metrics["volact_server_findings"])


def test_a_server_that_was_lost_later_says_nothing_of_before() -> None:
    lost = msgspec.structs.replace(
        healthy("gone-01"), verdict="unreachable", error=unreachable().error
    )
    metrics = parsed([lost])
    assert metrics["volact_server_licensed"].samples == []


def test_findings_are_counted_by_severity_and_by_id() -> None:
    metrics = parsed(one_of_each())
    of_db = {
        sample.labels["severity"]: sample.value
        for sample in metrics["volact_server_findings"].samples
        if sample.labels["server"] == "db-01"
    }
    assert of_db == {"error": 1, "warning": 1, "info": 0, "accepted": 0}
    assert values(metrics["volact_findings"], "id")["dns-not-provider"] == 1


def test_the_run_is_there() -> None:
    metrics = parsed(fleet(300))
    verdicts = values(metrics["volact_run_servers"], "verdict")
    assert sum(verdicts.values()) == 300
    assert metrics["volact_run_duration_seconds"].samples[0].value == 4.2
    assert metrics["volact_run_timestamp_seconds"].samples[0].value > 1.7e9


def test_labels_hold_any_name_of_a_server() -> None:
    server = msgspec.structs.replace(attention(EVIL), provider=EVIL)
    text = text_of([server])
    text.encode()
    metrics = parsed([server])
    (name,) = values(metrics["volact_server_licensed"])
    assert name == 'a"b\\c d{e="f"} 1\\x1b[2J\\u202e\\ud800'


def test_the_same_server_twice_makes_no_series_twice() -> None:
    metrics = parsed([healthy(), healthy()])
    assert len(metrics["volact_server_licensed"].samples) == 1


def test_each_server_has_one_verdict_and_the_time_of_its_expiry() -> None:
    metrics = parsed(one_of_each())
    verdicts = {
        (sample.labels["server"], sample.labels["verdict"])
        for sample in metrics["volact_server_verdict"].samples
        if sample.value
    }
    assert ("web-01", "healthy") in verdicts
    assert ("old-01", "unreachable") in verdicts
    assert len(verdicts) == 5
    began = metrics["volact_run_timestamp_seconds"].samples[0].value
    ends = values(metrics["volact_server_expiry_timestamp_seconds"])
    days = values(metrics["volact_server_days_left"])
    assert {name: (end - began) / 86400 for name, end in ends.items()} == days


def test_prometheus_own_checker_accepts_all_of_it() -> None:
    """The metric in days is older than the one in seconds, and stays beside it."""
    promtool = shutil.which("promtool")
    if promtool is None and os.environ.get("CI") != "true":
        pytest.skip("needs promtool (Debian: prometheus)")
    assert promtool, "no promtool: CI has the package prometheus"
    servers = [*one_of_each(), msgspec.structs.replace(attention(EVIL), provider=EVIL)]
    done = subprocess.run(
        [promtool, "check", "metrics"],
        input=text_of(servers), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.stdout + done.stderr).splitlines() == [
        'volact_server_days_left use base unit "seconds" instead of "days"'
    ]
