"""Finds and checks the agent's one answer line.

Everything here comes from a server that may be broken or hostile: sizes are
bounded, and anything but a complete, undamaged answer to this very request
is an ``AnswerError``, never a fact.  What the facts mean is read in
``volact.core.facts``.
"""

from __future__ import annotations

import math
import re
import zlib
from datetime import UTC, datetime
from typing import Any

import msgspec

from volact.agent.not_started import no_answer, not_started, script_error, stopped
from volact.errors import AnswerError
from volact.model.step import StepResult
from volact.model.text import say

MAX_LINE = 24_000  # bytes; the protocol's limit for one answer
_MAX_OUTPUT = 1_000_000  # of stdout that is read
_MAX_RESULTS = 64
_MAX_DEPTH = 6  # of values in values, in one fact or in what a step saw
_MAX_VALUES = 2_000  # in what one step saw before or after
_WHOLE = range(-(2**63), 2**64)  # what Windows' own numbers hold

_HEAD = re.compile(rb"VOLACT1 (\d{1,6}) ([0-9a-f]{8}) (\{.*)\Z", re.DOTALL)
_NEVER = re.compile(rb"VOLACT0 (not-started|stopped|error|busy) ?([ -~]{0,160})")
_CAUSED = re.compile(rb"VOLACT0 not-started \S+ (?!unknown)[a-z]")
_HOLDER = re.compile(r"(\S{1,64}) (\d{1,15}) ([ -~]{0,80})")
_BLANK = b" \t\r\n\0"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A whole, undamaged answer; ``facts`` is still as the server wrote it."""

    v: int
    id: str
    mode: str
    ms: int = 0
    results: tuple[StepResult, ...] = ()
    facts: dict[str, Any]


def read_answer(stdout: bytes, expect_id: str, stderr: bytes = b"") -> Answer:
    """The answer in what a server printed; ``AnswerError`` when there is none to trust."""
    stdout = stdout.replace(b"\0", b"")  # cmd /u prints UTF-16; an answer is ASCII
    lines = _lines(stdout)
    answers = [line for line in lines if line.startswith(b"VOLACT1")]
    if not answers:
        raise _no_answer(stdout, lines, stderr)
    if len(answers) > 1:
        raise _bad(say("more than one answer line"), say("did something else print it too?"))
    return _decode(_checked(answers[0]), expect_id)


def read_line(line: bytes) -> Answer:
    """The answer of one line, to any request; ``AnswerError`` when it is not whole."""
    return _decode(_checked(line), None)


def read_never(line: bytes, seen: str = "") -> AnswerError | None:
    """Why the agent did not answer, where a line gives the reason; ``seen``: the next line."""
    match = _NEVER.match(line)
    if match is None:
        return None
    detail = match[2].decode("ascii").strip()
    if match[1] == b"busy":
        return _busy(detail)
    if match[1] == b"stopped":
        return stopped(detail)
    return script_error(detail) if match[1] == b"error" else not_started(detail, seen)


def _busy(detail: str) -> AnswerError:
    """Whose steps run there; the description comes from the server, so it is untrusted too."""
    match = _HOLDER.fullmatch(detail)
    if match is None:
        return _bad(say("the agent did not say whose run is changing the server"), "")
    try:
        until = datetime.fromtimestamp(int(match[2]) / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return _bad(say("the agent did not say until when another run may last"), "")
    told = say(
        "another run is changing this server: run {run} by {who}, until {until}; this run "
        "changed nothing",
        run=match[1],
        who=match[3],
        until=until,
    )
    return AnswerError("busy", told)


def _lines(stdout: bytes) -> list[bytes]:
    return [line.strip(_BLANK) for line in stdout[:_MAX_OUTPUT].split(b"\n")]


def _no_answer(stdout: bytes, lines: list[bytes], stderr: bytes) -> AnswerError:
    # A cause that the batch part names goes before what the script said of itself.
    said = [number for number, line in enumerate(lines) if _NEVER.match(line)]
    for number in sorted(said, key=lambda number: not _CAUSED.match(lines[number])):
        seen = _first(lines[number + 1 :]) or _first(lines[number - 1 :: -1] if number else [])
        if never := read_never(lines[number], seen):
            return never
    if len(stdout) > _MAX_OUTPUT:
        return _bad(say("no answer in the first megabyte of output"), "")
    return no_answer(stdout, _first(lines), _first(_lines(stderr)))


def _first(lines: list[bytes]) -> str:
    """The first line that says something, as it can be shown."""
    line = next((line for line in lines if line), b"")
    return _plain(re.sub(r"[\x80-\xff]+", "?", line[:160].decode("latin-1")))


def _plain(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in text)


def _checked(line: bytes) -> bytes:
    """The JSON of an answer line whose length and checksum are right."""
    if len(line) > MAX_LINE:
        raise _bad(say("the answer is longer than {max_line} bytes", max_line=MAX_LINE), "")
    match = _HEAD.match(line)
    if match is None:
        raise _bad(say("the answer line is incomplete or damaged"), "")
    length, body = int(match[1]), match[3]
    if len(body) != length:
        raise _bad(
            say("the answer is truncated: {n} of {all} bytes came", n=len(body), all=length), ""
        )
    if zlib.crc32(body) != int(match[2], 16):
        raise _bad(say("the answer is garbled: its checksum does not match"), "")
    return body


def _decode(body: bytes, expect_id: str | None) -> Answer:
    try:
        answer = msgspec.json.decode(body, type=Answer)
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise _bad(
            say("the answer is not of the agreed form: {error}", error=str(error)[:120]), ""
        ) from error
    if answer.v != 1:
        raise _bad(say("the answer is of version {v}, not 1", v=answer.v), "")
    if expect_id is not None and answer.id != expect_id:
        raise _bad(say("the answer is to another request"), say("is another volact at work there?"))
    if len(answer.results) > _MAX_RESULTS:
        raise _bad(say("the answer has too many results"), "")
    _require_plain(answer.facts, "facts")
    for result in answer.results:
        _require_seen(result)
    return answer


def _require_seen(result: StepResult) -> None:
    """What a step saw is shown as it is: it must be something that can be shown."""
    if result.hresult is not None and not 0 <= result.hresult <= 0xFFFFFFFF:
        raise _bad(say("a result's hresult is no 32-bit number"), "")
    for name, seen in (("before", result.before), ("after", result.after)):
        if _require_plain(seen, f"a result's {name}") > _MAX_VALUES:
            raise _bad(
                say(
                    "a result's {name} holds more than {max_values} values",
                    name=name,
                    max_values=_MAX_VALUES,
                ),
                "",
            )


def _require_plain(value: Any, what: str, depth: int = 0) -> int:
    """How many values there are; ``AnswerError`` for depths and numbers that no agent sends."""
    if isinstance(value, dict | list):
        if depth == _MAX_DEPTH:
            raise _bad(
                say("{what} is nested more than {max_depth} deep", what=what, max_depth=_MAX_DEPTH),
                "",
            )
        inner = value.values() if isinstance(value, dict) else value
        return 1 + sum(_require_plain(item, what, depth + 1) for item in inner)
    if isinstance(value, float) and not math.isfinite(value):
        raise _bad(say("{what} holds a number that is none", what=what), "")
    if isinstance(value, int) and value not in _WHOLE:
        raise _bad(say("{what} holds a number of more than 64 bits", what=what), "")
    return 1


def _bad(message: str, hint: str) -> AnswerError:
    return AnswerError("protocol", message, hint)
