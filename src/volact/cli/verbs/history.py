"""``volact history SERVER``: every probe of one server, and every change."""

from __future__ import annotations

from datetime import datetime

from volact.cli.console import use_stdout
from volact.cli.options.store_reports import HistoryOptions
from volact.cli.service_client import client_of
from volact.cli.store_reports import head, no_server, paper, remembered, the_moment
from volact.core.span import parse_span
from volact.model.report import ServerReport
from volact.queries.history import HistoryQuery
from volact.queries.servers import NamesQuery
from volact.queries.values import History
from volact.report.store_reports.columns import HISTORY
from volact.report.store_reports.document import Document, write
from volact.report.store_reports.history_text import write_history


def history(options: HistoryOptions) -> int:
    """Show a server's checks and changes, newest first."""
    now = the_moment()
    since = now - parse_span(options.since, "--since") if options.since else None
    found, server = _of_service(options, since) if options.service else _of_store(options, since)
    if options.output == "text":
        write_history(paper(options, now, options.service), server, found.looks)
    else:
        document = Document(
            head={**head("history", now), "server": options.server},
            key="looks",
            rows=found.looks,
            columns=HISTORY,
        )
        write(use_stdout(options.output), options.output, document)
    return 0


def _of_store(options: HistoryOptions, since: datetime | None) -> tuple[History, ServerReport]:
    query = HistoryQuery(server=options.server, since=since)
    with remembered(options) as store:
        found = query.ask(store) if store else None
        if found is None or found.server is None:
            raise no_server(options.server, NamesQuery().ask(store) if store else [])
        return found, found.server


def _of_service(options: HistoryOptions, since: datetime | None) -> tuple[History, ServerReport]:
    with client_of(options.service) as service:
        found = service.history(options.server, since)
    if found.server is None:
        raise no_server(options.server, [])
    return found, found.server
