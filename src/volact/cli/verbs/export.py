"""``volact export``: what the store holds, for other programs and for safe keeping."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal, TextIO

import typer

from volact.cli.language import Lang
from volact.cli.options import takes
from volact.cli.store_options import StoreUrl

if TYPE_CHECKING:
    from volact.report.export_rows import Record
    from volact.store import RunRow, Store


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """Which run, in which format, where to."""

    run: Annotated[
        str,
        typer.Argument(
            metavar="RUN", help="A run's id, its beginning, or last; all runs without it."
        ),
    ] = ""
    output: Annotated[
        Literal["jsonl", "json", "csv"], typer.Option("--output", "-o", help="The format.")
    ] = "jsonl"
    to: Annotated[
        str, typer.Option("--to", metavar="FILE", help="A file instead of standard output.")
    ] = ""
    facts: Annotated[
        bool, typer.Option("--facts", help="The raw facts of every look too (not in csv).")
    ] = False
    store: StoreUrl = ""
    lang: Lang = ""


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("export")(export)


@takes(ExportOptions)
def export(options: ExportOptions) -> int:
    """Write out what the store holds."""
    from volact import __version__
    from volact.errors import InputError
    from volact.model.text import say
    from volact.report.export_rows import write_records
    from volact.store import open_store

    store = open_store(options.store or None, create=False)
    if store is None:
        raise InputError(say("there is no store yet"), say("check and activate make one"))
    with store:
        # Newest first is how runs are listed; a record of what happened begins at the beginning.
        runs = [store.find_run(options.run)] if options.run else store.runs()[::-1]
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
    import msgspec

    fields: dict[str, object] = msgspec.to_builtins(value)
    return fields


@contextmanager
def _opened(options: ExportOptions) -> Iterator[TextIO]:
    """Standard output, or a file that appears when it is whole."""
    if not options.to:
        from volact.cli.console import use_stdout

        yield use_stdout(options.output)
        return
    from pathlib import Path

    from volact.cli.whole_file import whole_file

    with whole_file(Path(options.to)) as out:
        yield out
