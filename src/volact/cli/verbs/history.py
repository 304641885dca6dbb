"""``volact history SERVER``: every look at one server, and every change."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from volact.cli.console import use_stdout
from volact.cli.memory import head, no_server, paper, remembered, the_moment
from volact.cli.options.memory import HistoryOptions
from volact.core.ending import moment_of
from volact.core.span import parse_span
from volact.report.memory.columns import HISTORY
from volact.report.memory.document import Document, write
from volact.report.memory.documents import LookRow
from volact.report.memory.history import history as digest
from volact.report.memory.history_text import write_history
from volact.store import StoredRow


def history(options: HistoryOptions) -> int:
    """Show every look at a server, newest first: what came, what went, what was done."""
    now = the_moment()
    with remembered(options) as store:
        rows = store.history(options.server) if store else []
        if not rows:
            raise no_server(options.server, store.names() if store else [])
        commands = {run.id: run.command for run in store.runs()} if store else {}
    looks = _since(options.since, list(digest(rows, commands)), now)
    if options.output == "text":
        write_history(paper(options, now), _best(rows).report, looks)
    else:
        document = Document(
            head={**head("history", now), "server": options.server},
            key="looks",
            rows=looks,
            columns=HISTORY,
        )
        write(use_stdout(options.output), options.output, document)
    return 0


def _since(span: str, looks: list[LookRow], now: datetime) -> list[LookRow]:
    """Those of the time that is meant."""
    if not span:
        return looks
    first = now - parse_span(span, "--since")
    return [look for look in looks if (moment_of(look.at) or now) >= first]


def _best(rows: Sequence[StoredRow]) -> StoredRow:
    """The newest look that says something of the server, else the newest."""
    return next((row for row in rows if row.report.verdict != "unreachable"), rows[0])
