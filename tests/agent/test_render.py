"""The file that is sent: small, ASCII, closed in itself, and without any secret."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec
import pytest
import quickjs
from hypothesis import given
from hypothesis import strategies as st

from volact.agent.answer import read_answer
from volact.agent.render import HANDED_BYTES, MAX_BYTES, PARTS, render
from volact.agent.request import AgentMode, Ask, Lock, Request, new_request
from volact.core.standalone import standalone_steps
from volact.errors import InputError
from volact.knowledge.load import knowledge_for, load_editions, load_profile, profile_names
from volact.model.step import Step
from volact_lab.script.source import with_puts

ID = "0123456789abcdef"
MODES: tuple[AgentMode, ...] = ("probe", "apply", "standalone")
GVLK = "WC2BQ-8NRM3-FDDYY-2BFGV-KHKQY"


def asked(mode: AgentMode = "probe", *steps: Step, **ask: Any) -> Request:
    return Request(id=ID, mode=mode, ask=Ask(**ask), steps=steps)


def script_of(data: bytes) -> str:
    """What the script engine gets: the whole file behind a comment opener."""
    return "/*\r\n" + data.decode("ascii")


def request_in(data: bytes) -> Any:
    """The request as a script engine reads it out of the file."""
    literal = re.search(r"^var REQUEST = (.*);\r$", data.decode("ascii"), re.MULTILINE)
    assert literal
    return json.loads(str(quickjs.Context().eval(f"JSON.stringify({literal[1]})")))


@pytest.mark.parametrize("mode", MODES)
def test_the_file_is_ascii_with_windows_line_ends(mode: AgentMode) -> None:
    data = render(asked(mode))
    assert data.isascii()
    assert data.count(b"\n") == data.count(b"\r\n")
    assert data.startswith(b"@set @v=0 /*\r\n")
    assert not re.search(rb"<[a-z]+>", data.partition(b"*/")[0]), "a blank was left unfilled"


@pytest.mark.parametrize("mode", MODES)
def test_the_script_part_compiles(mode: AgentMode) -> None:
    text = script_of(render(asked(mode)))
    assert quickjs.Context().eval(f"typeof (function () {{{with_puts(text)}\n}});") == "function"


@pytest.mark.parametrize("mode", MODES)
def test_the_batch_part_ends_before_the_script(mode: AgentMode) -> None:
    batch, _, script = render(asked(mode)).decode().partition("\r\n*/\r\n")
    labels = set(re.findall(r"^:(\w+)", batch, re.MULTILINE))
    assert set(re.findall(r"goto (\w+)", batch)) <= labels
    assert not re.search(r"^\s*:", script, re.MULTILINE), "cmd would take it for a label"
    assert batch.rstrip().splitlines()[-1].startswith(("del ", "exit /b"))


@pytest.mark.parametrize("mode", MODES)
def test_every_provider_with_every_key_stays_small(mode: AgentMode) -> None:
    keys = {f"{e.builds[0]}/{e.skus[0]}/{e.gvlk[:2]}": e.gvlk for e in load_editions()}
    steps = (Step(do="install-key", params={"keys": keys}),) * (mode != "probe")
    request = new_request(mode, load_profile("tencent"), steps, id=ID)
    assert len(render(request)) < MAX_BYTES


@pytest.mark.parametrize("provider", profile_names())
def test_what_a_person_is_handed_keeps_every_name(provider: str) -> None:
    knowledge = knowledge_for(provider)
    asked_for = new_request("standalone", knowledge.profile, standalone_steps(knowledge), id=ID)
    data = render(asked_for, keep=True, handed=True)
    assert len(data) < HANDED_BYTES
    for name in (b"function runStep(step,done)", b"lastActivation(done)", b"var outcome"):
        assert name in data
    assert len(render(asked_for)) <= MAX_BYTES, "a cloud's run-command takes no more"


def test_what_is_asked_most_keeps_the_names_of_its_functions() -> None:
    profile = load_profile("tencent")
    for kinds in (
        (),
        ("activate",),
        ("install-key", "set-kms-host", "activate"),
        ("enable-service", "start-service", "activate"),
        ("set-time-source", "sync-clock", "activate"),
    ):
        steps = tuple(Step(do=do) for do in kinds)
        request = new_request("apply" if steps else "probe", profile, steps, id=ID)
        lock = Lock(run=ID, who="ops@controller", since=10**13, until=10**13) if steps else None
        data = render(msgspec.structs.replace(request, lock=lock))
        assert b"function runStep(" in data or not steps
        assert b"function allFacts(" in data


def test_a_file_that_is_too_large_is_refused() -> None:
    steps = (Step(do="activate", params={"product": "x" * 60_000}),)
    with pytest.raises(InputError, match="more than"):
        render(asked("apply", *steps))


hostile = st.text() | st.sampled_from(
    ["*/", "</script>", "\u2028", '"); x(', "\\", "%PATH%", "\x7f", "\r\n:ran\r\n", "<machine>"]
)
# A name like any other in ES3; the engine here takes it for the prototype.
names = hostile.filter(lambda name: name != "__proto__")


@given(names, hostile)
def test_nothing_in_a_request_gets_out_of_its_literal(name: str, value: str) -> None:
    data = render(asked(metadata={name: value}, headers={"h": value}))
    assert data.isascii()
    assert data.count(b"\r\n*/\r\n") == 1
    assert request_in(data)["ask"]["metadata"] == {name: value}


def test_deadline_and_budget() -> None:
    text = render(asked(), deadline_s=50).decode()
    assert '//T:50"' in text
    assert "BUDGET_MS = 30000" in text


def test_a_sent_file_removes_itself_and_a_handed_out_one_does_not() -> None:
    assert b'del /q /f "%~f0" & exit %x%\r\n*/' in render(asked())
    kept = render(asked("standalone"), keep=True)
    assert b'"%~f0" &' not in kept
    assert b"exit /b %x%\r\n*/" in kept


@pytest.mark.parametrize("mode", ["probe", "apply"])
@pytest.mark.parametrize(("scope", "at"), [("machine", 0), ("user", 1)])
def test_the_ready_made_answers_are_answers(mode: AgentMode, scope: str, at: int) -> None:
    lines = re.findall(rb"^echo (VOLACT1 .*)\r$", render(asked(mode)), re.MULTILINE)
    answer = read_answer(lines[at], ID)
    assert (answer.mode, answer.facts, answer.results) == (mode, {"wsh": {scope: 0}}, ())
    assert not set(b"%&|^!") & set(lines[at])


@pytest.mark.parametrize(
    "text",
    [
        "AAAAA-BBBBB-CCCCC-DDDDD-EEEEE",
        "aaaaa-bbbbb-ccccc-ddddd-eeeee",
        "the key AAAAA-BBBBB-CCCCC-DDDDD-EEEEE.",
    ],
)
def test_a_key_that_is_not_published_is_never_rendered(text: str) -> None:
    steps = (Step(do="install-key", params={"keys": {"14393/7": text}}),)
    with pytest.raises(InputError) as caught:
        render(asked("apply", *steps))
    assert "BBBBB" not in caught.value.line().upper()


def test_a_published_key_is_rendered() -> None:
    steps = (Step(do="install-key", params={"keys": {"14393/7": GVLK}}),)
    assert GVLK.encode() in render(asked("apply", *steps))


def test_a_probe_carries_no_step_and_nothing_that_changes_a_server() -> None:
    data = render(asked("probe", Step(do="activate")))
    assert "steps" not in request_in(data)
    assert b"RegWrite" not in data.partition(b"function allFacts")[2]
    assert b"STEPS" not in data
    assert b"InstallProductKey" not in data


def test_what_asks_for_tokens_and_documents_is_sent_where_it_is_used() -> None:
    def sent(**ask: Any) -> bool:
        return b"function askToken" in render(asked(**ask))

    assert sent(token="X-Token")
    assert sent(metadata={"products": "http://metadata.example.test/document#billingProducts"})
    assert not sent(metadata={"image-id": "http://metadata.example.test/image"})


@pytest.mark.parametrize("mode", MODES)
def test_each_mode_defines_every_function_that_it_calls(mode: AgentMode) -> None:
    text = render(asked(mode, token="X-Token"), handed=True).decode().partition("\r\n*/\r\n")[2]
    text = re.sub(r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'", '""', text)
    parameters = re.findall(r"function ?\w*\(([^)]*)\)", text)
    defined = {
        *re.findall(r"function (\w+)", text),
        *",".join(parameters).replace(" ", "").split(","),
    }
    called = set(re.findall(r"(?<![\w.])([a-z]\w+)\(", text))
    language = {
        "function",
        "if",
        "for",
        "while",
        "return",
        "catch",
        "eval",
        "isNaN",
        "isFinite",
        "parseInt",
    }
    assert called - defined <= language
    assert PARTS[mode]
