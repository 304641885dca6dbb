"""OpenTelemetry: a span for each run and each server of it (the extra ``opentelemetry``).

The ids of a run's trace and span come from the run's id, so that workers in different
processes add to one trace and the run's own span can be written at its end.  Attributes
are ids, names, verbs and verdicts: nothing that a server answered, no address, no login.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime

from volact import __version__
from volact.client.wire import RunInfo
from volact.errors import InputError
from volact.model.report import ServerReport
from volact.model.text import raw, say

try:
    from opentelemetry import trace
    from opentelemetry.context import Context
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
    from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
except ImportError:
    INSTALLED = False
else:
    INSTALLED = True

    class _RunIds(RandomIdGenerator):
        """Random ids, except for the span of a run."""

        def generate_trace_id(self) -> int:
            run = _RUN.get()
            return _number(run, 16) if run else super().generate_trace_id()

        def generate_span_id(self) -> int:
            run = _RUN.get()
            return _number(run, 8) if run else super().generate_span_id()


_RUN: ContextVar[str] = ContextVar("volact_run_span", default="")
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


class Spans:
    """Makes spans and gives them to a processor; without one it makes none."""

    def __init__(self, processor: SpanProcessor | None = None, service: str = "volact") -> None:
        self._tracer: trace.Tracer | None = None
        if processor is not None:
            resource = Resource.create({"service.name": service, "service.version": __version__})
            self._provider = TracerProvider(id_generator=_RunIds(), resource=resource)
            self._provider.add_span_processor(processor)
            self._tracer = self._provider.get_tracer("volact", __version__)

    def close(self) -> None:
        """Send what waits."""
        if self._tracer is not None:
            self._provider.shutdown()

    @contextmanager
    def server(self, run: str, server: str) -> Iterator[Callable[[ServerReport], None]]:
        """A span for the work on one server of a run; what it yields takes the server's row."""
        if self._tracer is None:
            yield lambda row: None
            return
        with self._tracer.start_as_current_span(
            "volact.server",
            context=_of_run(run),
            attributes={"volact.run": run, "volact.server": server},
            record_exception=False,  # its text may be a server's
            set_status_on_exception=False,
        ) as span:

            def end(row: ServerReport) -> None:
                span.set_attribute("volact.verdict", row.verdict)
                if row.error is not None:
                    span.set_attribute("error.type", row.error.kind)
                if row.verdict in ("failed", "unreachable"):
                    span.set_status(trace.StatusCode.ERROR)

            yield end

    def run(self, info: RunInfo) -> None:
        """Write the span of a run, if it has ended."""
        if self._tracer is None or info.ended is None:
            return
        token = _RUN.set(info.id)
        try:
            span = self._tracer.start_span(
                "volact.run",
                context=trace.set_span_in_context(trace.INVALID_SPAN),
                start_time=_nanoseconds(info.begun or info.requested),
                attributes={
                    "volact.run": info.id,
                    "volact.verb": info.spec.verb,
                    "volact.state": info.state,
                    "volact.servers": info.servers,
                    **{f"volact.verdicts.{word}": number for word, number in info.counts.items()},
                },
            )
        finally:
            _RUN.reset(token)
        if info.state in ("failed", "stopped"):
            span.set_status(trace.StatusCode.ERROR)
        span.end(_nanoseconds(info.ended))


def spans_of(env: Mapping[str, str] = os.environ) -> Spans:
    """Spans that go where the usual variables of OpenTelemetry say; none without them."""
    if not any(env.get(name) for name in _ENDPOINTS):
        return Spans()
    if not INSTALLED:
        raise InputError(
            say("OpenTelemetry needs a package that is not installed"),
            say("pip install {extra}", extra=raw("'volact[opentelemetry]'")),
        )
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415 - slow
        OTLPSpanExporter,
    )
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    return Spans(BatchSpanProcessor(OTLPSpanExporter()), env.get("OTEL_SERVICE_NAME", "volact"))


def _of_run(run: str) -> Context:
    """The context in which spans are children of the run's."""
    parent = trace.SpanContext(
        _number(run, 16), _number(run, 8), True, trace.TraceFlags(trace.TraceFlags.SAMPLED)
    )
    return trace.set_span_in_context(trace.NonRecordingSpan(parent))


def _number(run: str, size: int) -> int:
    """An id that is not zero, by the run."""
    digest = hashlib.sha256(f"{size} {run}".encode()).digest()[:size]
    return int.from_bytes(digest) or 1


def _nanoseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000) * 1_000_000
