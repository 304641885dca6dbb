"""No text is wider than the terminal, with any finding, in any language; commands stay whole."""

from __future__ import annotations

import io
import re

import msgspec
import pytest
from report_samples import failed, healthy, run_of, unreachable
from servers import NOW, facts_of
from test_memory_texts import everything, text
from test_report_undo import HOW as UNDO
from test_report_undo import row as undo_row
from test_rules import EXAMPLES

from volact.model.report import ServerReport
from volact.model.server import Address, Server
from volact.model.undo import UndoWord
from volact.pipeline import Job, judge_facts
from volact.report.base import Invocation
from volact.report.make import Layout, make_writer
from volact.report.terminal_safe import width
from volact.words import LANGUAGES, speaking

# Lines that are typed as they are: nothing may break them.
_TYPED = re.compile(
    r"^(\S+[:：] ?)?(volact|powershell|cscript|reg|net|netsh|sc|w32tm|icacls|nslookup|DISM|sfc|"
    r"gpupdate|slmgr|route|ssh-keygen|wevtutil|Get-|Invoke-|Set-|\$|cd|fsutil|regsvr32)\b"
)
WORDS: tuple[UndoWord, ...] = ("planned", "undone", "partly", "failed", "refused", "nothing")
SIZES = pytest.mark.parametrize(
    ("language", "columns"),
    [(language, columns) for language in LANGUAGES for columns in (80, 120)],
)


def too_wide(said: str, columns: int) -> list[str]:
    """Lines that could have been broken and are wider."""
    return [
        line
        for line in said.splitlines()
        if width(line) > columns
        and not _TYPED.match(line.strip())
        and max(map(width, line.split())) + 16 <= columns
    ]


def of_every_finding() -> list[ServerReport]:
    job = Job(mode="plan")
    servers = [
        Server(
            name=f"server-{n:03}",
            address=Address(scheme="ssh", host="198.51.100.117", port=2222),
            provider="tencent",
        )
        for n in range(len(EXAMPLES))
    ]
    return [
        judge_facts(server, facts_of(example.raw), job, NOW).report
        for server, example in zip(servers, EXAMPLES, strict=True)
    ]


@pytest.fixture(scope="module")
def rows() -> list[ServerReport]:
    return [*of_every_finding(), failed(), unreachable(), healthy(repaired=True)]


@SIZES
@pytest.mark.parametrize("command", ["check", "plan", "activate"])
def test_reports_of_runs(
    rows: list[ServerReport], command: str, language: str, columns: int
) -> None:
    out = io.StringIO()
    how = Invocation(volact="0.1.0", command=command, selector="-i fleet.toml")
    with speaking(language):
        writer = make_writer("text", out, how, Layout(columns=columns))
        for row in rows:
            writer.add(row)
        notes = ("the time of one server was too short, so it is not known what happened",) * 2
        writer.finish(msgspec.structs.replace(run_of(rows, command=command), notes=notes))
    assert out.getvalue().count("\n") > len(EXAMPLES) / 2
    assert too_wide(out.getvalue(), columns) == []


@SIZES
@pytest.mark.parametrize("at", range(6))
def test_reports_of_the_store(at: int, language: str, columns: int) -> None:
    with speaking(language):
        said = text(everything("server-of-the-accounting-01")[at], columns=columns)
    assert too_wide(said, columns) == []


@SIZES
def test_an_undo(language: str, columns: int) -> None:
    out = io.StringIO()
    rows = [undo_row(f"a-{word}", word) for word in WORDS]
    with speaking(language):
        writer = make_writer("text", out, UNDO, Layout(columns=columns))
        for row in rows:
            writer.add(msgspec.structs.replace(row, address="winrms://" + "a" * 30 + ".example"))
        writer.finish(run_of(rows, command="undo"))
    assert too_wide(out.getvalue(), columns) == []
