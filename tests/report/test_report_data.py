"""JSON, JSON lines, CSV and the schema: the formats that scripts read."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import msgspec
import pytest
from jsonschema_rs import Draft202012Validator, meta
from report_samples import (
    HOW,
    POLICY,
    STARTED,
    attention,
    fleet,
    healthy,
    one_of_each,
    run_of,
)
from schemas import report_schema, schema_text, written_schema

from volact.errors import InputError
from volact.model.report import RunReport, ServerReport
from volact.report.json_document import encode
from volact.report.make import FILE_FORMATS, make_writer
from volact.report.plan_text import CommandsWriter


def written(format_: str, servers: list[ServerReport]) -> str:
    out = io.StringIO(newline="")
    writer = make_writer(format_, out, HOW)
    for server in servers:
        writer.add(server)
    writer.finish(run_of(servers))
    return out.getvalue()


@pytest.mark.parametrize("servers", [[], one_of_each(), fleet(300)], ids=["none", "each", "300"])
def test_json_is_the_document_of_the_model(servers: list[ServerReport]) -> None:
    text = written("json", servers)
    assert json.loads(text) == json.loads(msgspec.json.encode(run_of(servers)))
    assert msgspec.json.decode(text, type=RunReport).summary == run_of(servers).summary


def test_json_has_a_server_a_line() -> None:
    lines = written("json", one_of_each()).splitlines()
    assert sum(line.startswith('{"name":') for line in lines) == 5


def test_json_lines_are_servers_then_one_summary() -> None:
    lines = written("jsonl", one_of_each()).splitlines()
    rows = [msgspec.json.decode(line, type=ServerReport) for line in lines[:-1]]
    assert [row.name for row in rows] == [server.name for server in one_of_each()]
    last = json.loads(lines[-1])
    assert "servers" not in last
    assert last["summary"] == json.loads(msgspec.json.encode(run_of(one_of_each()).summary))
    assert last["started"] == STARTED


def test_json_lines_go_out_at_once() -> None:
    class Counting(io.StringIO):
        flushed = 0

        def flush(self) -> None:
            self.flushed += 1

    out = Counting()
    writer = make_writer("jsonl", out, HOW)
    writer.add(one_of_each()[0])
    assert out.flushed == 1


def test_text_without_a_utf8_form_costs_no_run() -> None:
    bad = msgspec.structs.replace(POLICY, evidence={"machine": "a\ud800b", "list": ["\udfff", 1]})
    text = encode(attention("x\ud83d", bad))
    back = json.loads(text)
    assert back["findings"][0]["evidence"] == {"machine": "a\ufffdb", "list": ["\ufffd", 1]}


def test_csv_rows_match_their_header() -> None:
    rows = list(csv.DictReader(io.StringIO(written("csv", one_of_each()), newline="")))
    assert [row["verdict"] for row in rows] == [s.verdict for s in one_of_each()]
    assert rows[1]["changed"] == "yes"
    assert rows[1]["resolved"] == "clock-skew not-licensed"
    assert rows[2]["errors"] == "kms-host-set-by-policy"
    assert rows[2]["warnings"] == "dns-not-provider"
    assert rows[4]["error_kind"] == "auth"
    assert None not in rows[0]


def test_csv_neutralises_formulas_from_servers() -> None:
    server = attention('=HYPERLINK("x")')
    server = msgspec.structs.replace(server, reason="@SUM(1)", address="+1")
    row = next(csv.DictReader(io.StringIO(written("csv", [server]), newline="")))
    assert row["name"] == '\'=HYPERLINK("x")'
    assert row["reason"] == "'@SUM(1)"
    assert row["address"] == "'+1"


def test_csv_numbers_are_numbers() -> None:
    late = msgspec.structs.replace(one_of_each()[0], clock_skew_s=-7200)
    rows = list(csv.DictReader(io.StringIO(written("csv", [late, one_of_each()[1]]), newline="")))
    assert [row["clock_skew_s"] for row in rows] == ["-7200", ""]


def test_an_unknown_format_is_named() -> None:
    with pytest.raises(InputError, match="no report format 'pdf'") as caught:
        make_writer("pdf", io.StringIO(), HOW)
    assert "html" in caught.value.hint


@pytest.mark.parametrize("format_", FILE_FORMATS)
def test_every_format_takes_an_empty_run(format_: str) -> None:
    assert written(format_, []).strip()


def test_the_schema_in_the_docs_is_current() -> None:
    assert written_schema("report.json") == schema_text("report.json"), (
        "run: python tests/report/schemas.py"
    )


@pytest.mark.parametrize("servers", [[], one_of_each(), fleet(50)], ids=["none", "each", "50"])
def test_real_output_fits_the_schema(servers: list[ServerReport]) -> None:
    assert misfits(json.loads(written("json", servers))) == []


def test_the_schema_is_one_itself() -> None:
    assert meta.is_valid(report_schema())
    assert not meta.is_valid({"type": "no type"})


def test_the_check_against_the_schema_can_fail() -> None:
    document = json.loads(written("json", one_of_each()))
    document["servers"][0]["verdict"] = "fine"
    del document["servers"][1]["name"]
    document["summary"]["changed"] = "1"
    assert len(misfits(document)) == 3


def misfits(document: Any) -> list[str]:
    """What a validator that knows nothing of volact has against it."""
    found = Draft202012Validator(report_schema()).iter_errors(document)
    return [f"{error.instance_path}: {error.message}" for error in found]


def test_no_line_of_the_console_commands_comes_from_a_server() -> None:
    out = io.StringIO()
    writer = CommandsWriter(out, headings=False)
    writer.add(attention(), ["slmgr -ckms x\r\nshutdown /r /t 0", "a\x1b]0;b\x07", "slmgr -ato"])
    lines = out.getvalue().splitlines()
    assert len(lines) == 3
    assert [line.split()[0] for line in lines] == ["rem", "rem", "slmgr"]
    assert "shutdown" not in out.getvalue()


def test_a_server_without_commands_has_a_line_that_says_so() -> None:
    out = io.StringIO()
    writer = CommandsWriter(out, headings=False)
    writer.add(attention(), [])
    writer.add(healthy(), [])
    assert out.getvalue().splitlines() == [
        "rem db-01 (ssh://10.0.1.7:22, 2019 Standard): nothing that volact would do",
        "rem web-01 (ssh://10.0.0.5:22, 2016 Datacenter): nothing to do",
    ]
