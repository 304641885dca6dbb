"""Reading the answer line: whole and unharmed, or an error that names what is wrong."""

from __future__ import annotations

import json
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from volact.agent.answer import MAX_LINE, read_answer
from volact.errors import AnswerError

ID = "0123456789abcdef"
FACTS: dict[str, Any] = {"os": {"build": 17763}, "products": {"!": 0x80041017}, "dns": None}


def line(**changes: Any) -> bytes:
    """An answer line as the agent writes it."""
    document = {"v": 1, "id": ID, "mode": "probe", "ms": 12, "facts": FACTS, **changes}
    body = json.dumps(document, separators=(",", ":")).encode()
    return b"VOLACT1 %d %08x %s" % (len(body), zlib.crc32(body), body)


def why(stdout: bytes, expect_id: str = ID) -> AnswerError:
    with pytest.raises(AnswerError) as caught:
        read_answer(stdout, expect_id)
    return caught.value


@pytest.mark.parametrize(
    "frame", [b"%s", b"%s\r\n", b"a banner\r\n%s\r\nand a farewell\r\n", b"\xff\xfe\r\n%s\n"]
)
def test_an_answer_is_found_among_other_lines(frame: bytes) -> None:
    answer = read_answer(frame % line(), ID)
    assert (answer.id, answer.mode, answer.ms) == (ID, "probe", 12)
    assert answer.facts == FACTS
    assert answer.results == ()


def test_results_become_values() -> None:
    result = {
        "do": "start-service",
        "ok": False,
        "changed": False,
        "hresult": 0x80070422,
        "before": {"state": "Stopped"},
        "after": {},
        "note": "",
    }
    (read,) = read_answer(line(mode="apply", results=[result]), ID).results
    assert (read.do, read.ok, read.hresult) == ("start-service", False, 0x80070422)
    assert read.before == {"state": "Stopped"}


@pytest.mark.parametrize(
    ("stdout", "words"),
    [
        (b"", "printed nothing"),
        (b"'cscript' is not recognized", "is not recognized"),
        (b"VOLACT0 not-started 1\r\n", "did not start the agent; Windows said: exit code 1"),
        (b"VOLACT0 not-started cannot-write cannot-write", "could not write its script"),
        (b"VOLACT0 not-started 1 unknown\r\nWas?\xff <b>", "Windows said: Was?? <b>"),
        (b"VOLACT0 stopped 1\r\n", "ended without an answer, exit code 1"),
        (b"VOLACT0 error 0x800A01AD WScript.Shell", "the object WScript.Shell cannot"),
        (
            b"VOLACT0 error 0x800A01AD WScript.Shell\r\nVOLACT0 not-started 11 script-enforcement",
            "App Control or AppLocker",
        ),
        ("VOLACT0 not-started 1 no-engine\r\n".encode("utf-16-le"), "JScript is not registered"),
        (b"Microsoft Windows [Versi\xa2n 10.0.17763.1]\r\n\r\nC:\\>", "does not run the command"),
        (b"VOLACT0 error 0x800A01B6 no such method\r\n", "0x800A01B6 no such method"),
        (b"\x00\x1b[2J\xff" * 20, "never answered"),
    ],
)
def test_an_agent_that_never_ran_is_of_kind_agent(stdout: bytes, words: str) -> None:
    error = why(stdout)
    assert error.kind == "agent"
    assert words in error.line()
    assert error.line().isprintable()


