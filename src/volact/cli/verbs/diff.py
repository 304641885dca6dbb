"""``volact diff RUN RUN``: what changed between two runs."""

from __future__ import annotations

from datetime import datetime

from volact.cli.console import use_stdout
from volact.cli.options.store_reports import DiffOptions
from volact.cli.service_client import client_of
from volact.cli.store_reports import head, nothing_yet, paper, remembered, stored_names, the_moment
from volact.errors import InputError
from volact.model.text import raw, say
from volact.queries.diff import DiffQuery
from volact.queries.values import Diff
from volact.report.store_reports.columns import DIFF
from volact.report.store_reports.diff_text import write_diff
from volact.report.store_reports.document import Document, write
from volact.store.values import RunRow


def diff(options: DiffOptions) -> int:
    """Compare two runs: servers and findings that changed."""
    now = the_moment()
    if options.service:
        return _shown(options, now, *_of_service(options))
    with remembered(options) as store:
        if store is None:
            raise InputError(nothing_yet(options.store))
        if options.first == "last~1" and len(store.runs(limit=2)) == 1:
            raise InputError(
                say("a comparison needs two runs, and the store has one"),
                say("see: volact runs"),
            )
        before, after = store.find_run(options.first), store.find_run(options.second)
        names = stored_names(store, options.limit)
        found = DiffQuery(before=before.id, after=after.id, names=names).ask(store)
    return _shown(options, now, found, before, after)


def _of_service(options: DiffOptions) -> tuple[Diff, RunRow, RunRow]:
    if options.limit:
        raise InputError(say("{option} does not go with --service", option=raw("--limit")))
    with client_of(options.service) as service:
        before, after = service.find_run(options.first), service.find_run(options.second)
        return service.diff(before.id, after.id), before, after


def _shown(options: DiffOptions, now: datetime, found: Diff, before: RunRow, after: RunRow) -> int:
    if options.output == "text":
        write_diff(paper(options, now, options.service), found, before, after)
    else:
        document = Document(
            head={**head("diff", now), "before": before, "after": after},
            key="servers",
            rows=found.servers,
            columns=DIFF,
            summary_fields=lambda: {"summary": found.summary},
        )
        write(use_stdout(options.output), options.output, document)
    return found.exit_code
