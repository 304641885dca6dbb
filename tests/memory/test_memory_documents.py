"""JSON, JSON lines and CSV of the memory verbs: what scripts read."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import msgspec
from memory_samples import run_row
from schemas import DOCUMENTS, RunsDocument, memory_schema, schema_text, written_schema

from volact.queries.values import ExpiringRow, StatusRow
from volact.report.store_reports.columns import EXPIRING, RUNS, STATUS
from volact.report.store_reports.document import DataFormat, Document, write
from volact.store.values import RunRow

HEAD = {"volact": "0.1.0", "command": "runs", "now": "2026-03-01T12:00:00Z"}


def written(format_: DataFormat, rows: list[RunRow], rest: dict[str, Any] | None = None) -> str:
    out = io.StringIO(newline="")
    document = Document(
        head=HEAD, key="runs", rows=iter(rows), columns=RUNS, summary_fields=lambda: rest or {}
    )
    write(out, format_, document)
    return out.getvalue()


def test_json_is_the_document_of_the_types() -> None:
    for rows in ([], [run_row("a")], [run_row("a"), run_row("b", elapsed_s=None, finished=False)]):
        text = written("json", rows)
        document = msgspec.convert({**HEAD, "runs": rows}, RunsDocument, from_attributes=True)
        assert json.loads(text) == json.loads(msgspec.json.encode(document))
        assert msgspec.json.decode(text, type=RunsDocument) == document


def test_json_has_what_comes_after_the_rows() -> None:
    assert json.loads(written("json", [run_row()], {"summary": {"n": 1}}))["summary"] == {"n": 1}


def test_json_lines_are_rows_and_one_line_with_the_rest() -> None:
    lines = written("jsonl", [run_row("a"), run_row("b")], {"n": 2}).splitlines()
    assert [json.loads(line)["id"] for line in lines[:-1]] == ["a", "b"]
    assert json.loads(lines[-1]) == {**HEAD, "n": 2}


def test_rows_are_taken_one_by_one_and_the_rest_is_asked_last() -> None:
    seen: list[str] = []

    def rows() -> Any:
        for name in "abc":
            seen.append(name)
            yield run_row(name)

    def rest() -> dict[str, Any]:
        return {"seen": [*seen]}

    out = io.StringIO()
    write(
        out, "json", Document(head=HEAD, key="runs", rows=rows(), columns=RUNS, summary_fields=rest)
    )
    assert json.loads(out.getvalue())["seen"] == ["a", "b", "c"]


def test_csv_is_safe_from_formulas_and_keeps_numbers() -> None:
    text = written("csv", [run_row(note="=HYPERLINK(1)", words="@x", elapsed_s=-1.5)])
    row = next(csv.DictReader(io.StringIO(text, newline="")))
    assert (row["note"], row["words"]) == ("'=HYPERLINK(1)", "'@x")
    assert (row["elapsed_s"], row["finished"], row["healthy"]) == ("-1.5", "yes", "2")


def test_text_without_a_utf8_form_costs_nothing() -> None:
    assert json.loads(written("json", [run_row(note="a\ud800")]))["runs"][0]["note"] == "a\ufffd"


def test_every_column_is_a_field_of_its_row() -> None:
    assert set(STATUS) == {field.name for field in msgspec.structs.fields(StatusRow)}
    assert set(EXPIRING) == {field.name for field in msgspec.structs.fields(ExpiringRow)}


def test_the_schema_in_the_docs_is_current() -> None:
    assert written_schema("memory.json") == schema_text("memory.json"), (
        "run: python tests/report/schemas.py"
    )


def test_the_schema_tells_the_documents_apart() -> None:
    parts = memory_schema()["$defs"]
    for name, type_ in DOCUMENTS.items():
        assert parts[type_.__name__]["properties"]["command"] == {"enum": [name]}
