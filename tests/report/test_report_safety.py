"""For any answer of a server, no writer hands on anything that a program would obey."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families
from report_samples import HOW, POLICY, attention, failed, healthy, run_of, unreachable

from volact.cli.failure import tell
from volact.model.report import Cluster, ErrorRow, LicenseRow, OsRow, RunReport, ServerReport
from volact.model.text import without_surrogates
from volact.report.base import Writer
from volact.report.make import FILE_FORMATS, Layout, make_writer
from volact.report.message import ReportedChange, message_of
from volact.report.plan_text import PlanTextWriter
from volact.report.run_counts import RunCounts
from volact.report.terminal_safe import csv_cell, plain
from volact.report.terminal_writer import TerminalWriter

ATTACKS = (
    # terminals
    "\x1b[2J\x1b[H",
    "\x1b]0;owned\x07",
    "\x1b]8;;http://evil.example\x07click\x1b]8;;\x07",
    "\x1b]52;c;cm0gLXJmIC8=\x07",
    "\x9b31m",
    "\x90payload\x9c",
    "\x00",
    "\x08\x08\x08healthy",
    "\x7f",
    # lines and logs
    "a\rhealthy",
    "a\nb\n[error] forged line",
    "a\r\n\r\nb",
    "a\x0bb\x0cc\x85d\u2028e\u2029f",
    # what is not seen, or turns text around
    "\u202eexe.gpj",
    "\u2066x\u2069",
    "z\u200bw\u200dj",
    "\ufeffbom",
    "\U000e0041tag",
    "\ue000",
    "\ud800",
    "\ufffe\uffff",
    # markup
    "<script>alert(1)</script>",
    "</noscript></style></script><img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    "javascript:alert(1)",
    "{{ 7*7 }}{% raw %}",
    "]]></failure><testcase/>",
    "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>&e;",
    "&#27;&#x0;",
    # metrics
    '"} 1\nvolact_server_licensed{server="x"} 1 #',
    "\\",
    '\\"',
    # spreadsheets
    '=HYPERLINK("http://evil")',
    "+1",
    "-1+1",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    " =1",
    "＝1",
    "a;=1",
    '","=1',
    # formats, shells, chats
    "%s%n{0}{x}",
    "$(id)`id`",
    "@everyone <!channel>",
    "[click](http://evil)",
    "../../etc/passwd",
    "x" * 5000,
)

HOSTILE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_OURS = re.compile(r"\x1b\[[0-9;]*m")
_TAGS = (
    "html head meta title style body svg symbol path use rect header div h1 h2 h3 h4 p b br time"
    " main section small i ul ol li span button article code a output input label select option"
    " details summary dl dt dd kbd noscript footer script"
)


def everywhere(text: str) -> list[ServerReport]:
    """Servers that send it in every text of their answers."""
    finding = msgspec.structs.replace(
        POLICY, id=text, summary=text, remedy=text, evidence={text: text, "list": [text, {text: 1}]}
    )
    step = {"do": text, "because": [text], text: text}
    result = {"do": text, "ok": False, "note": text, "hresult": 0xC004F038,
              "before": {text: text}, "after": {text: text + "2"}}  # fmt: skip
    said = {"name": text, "address": text, "provider": text, "reason": text, "resolved": (text,)}
    refusal = {"finding": text, "reason": text, "allow_with": text}
    looks = {
        "os": OsRow(release=text, build=1, edition=text, language=text),
        "license": LicenseRow(
            status=text, channel=text, partial_key=text, kms_host=text, kms_source=text,
            expires=text, cmid=text,
        ),
    }  # fmt: skip
    bad = msgspec.structs.replace(attention("x", finding), **said, **looks, plan=(step,))
    lost = msgspec.structs.replace(
        unreachable(), **said, error=ErrorRow(kind="agent", message=text, command=text)
    )
    return [
        bad,
        msgspec.structs.replace(bad, verdict="failed", results=(result,), refusals=(refusal,)),
        msgspec.structs.replace(healthy(), **said, **looks),
        msgspec.structs.replace(failed(), name=f"{text}2", results=(result,)),
        lost,
    ]


def ending(text: str, servers: list[ServerReport]) -> RunReport:
    cluster = Cluster(
        cause=text,
        detail=text,
        summary=text,
        servers=3,
        of=4,
        where={"subnet": text},
        names=(text,),
    )
    return msgspec.structs.replace(run_of(servers), clusters=(cluster,), notes=(text,))


def fed(writer: Writer, out: io.StringIO, text: str, servers: list[ServerReport]) -> str:
    for server in servers:
        writer.add(server)
    writer.finish(ending(text, servers))
    out.getvalue().encode()  # what is written has a UTF-8 form
    return out.getvalue()


def written(format_: str, text: str, servers: list[ServerReport] | None = None) -> str:
    out = io.StringIO(newline="")
    layout = Layout(colour=True, everything=True)
    return fed(make_writer(format_, out, HOW, layout), out, text, servers or everywhere(text))


def harmless(text: str) -> bool:
    bare = _OURS.sub("", text).replace("\r\n", "").replace("\n", "")
    return not any(unicodedata.category(char) in HOSTILE for char in bare)


def check_text(text: str) -> None:
    made = written("text", text)
    assert harmless(made)
    for server in everywhere(text):
        assert harmless(written("text", text, [server]))
    out = io.StringIO()
    writer = PlanTextWriter(TerminalWriter(out, colour=True), HOW)
    assert harmless(fed(writer, out, text, everywhere(text)))


def check_csv(text: str) -> None:
    made = written("csv", text)
    assert harmless(made)
    rows = list(csv.reader(io.StringIO(made, newline="")))
    assert {len(row) for row in rows} == {len(rows[0])}
    assert len(rows) == 6
    for cell in (cell for row in rows for cell in row):
        assert not cell.lstrip().startswith(tuple("=+-@＝＋－＠"))
        assert not re.search(r";\s*[=+@＝＋－＠-]", cell)


def check_junit(text: str) -> None:
    made = written("junit", text)
    assert harmless(made)
    root = ET.fromstring(made.encode())
    names = [case.get("name") for case in root.iter("testcase")]
    assert names == [plain(server.name) for server in everywhere(text)]
    assert {e.tag for e in root.iter()} <= {
        "testsuites", "testsuite", "properties", "property", "testcase", "failure", "error",
        "system-out",
    }  # fmt: skip


def check_prometheus(text: str) -> None:
    made = written("prometheus", text)
    assert harmless(made)
    families = {f.name: f for f in text_string_to_metric_families(made)}
    assert all(name.startswith("volact_") for name in families)
    servers = {s.labels["server"] for s in families["volact_server_examined"].samples}
    assert servers == {plain(server.name) for server in everywhere(text)}


class _Page(HTMLParser):
    """Every tag and attribute there is."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.names: set[str] = set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.names |= {name for name, _ in attrs}
        self.names |= {"javascript" for _, v in attrs if (v or "").startswith("javascript:")} & {
            "href"
        }


