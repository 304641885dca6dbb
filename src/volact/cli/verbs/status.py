"""``volact status``: an overview of the fleet, out of the store."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec import convert

from volact.cli.console import use_stdout
from volact.cli.failure import tell
from volact.cli.options.store_reports import StatusOptions
from volact.cli.service_client import client_of
from volact.cli.store_reports import (
    filter_of,
    head,
    known_names,
    nothing_yet,
    paper,
    remembered,
    the_moment,
)
from volact.core.span import parse_span
from volact.queries.filters import ServerFilter
from volact.queries.status import StatusQuery
from volact.queries.values import FleetStatus, StatusRow
from volact.report.store_reports.columns import STATUS
from volact.report.store_reports.document import Document, status_fields, write
from volact.report.store_reports.status_text import StatusText
from volact.store.values import RunRow


def status(options: StatusOptions) -> int:
    """Show the fleet's state from the store; contacts no server."""
    now, stale = the_moment(), parse_span(options.stale, "--stale")
    if options.service:
        return _of_service(options, now, stale)
    with remembered(options) as store:
        query = StatusQuery(now=now, stale=stale, filter=filter_of(store, options))
        found = query.ask(store) if store else query.of_nothing()
        last = next(iter(store.runs(1)), None) if store else None
        if last is None:
            tell(nothing_yet(options.store))
        return _shown(options, now, found, query.rows(store) if store else (), last)


def _of_service(options: StatusOptions, now: datetime, stale: timedelta) -> int:
    with client_of(options.service) as service:
        names = known_names(
            options.limit,
            lambda word: service.fleet(ServerFilter(names=(word,))).summary.servers > 0,
            lambda: [server.name for server in service.servers()],
        )
        filter = ServerFilter(names=names, provider=options.provider)
        found = service.fleet(filter, stale_days=stale.total_seconds() / 86400)
        rows = (convert(row, StatusRow, from_attributes=True) for row in service.servers(filter))
        return _shown(options, now, found, rows, next(iter(service.stored_runs(1)), None))


def _shown(
    options: StatusOptions,
    now: datetime,
    found: FleetStatus,
    rows: Iterable[StatusRow],
    last: RunRow | None,
) -> int:
    if options.output != "text":
        document = Document(
            head=head("status", now),
            key="servers",
            rows=rows,
            columns=STATUS,
            summary_fields=lambda: {**status_fields(found), "last_run": last},
        )
        write(use_stdout(options.output), options.output, document)
    elif last is not None:
        StatusText(paper(options, now, options.service), found, last).write()
    return 0
