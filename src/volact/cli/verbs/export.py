"""``volact export``: the content of the store, for other programs and as a backup."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import msgspec

from volact import __version__
from volact.cli.atomic_file import atomic_file, require_other_file
from volact.cli.console import use_stdout
from volact.cli.options.store_reports import ExportOptions
from volact.cli.store_reports import existing_store
from volact.report.export_rows import Record, write_records
from volact.store import RunRow, Store
from volact.store.address import chosen


def export(options: ExportOptions) -> int:
    """Export the store."""
    address = chosen(options.store)
    if options.to and address and address.file:
        require_other_file(Path(options.to), [str(address.file)])
    with existing_store(options.store) as store:
        # The store lists the newest run first; an export begins with the oldest.
        runs = [store.find_run(options.run)] if options.run is not None else store.runs()[::-1]
        with _opened(options) as out:
            write_records(out, options.output, __version__, _records(store, runs, options))
    return 0


def _records(store: Store, runs: list[RunRow], options: ExportOptions) -> Iterator[Record]:
    for run in runs:
        yield "run", run
        for row in store.rows(run.id):
            yield "row", row
        if options.output == "csv":
            continue
        for intent in store.intents(run.id):
            yield "intent", {"run": run.id, **_fields(intent)}
        if options.facts:
            for looked in store.looks(run.id):
                yield "facts", looked


def _fields(value: object) -> dict[str, object]:
    fields: dict[str, object] = msgspec.to_builtins(value)
    return fields


@contextmanager
def _opened(options: ExportOptions) -> Iterator[TextIO]:
    """Standard output, or a file that appears when it is whole."""
    if not options.to:
        yield use_stdout(options.output)
        return

    with atomic_file(Path(options.to)) as out:
        yield out
