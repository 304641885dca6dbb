"""``volact expiring``: whose licence ends soon."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import Annotated

import typer

from volact.cli.memory import FleetMemoryOptions
from volact.cli.options import takes

_NOTHING_KNOWN = 4


@dataclass(frozen=True, kw_only=True)
class ExpiringOptions(FleetMemoryOptions):
    """And how soon."""

    within: Annotated[str, typer.Option(metavar="SPAN", help="How soon: 30d, 12h or 2w.")] = "30d"


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("expiring")(expiring)


@takes(ExpiringOptions)
def expiring(options: ExpiringOptions) -> int:
    """List the servers whose licence ends soon, has run out, or whose renewal is overdue.

    As last seen; nobody is asked. Servers of which the end is not known stand apart. Exit code 3
    when there are any, 4 when there are none but of some it is not known.
    """
    from volact.cli.console import use_stdout
    from volact.cli.failure import tell
    from volact.cli.memory import fleet, head, nothing_yet, paper, remembered, the_moment
    from volact.core.span import parse_span
    from volact.report.memory.columns import EXPIRING
    from volact.report.memory.document import Document, write
    from volact.report.memory.expiring import expiring as digest
    from volact.report.memory.expiring_text import write_expiring

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
