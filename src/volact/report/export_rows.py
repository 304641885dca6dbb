"""``volact export``: what the store holds, as JSON lines, one JSON document, or CSV.

In ``jsonl`` every line names its kind: a ``run``, a ``row``, an ``intent``
(steps that were about to be sent, with what they overwrite) or ``facts``.  In
``json`` the same are lists of one object.  ``csv`` has the rows alone.  Written
as it is read, so that memory does not grow with the store.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import Any, Literal, TextIO

import msgspec

from volact.model.text import in_json
from volact.report.csv_rows import COLUMNS, LATER, cells_of
from volact.report.json_document import encode
from volact.report.terminal_safe import csv_cell
from volact.store.values import StoredRow

RecordKind = Literal["run", "row", "intent", "facts"]
Record = tuple[RecordKind, Any]

# The lists of the document, in the order in which a run's records come.
_LISTS: dict[RecordKind, str] = {
    "run": "runs",
    "row": "rows",
    "intent": "intents",
    "facts": "facts",
}


def write_records(out: TextIO, format_: str, volact: str, records: Iterable[Record]) -> None:
    """Write every record in a format."""
    if format_ == "csv":
        _csv(out, records)
    elif format_ == "json":
        _json(out, volact, records)
    else:
        for kind, record in records:
            out.write(encode({"kind": kind, **_fields(record)}) + "\n")


def _json(out: TextIO, volact: str, records: Iterable[Record]) -> None:
    """One document; a run's parts stand together in ``runs``."""
    head = encode({"volact": volact, "command": "export"}).removesuffix("}")
    out.write(f'{head},"runs":[')
    open_list: RecordKind | None = None
    first_run = True
    for kind, record in records:
        text = encode(_fields(record))
        if kind == "run":
            out.write(_closed(open_list) + ("\n" if first_run else ",\n"))
            out.write(text.removesuffix("}"))
            first_run, open_list = False, "run"
            continue
        if kind != open_list:
            out.write("" if open_list == "run" else "\n]")
            out.write(f',"{_LISTS[kind]}":[\n{text}')
            open_list = kind
        else:
            out.write(f",\n{text}")
    out.write(_closed(open_list) + "\n]}\n")


def _closed(kind: RecordKind | None) -> str:
    """The end of a run's object."""
    if kind is None:
        return ""
    return "}" if kind == "run" else "\n]}"


def _csv(out: TextIO, records: Iterable[Record]) -> None:
    rows = csv.writer(out, lineterminator="\r\n")
    columns = {**COLUMNS, **LATER}
    rows.writerow(["run", "at", *columns])
    for _, record in records:
        if isinstance(record, StoredRow):
            report = record.report
            start = csv_cell(record.run), csv_cell(record.at)
            rows.writerow([*start, *cells_of(report, columns)])


def _fields(record: Any) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(record, enc_hook=in_json)
    return fields
