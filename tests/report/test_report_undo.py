"""What an operator and a script read of an undo."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any
from xml.etree import ElementTree as ET

import msgspec
import pytest

from volact.model.finding import Finding
from volact.model.report import ErrorRow, OsRow, RunReport, ServerReport, Summary
from volact.model.undo import NotRestored, Undone, UndoRow, UndoWord
from volact.report.base import Invocation
from volact.report.make import make_writer
from volact.report.next_step import next_step
from volact.report.run_counts import UndoCounts
from volact.report.terminal_writer import TerminalWriter
from volact.report.undo_text import UndoTextWriter
from volact.words import speaking

HOW = Invocation(volact="0.1.0", command="undo", run="r2")


def row(
    name: str, word: UndoWord | None, *left: NotRestored, verdict: str = "attention"
) -> ServerReport:
    undone = Undone(do="set-kms-host", what="kms-host", before="kms.a:1688", put="kms.b:1688")
    undo = UndoRow(run="r1", word=word, undone=(undone,), left=left) if word else msgspec.UNSET
    return ServerReport(
        name=name,
        address=f"ssh://{name}",
        provider="tencent",
        verdict=verdict,  # type: ignore[arg-type]
        os=OsRow(release="2016"),
        error=None if word else ErrorRow(kind="connect", message="refused"),
        undo=undo,
    )


def written(format_: str, *rows: ServerReport, how: Invocation = HOW) -> str:
    out = io.StringIO()
    writer = make_writer(format_, out, how)
    for one in rows:
        writer.add(one)
    writer.finish(RunReport(volact="0.1.0", command="undo", run="r2", started="", elapsed_s=1.0,
                            servers=(), summary=Summary()))  # fmt: skip
    return out.getvalue()


def test_each_server_says_what_is_back_what_stays_and_why() -> None:
    changed = NotRestored(do="add-dns", what="dns/7", reason="changed since then",
                   before={"dns": ["1.1.1.1"], "fixed": True},
                   now={"dns": ["9.9.9.9", "1.1.1.1"], "fixed": True})  # fmt: skip
    key = NotRestored(
        do="install-key", what="install-key", reason="only five characters", possible=False
    )
    text = written("text", row("web-2", "undone"), row("web-10", "partly", changed, key))
    assert text.index("web-2") < text.index("web-10")
    assert "restored: KMS host: kms.b:1688 → kms.a:1688" in text
    assert "not restored: DNS servers of adapter 7: changed since" in text
    assert "(before: 1.1.1.1, now: 9.9.9.9, 1.1.1.1)" in " ".join(text.split())
    assert "stays: install-key: only five characters" in text
    assert "1 undone, 1 partly undone; 1 s." in text
    with speaking("zh-CN"):
        assert "已撤销 1、部分撤销 1；用时 1 秒。" in written(
            "text", row("a", "undone"), row("b", "partly")
        )


def test_what_a_server_says_moves_no_cursor() -> None:
    hostile = NotRestored(
        do="x", what="kms-host", reason="r", before="a\x1b[2J", now="b\r\nfake", put="c"
    )
    for format_ in ("text", "json", "csv"):
        text = written(format_, row("web-1", "refused", hostile))
        assert "\x1b" not in text
        assert "\nfake" not in text


def test_a_value_that_fills_the_screen_is_cut() -> None:
    long = NotRestored(do="x", what="acl", reason="r", before="D:" + "(A;;FA;;;BA)" * 90, now="D:")
    assert max(map(len, written("text", row("web-1", "refused", long)).splitlines())) < 300


def test_lines_keep_to_the_terminal_and_an_access_list_is_not_spelled_out() -> None:
    list_ = "D:" + "(A;;FA;;;BA)" * 20
    acl = Undone(do="grant-execute", what="acl", before=list_, put="D:")
    one = row("web-1", "undone")
    assert isinstance(one.undo, UndoRow)
    one = msgspec.structs.replace(one, undo=msgspec.structs.replace(one.undo, undone=(acl,)))
    out = io.StringIO()
    writer = UndoTextWriter(TerminalWriter(out, columns=80), HOW)
    writer.add(one)
    writer.add(row("web-2", "partly", NotRestored(do="x", what="y", reason="because " * 30)))
    writer.write_plans()
    assert "(A;" not in out.getvalue()
    assert max(map(len, out.getvalue().splitlines())) <= 80


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ([], 0),
        (["undone", "nothing"], 0),
        (["undone", "partly"], 3),
        (["failed"], 3),
        (["refused"], 3),
        (["planned"], 3),
        (["partly", None], 4),
    ],
)
def test_the_exit_code_is_that_of_the_undo(words: list[UndoWord | None], code: int) -> None:
    counts = UndoCounts()
    for number, word in enumerate(words):
        verdict = "attention" if word else "unreachable"
        counts.add(row(f"web-{number}", word, verdict=verdict))
    assert counts.exit_code() == code


@pytest.mark.parametrize(("word", "changed"), [("undone", True), ("planned", False)])
def test_what_is_undone_counts_as_changed_though_the_answer_was_lost(
    word: UndoWord, changed: bool
) -> None:
    """The check after the steps shows it; of a plan nothing is done yet."""
    lost = msgspec.structs.replace(row("a", word), plan=({"do": "set-kms-host"},))
    assert (lost.results, lost.resolved) == ((), ())
    assert lost.changed is changed


def test_junit_goes_by_the_undo_as_the_exit_code_does() -> None:
    words: list[UndoWord] = ["planned", "undone", "partly", "failed", "refused", "nothing"]
    rows = [row(word, word) for word in words]
    lost = row("lost", None, verdict="unreachable")
    cases = ET.fromstring(written("junit", *rows, lost).encode()).iter("testcase")
    kinds = {case.get("name"): [c.tag for c in case if c.tag != "properties"] for case in cases}
    passed = {"undone", "nothing"}
    assert kinds == {word: [] if word in passed else ["failure"] for word in words} | {
        "lost": ["error"]
    }


def test_junit_says_what_was_not_restored() -> None:
    key = NotRestored(
        do="install-key", what="install-key", reason="only five characters", possible=False
    )
    (case,) = ET.fromstring(written("junit", row("a", "partly", key)).encode()).iter("testcase")
    failure = case.find("failure")
    assert failure is not None
    assert (failure.get("type"), failure.get("message")) == ("partly", "partly undone")
    assert "only five characters" in (failure.text or "")


UNDO = msgspec.structs.replace(HOW, undo="r1", consent=("--allow restore-debugger",))


@pytest.mark.parametrize(
    ("word", "given", "next_"),
    [
        ("planned", {"selector": "-i f.toml"}, "volact undo r1 -i f.toml --limit web-1"),
        ("planned", {}, "volact undo r1 web-1"),
        (None, {"selector": "-i f.toml"}, "volact undo r1 -i f.toml --limit web-1"),
        (None, {}, "volact undo r1 web-1"),
        (None, {"typed": {"ssh://web-1": "ssh://me@web-1"}}, "volact undo r1 ssh://me@web-1"),
        (None, {"by_service": True, "consent": ()}, "volact undo r1 web-1 --yes"),
        (None, {"undo": "", "consent": ()}, "volact check ssh://web-1"),  # of a report of the API
    ],
)
def test_the_next_command_names_the_run_that_is_undone(
    word: UndoWord | None, given: dict[str, Any], next_: str
) -> None:
    wrong = Finding(id="kms-host-wrong", severity="error", summary="wrong", repair="automatic")
    step = {"do": "set-kms-host", "because": ["undo"], "hosts": ["kms.b:1688"]}
    server = row("web-1", word, verdict="attention" if word else "unreachable")
    if word:
        server = msgspec.structs.replace(server, findings=(wrong,), plan=(step,))
    how = msgspec.structs.replace(UNDO, **given)
    consent = " --allow restore-debugger" if how.consent else ""
    line = " ".join(next_step([server], how))
    assert line.endswith(f"{next_}{consent}")
    page = written("html", server, msgspec.structs.replace(server, name="web-2"), how=how)
    both = f"{next_},web-2" if how.selector else next_
    assert both in re.sub("<[^>]*>", "", page)


def test_data_has_the_undo_and_other_rows_have_none() -> None:
    document = json.loads(written("json", row("web-1", "undone"), row("web-2", None)))
    first, second = document["servers"]
    assert first["undo"]["undone"][0]["before"] == "kms.a:1688"
    assert "undo" not in second
    cells = [*csv.DictReader(io.StringIO(written("csv", row("web-1", "undone"))))]
    assert cells[0]["undo"] == "undone"