@pytest.mark.parametrize(
    ("stdout", "words"),
    [
        (line()[:-1], "truncated"),
        (line()[:20], "incomplete or damaged"),
        (line().replace(b"17763", b"17764"), "checksum"),
        (line() + b"\n" + line(), "more than one"),
        (line(id="fedcba9876543210"), "another request"),
        (line(v=2), "version 2"),
        (line(facts=[1]), "agreed form"),
        (line(results=[{"do": "x", "ok": "yes"}]), "agreed form"),
        (line(results=[{"do": "x", "ok": True}] * 65), "too many results"),
        (line(facts={"x": "y" * MAX_LINE}), "longer than"),
        (b"VOLACT1", "incomplete or damaged"),
        (b"VOLACT1 5 00000000 {}", "truncated"),
    ],
)
def test_an_answer_that_cannot_be_trusted_is_of_kind_protocol(stdout: bytes, words: str) -> None:
    error = why(stdout)
    assert error.kind == "protocol"
    assert words in error.message


def test_deeply_nested_answers_are_refused() -> None:
    body = b'{"v":1,"id":"%s","mode":"probe","facts":{"x":%s}}' % (ID.encode(), b"[" * 9000)
    stdout = b"VOLACT1 %d %08x %s" % (len(body), zlib.crc32(body), body)
    assert why(stdout).kind == "protocol"


def raw_line(inner: str) -> bytes:
    """An apply answer whose one result saw ``inner``, which json.dumps could not write."""
    body = (
        f'{{"v":1,"id":"{ID}","mode":"apply","facts":{{}},'
        f'"results":[{{"do":"x","ok":true,"before":{inner}}}]}}'
    ).encode()
    return b"VOLACT1 %d %08x %s" % (len(body), zlib.crc32(body), body)


@pytest.mark.parametrize(
    ("inner", "words"),
    [
        ('{"h":' + "[" * 300 + "]" * 300 + "}", "6 deep"),
        ('{"h":' + "[" * 6 + "]" * 6 + "}", "6 deep"),
        ('{"h":1' + "0" * 30 + "}", ""),
        ('{"h":1' + "0" * 4400 + "}", ""),
        ('{"h":1e400}', ""),
        ('{"h":[' + ",".join("1" * 2001) + "]}", "more than 2000 values"),
        ('{},"hresult":4294967296', "32-bit"),
        ('{},"hresult":-1', "32-bit"),
        ('[{"h":1}]', "agreed form"),
    ],
)
def test_what_a_step_saw_is_bounded(inner: str, words: str) -> None:
    error = why(raw_line(inner))
    assert error.kind == "protocol"
    assert words in error.message


def test_what_agents_send_is_within_the_bounds() -> None:
    seen = {"1": {"dns": ["10.0.0.1"] * 20, "dhcp": True, "fixed": None}}
    answer = read_answer(raw_line(json.dumps(seen)), ID)
    assert answer.results[0].before == seen


def test_facts_of_absurd_depth_are_refused() -> None:
    assert "facts is nested" in why(line(facts={"x": [[[[[[[]]]]]]]})).message


def test_a_flood_of_output_is_bounded() -> None:
    assert why(b"x" * 3_000_000).kind == "protocol"


@given(st.binary(max_size=300))
def test_any_output_of_a_server_is_an_answer_or_an_answer_error(noise: bytes) -> None:
    for stdout in (noise, b"VOLACT1 " + noise, noise + b"\n" + line(), line() + noise):
        try:
            read_answer(stdout, ID)
        except AnswerError as error:
            assert error.kind in ("agent", "protocol")
            assert error.line().isprintable()


@given(st.integers(0, len(line()) - 1), st.integers(1, 255))
def test_no_changed_byte_goes_unnoticed(at: int, change: int) -> None:
    data = bytearray(line())
    data[at] ^= change
    try:
        answer = read_answer(bytes(data), ID)
    except AnswerError:
        return
    assert answer.facts == FACTS  # only the framing was touched, never the content


@given(st.recursive(st.none() | st.integers() | st.text(), st.lists, max_leaves=20))
def test_any_json_with_a_right_checksum_is_read_or_refused(value: object) -> None:
    body = json.dumps(value).encode()
    stdout = b"VOLACT1 %d %08x %s" % (len(body), zlib.crc32(body), body)
    assert why(stdout).kind == "protocol"
