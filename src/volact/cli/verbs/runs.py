"""``volact runs``: the runs in the store."""

from __future__ import annotations

from volact.cli.console import use_stdout
from volact.cli.failure import tell
from volact.cli.options.store_reports import RunsOptions
from volact.cli.store_reports import head, nothing_yet, paper, remembered, the_moment
from volact.report.store_reports.columns import RUNS
from volact.report.store_reports.document import Document, write
from volact.report.store_reports.runs_text import write_runs


def runs(options: RunsOptions) -> int:
    """List the runs: time, command, duration and result."""
    now = the_moment()
    with remembered(options) as store:
        found = store.runs(options.last + 1) if store else []
    if not found:
        tell(nothing_yet(options))
    shown = found[: options.last]
    if options.output != "text":
        document = Document(head=head("runs", now), key="runs", rows=shown, columns=RUNS)
        write(use_stdout(options.output), options.output, document)
    elif shown:
        write_runs(paper(options, now), shown, more=len(found) > len(shown))
    return 0
