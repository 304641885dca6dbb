"""The check of the agent's language refuses what JScript 5.8 does not know."""

from __future__ import annotations

import pytest
from es3 import SOURCE, faults_of

from volact.agent.render import PARTS
from volact.agent.request import AgentMode
from volact.agent.shorten import shorten
from volact.agent.squeeze import joined, squeeze


@pytest.mark.parametrize(
    ("script", "fault"),
    [
        ("var a = {b: 1,};", "comma"),
        ("var a = [1,];", "comma"),
        ("a.catch();", "reserved word"),
        ("var a = {default: 1};", "reserved word"),
        ("var a = {get b() {return 1;}};", "getter"),
        ("f(1) = 2;", "assignment to a call"),
        ("var s = 'a\\\nb';", "two lines"),
        ("let a = 1;", "let"),
        ("var f = x => 1;", ">"),
        ("var s = `a`;", "`"),
        ("for (var a of b) {}", "of"),
    ],
)
def test_what_is_younger_is_refused(script: str, fault: str) -> None:
    assert any(fault in found for found in faults_of(script)), list(faults_of(script))


def test_what_the_third_edition_has_is_taken() -> None:
    script = """
    var a = {"default": 1, b: [1, 2], c: /[/]"x"/g}, i;
    lab: for (i in a) { try { continue lab; } catch (e) { throw e; } finally { i++; } }
    do { i--; } while (i > 0);
    switch (i) { case 1: break; default: a["catch"](); }
    """
    assert list(faults_of(script)) == []


@pytest.mark.parametrize("part", sorted(path.name for path in SOURCE.glob("*.js")))
def test_every_part_of_the_agent(part: str) -> None:
    assert list(faults_of((SOURCE / part).read_text("ascii"))) == []


@pytest.mark.parametrize("mode", [*PARTS])
def test_what_is_sent_when_it_has_to_be_short(mode: AgentMode) -> None:
    parts = ((SOURCE / f"{part}.js").read_text("ascii") for part in PARTS[mode])
    script = "\n".join(map(squeeze, parts))
    assert list(faults_of(joined(shorten(script, functions=True)))) == []
