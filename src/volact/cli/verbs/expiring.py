"""``volact expiring``: whose licence ends soon."""

from __future__ import annotations

from itertools import chain

from volact.cli.console import use_stdout
from volact.cli.failure import tell
from volact.cli.memory import fleet, head, nothing_yet, paper, remembered, the_moment
from volact.cli.options.memory import ExpiringOptions
from volact.core.span import parse_span
from volact.report.memory.columns import EXPIRING
from volact.report.memory.document import Document, write
from volact.report.memory.expiring import expiring as digest
from volact.report.memory.expiring_text import write_expiring

_NOTHING_KNOWN = 4


def expiring(options: ExpiringOptions) -> int:
    """List the servers whose licence ends soon, has run out, or whose renewal is overdue."""
    now, within = the_moment(), parse_span(options.within, "--within")
    with remembered(options) as store:
        empty = store is None or not store.names()
        found = digest(fleet(store, options) if store else (), now, within)
    if empty:
        tell(nothing_yet(options))
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
            rest=lambda: {"unknown": found.unknown, **rest} if apart else rest,
        )
        write(use_stdout(options.output), options.output, document)
    return _NOTHING_KNOWN if empty else found.exit_code