def check_html(text: str) -> None:
    made = written("html", text)
    assert harmless(made)
    page = _Page(made)
    assert set(page.tags) <= set(_TAGS.split())
    assert page.tags.count("script") == page.tags.count("noscript") == 1
    assert not any(name.startswith("on") or name in ("src", "style") for name in page.names)
    assert len(re.findall(r'^<details class="row', made, re.MULTILINE)) == 5


def check_json(text: str) -> None:
    document = json.loads(written("json", text))
    names = [server["name"] for server in document["servers"]]
    assert names == [without_surrogates(server.name) for server in everywhere(text)]
    assert len(written("jsonl", text).split("\n")) == 7
    assert written("json", text).count("\n") == written("json", "x").count("\n")


def check_message(text: str) -> None:
    servers = everywhere(text)
    counts = RunCounts(servers)
    change = ReportedChange(server=text, kind="worse", was="healthy", now="failed", summary=text)
    message = message_of(ending(text, servers), counts.causes, counts.repaired, [change])
    assert harmless(message.title + message.text)
    assert not set("@<>[`") & set(message.title + message.text)
    msgspec.json.encode(message.data)


CHECKS = {
    "text": check_text,
    "csv": check_csv,
    "junit": check_junit,
    "prometheus": check_prometheus,
    "html": check_html,
    "json": check_json,
    "message": check_message,
}


def test_every_format_is_checked() -> None:
    assert set(FILE_FORMATS) <= {*CHECKS, "jsonl"}


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda text: ascii(text)[:30])
def test_known_attacks_are_text(attack: str, check: str) -> None:
    CHECKS[check](attack)


ANYTHING = st.text(st.characters(exclude_categories=()), max_size=60)


@pytest.mark.parametrize("check", CHECKS)
@settings(max_examples=40, deadline=None)
@given(text=ANYTHING)
def test_anything_at_all_is_text(check: str, text: str) -> None:
    CHECKS[check](text)


@given(text=ANYTHING)
def test_a_cell_is_no_formula(text: str) -> None:
    assert not csv_cell(text).lstrip().startswith(tuple("=+-@＝＋－＠"))


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda text: ascii(text)[:30])
def test_a_line_on_standard_error_stays_one(
    attack: str, capsys: pytest.CaptureFixture[str]
) -> None:
    tell(attack)
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert harmless(said)
