"""``volact status``: the fleet at a glance, out of what the store remembers."""

from __future__ import annotations

from volact.cli.console import use_stdout
from volact.cli.failure import tell
from volact.cli.memory import fleet, head, nothing_yet, paper, remembered, the_moment
from volact.cli.options.memory import StatusOptions
from volact.core.span import parse_span
from volact.report.memory.columns import STATUS
from volact.report.memory.document import Document, write
from volact.report.memory.status import StatusDigest
from volact.report.memory.status_text import StatusText


def status(options: StatusOptions) -> int:
    """Show how the fleet stands, as last seen; nobody is asked."""
    now = the_moment()
    digest = StatusDigest(now, parse_span(options.stale, "--stale"))
    with remembered(options) as store:
        last = next(iter(store.runs(1)), None) if store else None
        rows = (digest.add(latest) for latest in (fleet(store, options) if store else ()))
        if last is None:
            tell(nothing_yet(options))
        if options.output != "text":
            document = Document(
                head=head("status", now),
                key="servers",
                rows=rows,
                columns=STATUS,
                rest=lambda: {**digest.rest(), "last_run": last},
            )
            write(use_stdout(options.output), options.output, document)
        elif last is not None:
            StatusText(paper(options, now), digest, last).write(rows)
    return 0
