"""Names get short where a request is too large; what the script does stays the same."""

from __future__ import annotations

import json
import re
import sys

import msgspec
import pytest
import quickjs

from volact.agent.render import MAX_BYTES, PARTS, render
from volact.agent.request import AgentMode, Lock, new_request
from volact.agent.shorten import shorten, without_signs
from volact.core.steps import PLAN_KINDS
from volact.errors import InputError
from volact.knowledge.load import load_profile
from volact.model.step import Step
from volact_lab.script.source import with_puts

SCRIPT = r"""
var LIMIT = 3, things = {name: "name", "value": 2};
function add(first, second) {var sum = first + second, name = "sum"; return {name: name, sum: sum};}
function tries(value) {try {throw new Error(value);} catch (error) {return error.message;}}
function picked(value, other) {return value > LIMIT ? value : other;}
function words(text) {var i, all = text.replace(/[^a-z ]/g, "").split(" "), n = 10 / 2 / 5;
for (i in all) {n++;} return n + all.join("/");}
function branches(n) {var list = []; var i; if (n > 1) {if (n > 2) {list.push("two");}} else
{list.push("one");} for (i = 0; i < n; i++) {list.push(i);} while (n > 0) {n--;} if (n) {return 0;}
else if (list.length > 3) {return [list, function () {return {n: n};}()];} else {return list;}}
"""
CALLS = (
    'JSON.stringify([add(1, 2), tries("x"), picked(5, 1), picked(1, 9), words("a b/1 c"), '
    "branches(1), branches(2), branches(3), things])"
)
LOCK = Lock(run="f" * 16, who="x" * 80, since=10**13, until=10**13)
ALONE = [kind.name for kind in PLAN_KINDS if kind.alone]


def outcome(script: str, calls: str = CALLS) -> object:
    return json.loads(str(quickjs.Context().eval(f"{script}\n{calls}")))


def test_a_script_with_short_variables_does_the_same() -> None:
    short = shorten(SCRIPT, functions=False)
    assert len(short) < len(SCRIPT)
    assert "function add(" in short
    assert "first" not in short
    things = re.search(r"(\w+)=?\s*=\s*\{name", short)
    assert things is not None
    assert outcome(short, CALLS.replace("things", things[1])) == outcome(SCRIPT)


def test_functions_get_short_only_when_they_must() -> None:
    short = shorten(f"{SCRIPT}\nfunction main() {{return {CALLS};}}\nmain();", functions=True)
    assert "function add(" not in short
    assert json.loads(str(quickjs.Context().eval(short))) == outcome(SCRIPT)


@pytest.mark.parametrize("text", ["return", "a.return_1", '"var first"', "/first[/]second/g"])
def test_strings_members_and_expressions_stay(text: str) -> None:
    script = f"function f(first) {{var kept = {{}}; kept.first = 1; return [first, {text!r}];}}"
    assert ".first=" in shorten(script, functions=False).replace(" ", "")
    assert repr(text) in shorten(script, functions=False)


def test_what_typeof_gives_is_compared_as_the_string_that_it_is() -> None:
    script = 'if (typeof a.b === "number" || typeof c !== "object" || d === "x") {e = 1;}'
    short = 'if(typeof a.b=="number"||typeof c!="object"||d==="x")e=1;'
    assert without_signs(script) == short


def test_a_string_in_two_parts_is_one() -> None:
    script = 'var x = 1 + "a" +\n "b" + "c" + "d".length + "e" + x;'
    assert shorten(script, functions=False).endswith('=1+"abc"+"d".length+"e"+a;')


def test_a_member_that_occurs_often_is_named_once() -> None:
    uses = "+things.sumOfAll" * 9
    short = shorten(
        f"{SCRIPT}\nthings.sumOfAll = 2; function f() {{return [{uses}];}}", functions=False
    )
    assert short.count("sumOfAll") == 1
    things = re.search(r"(\w+)=\{name", short)
    assert things is not None
    assert outcome(short, f"JSON.stringify({uses.replace('things', things[1])})") == 18


def names_in(data: bytes) -> set[str]:
    script = data.decode().partition("\r\n*/\r\n")[2]
    return set(re.findall(r"function (\w+)\(", script)) | set(
        re.findall(r"(?:var |,)(\w+)(?=[=,;])", script)
    )


def applying(*kinds: str) -> bytes:
    steps = tuple(Step(do=do, params={"raise_limits": True}) for do in kinds)
    request = new_request("apply", load_profile("tencent"), steps, id="0" * 16)
    return render(msgspec.structs.replace(request, lock=LOCK))


def test_a_small_request_keeps_every_name() -> None:
    names = names_in(applying("start-service"))
    assert {"runStep", "outcome", "shell"} <= names


def test_a_larger_request_keeps_the_names_of_its_functions() -> None:
    names = names_in(applying("sync-clock", "set-kms-host", "activate"))
    assert {"runStep", "raiseLimits", "setKms", "activateOne"} <= names
    assert "outcome" not in names


def test_all_steps_of_any_plan_fit_into_one_request() -> None:
    kinds = [kind.name for kind in PLAN_KINDS if kind.agent_parts and not kind.alone]
    for name, sent in (
        ("a plan", (*kinds, "enable-service", "start-service")),
        ("last resorts", ALONE),
    ):
        try:
            size = len(applying(*sent))
            sys.stdout.write(f"all steps of {name}: {size} of {MAX_BYTES} bytes\n")
        except InputError as error:
            pytest.fail(f"{error.message}: CONTRIBUTING.md, 'A step, whole', says what to do")


def test_what_only_one_step_runs_is_sent_with_that_step_alone() -> None:
    assert b"rebuild-token-store" not in applying("start-service", "activate")
    assert b"StopService" in applying("rebuild-token-store")


@pytest.mark.parametrize("mode", [*PARTS])
def test_a_shortened_script_compiles_and_hides_no_name_of_the_host(mode: AgentMode) -> None:
    data = render(new_request(mode, load_profile("tencent"), id="0" * 16))
    script = data.decode().partition("\r\n*/\r\n")[2].replace("\r\n", "\n")
    short = shorten(script, functions=True)
    quickjs.Context().eval(f"(function () {{{with_puts(short)}\n}});")
    for name in ("WScript", "ActiveXObject", "VBArray", "ScriptFullName", "ExecMethod_"):
        assert (name in short) == (name in script)
