"""``/metrics`` for Prometheus: the fleet, runs, workers, schedules, and this process' requests.

What is counted comes from the database at each scrape, so any serving process says the
same; durations of requests are each process' own.  A token of a viewer of the whole fleet
reads it: loopback is no credential, because behind a proxy every request comes from there.
No name of a server is in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, get_args

import sqlalchemy as sa
from litestar import Request, Response, get
from litestar.exceptions import PermissionDeniedException
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from volact.client.wire import RunState
from volact.model.report import count_of
from volact.queries.filters import verdict_now
from volact.queries.servers import ServersQuery
from volact.queries.status import StatusQuery
from volact.report.words import COUNTED
from volact.service.access import Permission
from volact.service.app import Parts
from volact.service.database.tables import AUDIT, RUNS, WORKERS
from volact.service.observe import OWN
from volact.service.schedules.store import list_schedules
from volact.store.clock import moment
from volact.store.engine import is_sqlite
from volact.store.store import Store
from volact.store.tables import SERVERS

STATES: tuple[RunState, ...] = get_args(RunState)
_OPEN: tuple[RunState, ...] = ("queued", "running", "paused", "cancelling")
_ENDING_DAYS = (7, 30)
_SEEN = timedelta(seconds=30)  # a worker is seen every second


class ServiceCollector(Collector):
    """What the database says at the time of a scrape."""

    def __init__(self, store: Store, now: datetime) -> None:
        self._store = store
        self._now = now

    def collect(self) -> Iterator[Metric]:
        """Every metric with its samples."""
        yield from self._fleet()
        yield from self._runs()
        yield from self._schedules()
        text = "Workers that were seen within 30 seconds."
        yield GaugeMetricFamily("volact_workers", text, self._store.ask(self._workers))

    def _workers(self, connection: sa.Connection) -> int:
        """By the clock of the database, which is the workers'."""
        now = self._now
        if not is_sqlite(connection):
            now = connection.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
        query = sa.select(sa.func.count()).where(WORKERS.c.seen >= moment(now - _SEEN))
        return connection.execute(query).scalar_one()

    def _fleet(self) -> Iterator[Metric]:
        status = StatusQuery(now=self._now).ask(self._store)
        servers = _gauge("volact_fleet_servers", "Servers by verdict.", "verdict")
        for verdict in COUNTED:
            servers.add_metric([verdict], count_of(status.summary, verdict))
        yield servers
        ending = _gauge(
            "volact_fleet_ending_servers",
            "Servers whose activation ends within so many days, has ended, or is missing.",
            "within_days",
        )
        missing = self._store.ask(self._not_licensed)
        for days in (0, *_ENDING_DAYS):
            counted = missing + sum(
                bar.servers
                for bar in status.endings
                if bar.ending == "expired"
                or (bar.ending == "ends" and bar.below_days is not None and bar.below_days <= days)
            )
            ending.add_metric([str(days)], counted)
        yield ending
        stale = status.stale.servers
        text = "Servers that were not examined for seven days, or never."
        yield GaugeMetricFamily("volact_fleet_stale_servers", text, stale)
        findings = _gauge("volact_findings", "Servers that have a finding.", "id", "severity")
        for found in ServersQuery(now=self._now).findings(self._store):
            findings.add_metric([found.finding, str(found.severity)], found.servers)
        yield findings

    def _not_licensed(self, connection: sa.Connection) -> int:
        """Servers without a licence; where that is accepted, they are healthy."""
        query = sa.select(sa.func.count()).select_from(SERVERS)
        found = query.where(
            SERVERS.c.term == "unlicensed", verdict_now(moment(self._now)) != "healthy"
        )
        return connection.execute(found).scalar_one()

    def _runs(self) -> Iterator[Metric]:
        query = sa.select(
            RUNS.c.state,
            sa.func.count(),
            sa.func.sum(RUNS.c.servers - RUNS.c.done),
            sa.func.sum(sa.case((RUNS.c.note != "", 1), else_=0)),
        ).group_by(RUNS.c.state)
        found = self._store.ask(
            lambda connection: {
                state: (number, int(left or 0), int(noted))
                for state, number, left, noted in connection.execute(query)
            }
        )
        runs = _gauge("volact_runs", "Runs that are kept, by state.", "state")
        for state in STATES:
            runs.add_metric([state], found.get(state, (0, 0, 0))[0])
        yield runs
        left = sum(found[state][1] for state in _OPEN if state in found)
        text = "Servers of runs that are not over, which have no row yet."
        yield GaugeMetricFamily("volact_queue_servers", text, left)
        text = "Runs at work with servers whose label no worker has."
        unreached = found.get("running", (0, 0, 0))[2]  # a run at work has a note for this alone
        yield GaugeMetricFamily("volact_runs_without_worker", text, unreached)
        waiting = _gauge(
            "volact_run_wait_seconds",
            "How long the run of a state waits that waits the longest.",
            "state",
        )
        for state, since in self._store.ask(_waiting_since).items():
            waited = self._now - datetime.fromisoformat(since) if since else timedelta()
            waiting.add_metric([state], max(0.0, waited.total_seconds()))
        yield waiting

    def _schedules(self) -> Iterator[Metric]:
        late = _gauge(
            "volact_schedule_lateness_seconds",
            "How long a schedule's run is overdue; closed windows count.",
            "schedule",
        )
        failing = _gauge(
            "volact_schedule_failing",
            "Whether a schedule could not start its last run.",
            "schedule",
        )
        for schedule in list_schedules(self._store):
            if not schedule.enabled:
                continue
            failing.add_metric([schedule.name], float(schedule.failing))
            if schedule.next is not None:
                overdue = (self._now - schedule.next).total_seconds()
                late.add_metric([schedule.name], max(0.0, overdue))
        yield late
        yield failing


def _waiting_since(connection: sa.Connection) -> dict[RunState, str]:
    """Since when the first run of a state has waited; ``""`` where none does.

    A queued run waits since it was approved or resumed, if it was.
    """
    resumed = (
        sa.select(AUDIT.c.object, sa.func.max(AUDIT.c.at).label("at"))
        .where(AUDIT.c.action == "run.resumed")
        .group_by(AUDIT.c.object)
        .subquery()
    )
    moves = (RUNS.c.requested, RUNS.c.approved, RUNS.c.begun, resumed.c.at)
    runs = sa.select(RUNS.c.state, *moves).outerjoin(resumed, resumed.c.object == RUNS.c.id)
    since: dict[RunState, str] = {"queued": "", "awaiting-approval": ""}
    for state, *times in connection.execute(runs.where(RUNS.c.state.in_([*since]))):
        last = max(filter(None, times))
        since[state] = min(since[state] or last, last)
    return since


def _gauge(name: str, meaning: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, meaning, labels=labels)


@get("/metrics", opt={"permission": Permission.READ}, sync_to_thread=True, include_in_schema=False)
def metrics(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Everything that Prometheus scrapes."""
    if request.user.scopes is not None:
        raise PermissionDeniedException("metrics are of the whole fleet")
    parts: Parts = request.app.state.parts
    registry = CollectorRegistry()
    registry.register(ServiceCollector(parts.store, parts.now()))
    text = generate_latest(OWN) + generate_latest(registry)
    return Response(text, media_type=CONTENT_TYPE_LATEST)


HANDLERS = [metrics]
