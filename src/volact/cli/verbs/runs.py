"""``volact runs``: the runs in the store."""

from __future__ import annotations

from volact.cli.console import use_stdout
from volact.cli.failure import tell
from volact.cli.options.store_reports import RunsOptions
from volact.cli.service_client import client_of
from volact.cli.store_reports import head, nothing_yet, paper, remembered, the_moment
from volact.report.store_reports.columns import RUNS
from volact.report.store_reports.document import Document, write
from volact.report.store_reports.runs_text import write_runs
from volact.store.values import RunRow


def runs(options: RunsOptions) -> int:
    """List the runs: time, command, duration and result."""
    now = the_moment()
    found = _of_service(options) if options.service else _of_store(options)
    if not found and not options.service:
        tell(nothing_yet(options.store))
    shown = found[: options.last]
    if options.output != "text":
        document = Document(head=head("runs", now), key="runs", rows=shown, columns=RUNS)
        write(use_stdout(options.output), options.output, document)
    elif shown:
        write_runs(paper(options, now, options.service), shown, more=len(found) > len(shown))
    return 0


def _of_store(options: RunsOptions) -> list[RunRow]:
    with remembered(options) as store:
        return store.runs(options.last + 1) if store else []


def _of_service(options: RunsOptions) -> list[RunRow]:
    with client_of(options.service) as service:
        return service.stored_runs(options.last + 1)
