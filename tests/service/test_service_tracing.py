"""Spans of a run and its servers: one trace over processes, no secret in any attribute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from store_samples import row, silent

from volact.client.wire import RunInfo, RunSpec
from volact.core.context import Policy
from volact.service import tracing

NOW = datetime(2027, 1, 1, tzinfo=UTC)
CANARY = "c4n4ry"


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def spans(exporter: InMemorySpanExporter) -> tracing.Spans:
    return tracing.Spans(SimpleSpanProcessor(exporter))


def info() -> RunInfo:
    """A run whose specification has a text of the operator's."""
    spec = RunSpec(
        verb="activate", inventory="fleet", policy=Policy(override_entitlement=f"bought {CANARY}")
    )
    return RunInfo(
        id="r1",
        state="done",
        spec=spec,
        servers=2,
        counts={"healthy": 1, "unreachable": 1},
        note=CANARY,
        requested=NOW,
        begun=NOW + timedelta(seconds=2),
        ended=NOW + timedelta(seconds=12),
    )


def test_servers_are_children_of_the_span_that_the_run_gets_at_its_end(
    spans: tracing.Spans, exporter: InMemorySpanExporter
) -> None:
    for report in (row("web-01"), silent("web-02")):
        with spans.server("r1", report.name) as end:
            end(report)
    spans.run(info())
    first, second, run = exporter.get_finished_spans()
    assert (first.name, second.name, run.name) == ("volact.server", "volact.server", "volact.run")
    assert run.parent is None
    for span in (first, second):
        assert span.parent is not None
        assert span.parent.span_id == run.context.span_id
        assert span.context.trace_id == run.context.trace_id
    assert first.context.span_id != second.context.span_id
    assert (run.end_time or 0) - (run.start_time or 0) == 10_000_000_000
    assert dict(second.attributes or {}) == {
        "volact.run": "r1",
        "volact.server": "web-02",
        "volact.verdict": "unreachable",
        "error.type": "connect",
    }
    assert (first.status.status_code, second.status.status_code) == (
        StatusCode.UNSET,
        StatusCode.ERROR,
    )


def test_no_text_of_a_person_or_a_server_is_in_a_span(
    spans: tracing.Spans, exporter: InMemorySpanExporter
) -> None:
    with pytest.raises(ValueError, match=CANARY), spans.server("r1", "web-01"):
        raise ValueError(CANARY)
    spans.run(info())
    told = "".join(span.to_json() for span in exporter.get_finished_spans())
    assert "volact.verb" in told
    assert CANARY not in told


def test_other_runs_have_traces_of_their_own(
    spans: tracing.Spans, exporter: InMemorySpanExporter
) -> None:
    for run in ("r1", "r2"):
        with spans.server(run, "web-01"):
            pass
    first, second = exporter.get_finished_spans()
    assert first.context.trace_id != second.context.trace_id


def test_without_an_endpoint_there_are_no_spans() -> None:
    spans = tracing.spans_of({})
    with spans.server("r1", "web-01") as end:
        end(row("web-01"))
        assert trace.get_current_span() is trace.INVALID_SPAN
    spans.run(info())
