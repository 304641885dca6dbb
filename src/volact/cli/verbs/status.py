"""``volact status``: an overview of the fleet, out of the store."""

from __future__ import annotations

from volact.cli.console import use_stdout
from volact.cli.failure import tell
from volact.cli.options.store_reports import StatusOptions
from volact.cli.store_reports import filter_of, head, nothing_yet, paper, remembered, the_moment
from volact.core.span import parse_span
from volact.queries.status import StatusQuery
from volact.report.store_reports.columns import STATUS
from volact.report.store_reports.document import Document, write
from volact.report.store_reports.documents import status_fields
from volact.report.store_reports.status_text import StatusText


def status(options: StatusOptions) -> int:
    """Show the fleet's state from the store; contacts no server."""
    now, stale = the_moment(), parse_span(options.stale, "--stale")
    with remembered(options) as store:
        query = StatusQuery(now=now, stale=stale, filter=filter_of(store, options))
        found = query.ask(store) if store else query.of_nothing()
        last = next(iter(store.runs(1)), None) if store else None
        if last is None:
            tell(nothing_yet(options))
        if options.output != "text":
            document = Document(
                head=head("status", now),
                key="servers",
                rows=query.rows(store) if store else (),
                columns=STATUS,
                summary_fields=lambda: {**status_fields(found), "last_run": last},
            )
            write(use_stdout(options.output), options.output, document)
        elif last is not None:
            StatusText(paper(options, now), found, last).write()
    return 0
