"""``--output json|jsonl|csv`` of the store verbs: one head, rows as they come, one end.

``json`` is one object with a row a line; ``jsonl`` has the rows and a last line
with everything else; ``csv`` has the rows.  Rows are never gathered here.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from typing import Any, Generic, Literal, TextIO, TypeVar

import msgspec

from volact.queries.values import FleetStatus
from volact.report.csv_rows import Columns, cells_of
from volact.report.json_document import encode

Row = TypeVar("Row", bound=msgspec.Struct)
DataFormat = Literal["json", "jsonl", "csv"]


class Document(msgspec.Struct, Generic[Row], kw_only=True):
    """What is written.  ``summary_fields`` is called after the last row."""

    head: dict[str, Any]
    key: str  # under which the rows stand
    rows: Iterable[Row]
    columns: Columns[Row]
    summary_fields: Callable[[], dict[str, Any]] = dict


def status_fields(status: FleetStatus) -> dict[str, Any]:
    """Everything of the document of ``status`` that is not one server's, in its order."""
    names = [field.name for field in msgspec.structs.fields(FleetStatus)]
    return {name: getattr(status, name) for name in names if name != "troubled"}


def write(out: TextIO, format_: DataFormat, document: Document[Row]) -> None:
    """Write all of it."""
    {"json": _json, "jsonl": _jsonl, "csv": _csv}[format_](out, document)


def _json(out: TextIO, document: Document[Row]) -> None:
    out.write(f"{encode(document.head).removesuffix('}')},{encode(document.key)}:[\n")
    between = ""
    for row in document.rows:
        out.write(between + encode(row))
        between = ",\n"
    rest = encode(document.summary_fields()).removeprefix("{")
    out.write("\n]" + (f",\n{rest}\n" if rest != "}" else "}\n"))


def _jsonl(out: TextIO, document: Document[Row]) -> None:
    for row in document.rows:
        out.write(encode(row) + "\n")
    out.write(encode({**document.head, **document.summary_fields()}) + "\n")


def _csv(out: TextIO, document: Document[Row]) -> None:
    rows = csv.writer(out, lineterminator="\r\n")
    rows.writerow(document.columns)
    for row in document.rows:
        rows.writerow(cells_of(row, document.columns))
