"""Licensing commands in both dialects: what may stand in them, and that PowerShell parses them.

None was run on Windows.  That the WMI methods and parameters are those that a server has
is held against the lab's classes, in ``tests/lab/test_lab_console.py``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import tree_sitter_powershell
from servers import KMS, changed, context, facts_of, server
from test_rules import EXAMPLES, Example
from test_steps import PROMISES, Promise
from tree_sitter import Language, Node, Parser

from volact.core.assessment import assess
from volact.core.console import Console, set_name_servers, without_slmgr
from volact.core.findings import diagnose
from volact.core.steps import BY_NAME
from volact.core.steps.wire import from_wire
from volact.knowledge.load import load_errors
from volact.model.profile import HostPort
from volact.model.step import Step

DOCS = Path(__file__).resolve().parents[2] / "docs"
POWERSHELL = Parser(Language(tree_sitter_powershell.language()))
SLMGR, CIM = Console("slmgr"), Console("powershell")
ID = "00000000-1111-2222-3333-444444444444"


def commands(console: Console) -> dict[str, str]:
    """Every command there is, by its slmgr option."""
    return {
        "-skms": console.set_kms_host(HostPort(KMS, 1688)),
        "-skms v6": console.set_kms_host(HostPort("fd00:ec2::250", 1689)),
        "-ckms": console.clear_kms_host(),
        "-ckms ID": console.clear_kms_host(ID),
        "-act-type": console.use_kms(),
        "-ato": console.activate(),
        "-ipk": console.install_key("KEY"),
        "-rilc": console.reinstall_licences(),
        "-rearm": console.rearm(),
        "-dlv": console.show(),
        "-dlv all": console.show(every=True),
    }


LINES = [*commands(CIM).values(), set_name_servers("7", ("10.0.0.2", "10.0.0.3"))]


def nodes(node: Node) -> list[Node]:
    return [node, *(below for child in node.children for below in nodes(child))]


def parsed(text: str) -> list[Node]:
    """The nodes of a script that is free of errors."""
    tree = POWERSHELL.parse(text.encode())
    found = nodes(tree.root_node)
    assert not [node for node in found if node.is_error or node.is_missing], text
    return found


def script_of(line: str) -> str:
    """What is between the double quotes: cmd and PowerShell both hand it on as it stands."""
    match = re.fullmatch(r'powershell -NoProfile -Command "([^"]*)"', line)
    assert match is not None, line
    return match[1]


@pytest.mark.parametrize("line", LINES)
def test_a_line_is_powershell_in_itself_and_at_a_prompt(line: str) -> None:
    parsed(line)
    called = {
        (node.text or b"").decode()
        for node in parsed(script_of(line))
        if node.type == "command_name"
    }
    assert called <= {
        "Invoke-CimMethod",
        "Get-CimInstance",
        "Get-ChildItem",
        "ForEach-Object",
        "Where-Object",
        "Get-Variable",
        "Format-List",
    }


@pytest.mark.parametrize("line", LINES)
def test_no_shell_takes_a_character_for_its_own(line: str) -> None:
    script = script_of(line)
    assert line.isascii()
    assert not set(script) & set('$`%"!\r\n'), script
    assert "; " not in line, "a remedy joins its commands so"


def test_a_parser_that_finds_no_fault_would_prove_nothing() -> None:
    assert POWERSHELL.parse(b"Invoke-CimMethod -Query 'SELECT").root_node.has_error


def test_a_name_cannot_end_its_quotes() -> None:
    line = CIM.set_kms_host(HostPort("a';Remove-Item", 1688))
    assert "MachineName='a'';Remove-Item'}" in line
    parsed(script_of(line))


def test_an_ipv6_address_has_the_brackets_that_slmgr_gives_it() -> None:
    assert SLMGR.set_kms_host(HostPort("fd00::1")).endswith("-skms [fd00::1]:1688")
    assert "MachineName='[fd00::1]'}" in CIM.set_kms_host(HostPort("fd00::1"))


def test_every_command_of_the_pages_stands_on_the_page_without_slmgr() -> None:
    page = (DOCS / "without-slmgr.md").read_text("utf-8")
    for line in commands(CIM).values():
        shown = line.replace(KMS, "KMS-HOST").replace(ID, "ACTIVATION-ID")
        assert shown in page or "fd00" in line, shown
    told = {
        option
        for path in DOCS.rglob("*.md")
        for option in re.findall(r"^    .*slmgr\.vbs (-[a-z-]+)", path.read_text("utf-8"), re.M)
    }
    assert told == {option.split()[0] for option in commands(SLMGR)}


def test_every_option_that_a_code_names_has_its_line() -> None:
    for info in load_errors().values():
        named = set(re.findall(r"slmgr\.vbs (-[a-z-]+)", info.remedy)) - {"-upk"}
        assert len(without_slmgr(info.remedy)) == len(named), info.remedy


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_no_remedy_needs_slmgr_where_there_is_none(example: Example) -> None:
    build = example.raw.get("os", {}).get("build", 0)
    raw = {**example.raw, "wsh": {"machine": None, "user": None, "vbscript": False}}
    a = assess(facts_of(raw), example.ctx or context())
    for finding in diagnose(a):
        early = isinstance(build, int) and build < 8000
        assert early or "cscript" not in finding.remedy
        assert early or "slmgr.vbs -" not in finding.remedy or "powershell " in finding.remedy


def test_what_a_server_runs_decides_the_dialect() -> None:
    def dialect(release: str, **changes: Any) -> str:
        return assess(facts_of(server(release, **changes)), context()).console.dialect

    assert dialect("2025") == "slmgr"
    assert dialect("2025", wsh__vbscript=False) == "powershell"
    assert dialect("2025", wsh__slmgr=False) == "powershell"
    assert dialect("2025", wsh__vbscript={"!": 0x80070005}) == "slmgr"
    assert dialect("2008 R2", wsh__slmgr=False) == "slmgr", "its PowerShell has no such cmdlets"


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.do)
def test_every_step_can_be_typed_without_slmgr(promise: Promise) -> None:
    raw = {**changed(server("2025"), promise.before), "wsh": {"slmgr": False}}
    a = assess(facts_of(raw), context())
    params = from_wire(Step(do=promise.do, params=promise.params)).params
    for command in BY_NAME[promise.do].commands(params, a):
        assert "slmgr" not in command


@pytest.mark.parametrize(
    ("release", "notifier", "expected"),
    [
        ("2008", "Running", ["net stop slsvc /y", "net start slsvc", "net start SLUINotify"]),
        ("2008", "Stopped", ["net stop slsvc /y", "net start slsvc"]),
        ("2016", "", ["net stop sppsvc /y", "net start sppsvc"]),
    ],
)
def test_what_depends_on_licensing_stops_without_a_question_and_starts_again(
    release: str, notifier: str, expected: list[str]
) -> None:
    raw = server(release, blocked=["licensing"])
    if notifier:
        raw["services"]["SLUINotify"] = [notifier, "Auto"]
    a = assess(facts_of(raw), context())
    do = "rebuild-token-store"
    lines = BY_NAME[do].commands(from_wire(Step(do=do)).params, a)
    assert [line for line in lines if line.startswith("net ")] == expected
    (blocked,) = (found for found in diagnose(a) if found.id == "call-blocked")
    assert blocked.remedy.endswith("; ".join(expected))


def test_name_servers_are_set_for_each_adapter_with_what_it_has() -> None:
    params = from_wire(Step(do="add-dns", params={"servers": ["9.9.9.9"], "position": "last"}))
    adapters = {"7": [["10.0.0.2"], True, False], "9": [["10.0.0.3", "x'; calc"], True, False]}
    a = assess(facts_of(server("2025", adapters=adapters)), context())
    lines = tuple(BY_NAME["add-dns"].commands(params.params, a))
    assert lines == (
        set_name_servers("7", ("10.0.0.2", "9.9.9.9")),
        set_name_servers("9", ("10.0.0.3", "9.9.9.9")),
    )
    early = assess(facts_of(server("2008 R2", adapters=adapters)), context())
    assert "Get-WmiObject" in "".join(BY_NAME["add-dns"].commands(params.params, early))
