"""``volact expiring``: servers whose licence ends soon."""

from __future__ import annotations

from itertools import chain

from volact.cli.console import use_stdout
from volact.cli.failure import tell
from volact.cli.options.store_reports import ExpiringOptions
from volact.cli.store_reports import filter_of, head, nothing_yet, paper, remembered, the_moment
from volact.core.span import parse_span
from volact.queries.expiring import ExpiringQuery
from volact.queries.servers import NamesQuery
from volact.queries.values import Endings, ExpiringSummary
from volact.report.store_reports.columns import EXPIRING
from volact.report.store_reports.document import Document, write
from volact.report.store_reports.expiring_text import write_expiring

_NOTHING_KNOWN = 4


def expiring(options: ExpiringOptions) -> int:
    """List licences that end soon, have expired or are overdue."""
    now, within = the_moment(), parse_span(options.within, "--within")
    with remembered(options) as store:
        empty = store is None or not NamesQuery().ask(store, limit=1)
        query = ExpiringQuery(now=now, within=within, filter=filter_of(store, options))
        found = query.ask(store) if store else Endings((), (), ExpiringSummary())
    if empty:
        tell(nothing_yet(options.store))
    if options.output == "text":
        if not empty:
            write_expiring(paper(options, now), found, within)
    else:
        rest = {"summary": found.summary}
        apart = options.output == "json"
        document = Document(
            head={**head("expiring", now), "within_days": within.total_seconds() / 86400},
            key="servers",
            rows=found.servers if apart else chain(found.servers, found.unknown),
            columns=EXPIRING,
            summary_fields=lambda: {"unknown": found.unknown, **rest} if apart else rest,
        )
        write(use_stdout(options.output), options.output, document)
    return _NOTHING_KNOWN if empty else found.exit_code
