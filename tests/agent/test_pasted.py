"""Answers that went through other hands, and what must never count as one."""

from __future__ import annotations

import base64
import csv
import html
import io
import json
import quopri
import textwrap
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from volact.agent.answer import Answer
from volact.agent.pasted import find_answers, find_in_text
from volact.errors import AnswerError


def line(name: str = "WEB-01", pad: int = 1500) -> str:
    """An answer as the agent prints it: quotes, backslashes, escapes, blanks."""
    facts = {
        "os": {"name": name, "caption": "Microsoft\\u00ae Windows Server 2016 Datacenter"},
        "binary": {"path": "C:\\Windows\\System32\\sppsvc.exe", "sddl": 'D:(A;;"x";;;) & <b>'},
        "pad": " word" * (pad // 5),
    }
    document = {"v": 1, "id": "0123456789abcdef", "mode": "probe", "ms": 12, "facts": facts}
    body = json.dumps(document, separators=(",", ":"))
    return f"VOLACT1 {len(body)} {zlib.crc32(body.encode()):08x} {body}"


def names(data: bytes | str) -> list[str]:
    raw = data.encode() if isinstance(data, str) else data
    return [
        one.result.facts["os"]["name"] if isinstance(one.result, Answer) else one.result.message
        for one in find_answers(raw)
    ]


LINE = line()
LOG = "2026/01/31 08:00:0{} GCEMetadataScripts: windows-startup-script-bat: "


def wrapped(text: str, width: int, lead: str = "") -> str:
    return f"\n{lead}".join(text[at : at + width] for at in range(0, len(text), width))


def cells(text: str) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(["i-1", text, 'a "b"'])
    return out.getvalue()


HANDS: dict[str, Callable[[str], str | bytes]] = {
    "as it is": lambda t: t,
    "with talk around it": lambda t: f"C:\\>chcp\r\nActive code page: 936\r\n{t}\r\n\r\nC:\\>",
    "utf-16 with a mark": lambda t: t.encode("utf-16"),
    "utf-16 without": lambda t: t.encode("utf-16-le"),
    "big-endian without": lambda t: t.encode("utf-16-be"),
    "utf-8 with a mark": lambda t: t.encode("utf-8-sig"),
    "wrapped by a console": lambda t: wrapped(t, 120).replace("\n", "\r\n"),
    "wrapped and indented": lambda t: wrapped(t, 76, "    "),
    "wrapped at blanks": lambda t: "\n".join(
        textwrap.wrap(t, 300, break_long_words=False, break_on_hyphens=False)
    ),
    "in a log": lambda t: LOG.format(1) + t,
    "in a log, wrapped": lambda t: "\n".join(
        LOG.format(n % 10) + part for n, part in enumerate(wrapped(t, 200).split("\n"))
    ),
    "ssm": lambda t: json.dumps(
        {"InstanceId": "i-1", "StandardOutputContent": f"{t}\r\n", "StandardErrorContent": ""},
        indent=4,
    ),
    "azure": lambda t: json.dumps(
        {"value": [{"code": "ComponentStatus/StdOut/succeeded", "message": t}, {"message": ""}]}
    ),
    "json in json": lambda t: json.dumps({"body": json.dumps({"output": t})}),
    "json text, wrapped": lambda t: wrapped(json.dumps(t), 100),
    "alibaba": lambda t: json.dumps(
        {"Invocation": {"Results": [{"Output": base64.b64encode(f"{t}\r\n".encode()).decode()}]}}
    ),
    "base64 alone": lambda t: base64.encodebytes(t.encode()),
    "json lines": lambda t: '{"a": 1}\n' + json.dumps({"o": t}) + "\n",
    "html": lambda t: f"<pre>{html.escape(t)}</pre>",
    "html in json": lambda t: json.dumps({"page": f"<pre>{html.escape(t)}</pre>"}),
    "csv": cells,
    "base64 in a sentence": lambda t: f"Output: {base64.b64encode(t.encode()).decode()} (exit 0)",
    "base64 in documents one after the other": lambda t: (
        '{"a": 1}\n' + json.dumps({"Output": base64.b64encode(t.encode()).decode()}, indent=1)
    ),
    "coloured by a terminal": lambda t: f"\x1b[32m{wrapped(t, 120)}".replace(
        "\n", "\x1b[K\r\n\x1b[0m"
    ),
    "numbered lines": lambda t: "\n".join(
        f"{n:4}| {part}" for n, part in enumerate(wrapped(t, 100).split("\n"), 1)
    ),
    "mail": lambda t: quopri.encodestring(t.encode()),
    "appended by PowerShell": lambda t: b"hello\r\n" + t.encode("utf-16-le"),
    "a chat": lambda t: f"> {t}".replace('"', "\u201c").replace(" word", "\u00a0word"),
}


@pytest.mark.parametrize("hand", HANDS)
def test_an_answer_comes_through(hand: str) -> None:
    made = HANDS[hand](LINE)
    assert names(made) == ["WEB-01"]


@pytest.mark.parametrize("hand", [hand for hand in HANDS if "json" not in hand])
def test_several_answers_are_several_servers(hand: str) -> None:
    parts = [HANDS[hand](line(name)) for name in ("A", "B", "C")]
    if isinstance(parts[0], bytes):
        return
    assert names("\n\n".join(str(part) for part in parts)) == ["A", "B", "C"]


def test_the_same_answer_twice_is_one_server() -> None:
    assert names(f"{LINE}\n{LINE}\n") == ["WEB-01"]


APPENDED: dict[str, bytes] = {
    "cmd to PowerShell's": f"{line('A')}\r\n".encode("utf-16") + line("B").encode(),
    "cmd's Base64 to PowerShell's": (
        f"{line('A')}\r\n".encode("utf-16") + base64.b64encode(line("B").encode())
    ),
    "PowerShell again, after an odd number of bytes": (
        f"{line('A')}\r\n".encode("utf-16") + b"hello\r\n" + line("B").encode("utf-16-le")
    ),
    "little-endian to big-endian": (
        b"\xfe\xff" + f"{line('A')}\r\n".encode("utf-16-be") + line("B").encode("utf-16-le")
    ),
    "a mark in the middle": f"{line('A')}\r\n".encode() + line("B").encode("utf-16"),
}


@pytest.mark.parametrize("appended", APPENDED)
def test_what_was_appended_in_another_encoding_is_found_too(appended: str) -> None:
    assert names(APPENDED[appended]) == ["A", "B"]


def test_what_was_appended_and_cut_short_is_said() -> None:
    data = f"{line('A')}\r\n".encode("utf-16") + line("B")[:900].encode()
    first, second = names(data)
    assert first == "A" and "the answer is cut short: " in second


class Scanned(str):
    """A text that counts how many of its characters are searched."""

    __slots__ = ("passed",)

    def __init__(self, _: str) -> None:
        self.passed = 0

    def _pass(self, start: int, end: int | None) -> None:
        self.passed += (len(self) if end is None else end) - start

    def count(self, sub: str, start: int = 0, end: int | None = None) -> int:  # type: ignore[override]
        """As ``str`` does."""
        self._pass(start, end)
        return super().count(sub, start, end)

    def find(self, sub: str, start: int = 0, end: int | None = None) -> int:  # type: ignore[override]
        """As ``str`` does."""
        found = super().find(sub, start, end)
        self._pass(start, found if found >= 0 else end)
        return found

    def rfind(self, sub: str, start: int = 0, end: int | None = None) -> int:  # type: ignore[override]
        """As ``str`` does."""
        found = super().rfind(sub, start, end)
        self._pass(max(found, start), end)
        return found


def _outputs(lines: list[str], indent: int | None = None) -> str:
    rows = [{"Output": base64.b64encode(one.encode()).decode()} for one in lines]
    return json.dumps(rows, indent=indent)


MANY: dict[str, Callable[[list[str]], str]] = {
    "plain": "\r\n".join,
    "json on one line": json.dumps,
    "json": lambda lines: json.dumps(lines, indent=1),
    "base64": lambda lines: _outputs(lines, 1),
    "base64 on one line": _outputs,
    "base64 in lines": lambda lines: json.dumps(
        [base64.encodebytes(one.encode()).decode() for one in lines], indent=1
    ),
    "not started": lambda lines: "\n".join("VOLACT0 not-started 1" for _ in lines),
}


@pytest.mark.parametrize("many", MANY)
def test_no_part_of_a_long_text_is_searched_for_each_answer(many: str) -> None:
    text = Scanned(MANY[many]([line(f"S{number}", 100) for number in range(100)]))
    found = find_in_text(text)
    assert len(found) == 100
    assert text.passed < 4 * len(text)


@pytest.mark.parametrize("many", [name for name in MANY if "on one line" not in name])
def test_the_line_of_each_answer_is_known(many: str) -> None:
    found = find_in_text(MANY[many]([line(f"S{number}", 100) for number in range(4)]))
    step = 3 if many == "base64" else 1
    first = {"json": 2, "base64": 3, "base64 in lines": 2}.get(many, 1)
    assert [one.line for one in found] == [first + step * number for number in range(4)]


def test_the_line_it_is_on_is_known() -> None:
    found = find_answers(f"\n\n{LINE}\n".encode())
    assert [one.line for one in found] == [3]


def test_one_that_is_cut_short_is_said_beside_those_that_are_whole() -> None:
    cut = line("B")[:900]
    whole, damaged = find_answers(f"{LINE}\n{cut}\n".encode())
    assert isinstance(whole.result, Answer)
    assert isinstance(damaged.result, AnswerError)
    assert "the answer is cut short: " in damaged.result.message
    assert damaged.line == 2


def test_an_agent_that_could_not_run_is_said() -> None:
    (found,) = find_answers(b"C:\\>x.bat\r\nVOLACT0 not-started 1\r\n")
    assert isinstance(found.result, AnswerError)
    assert (found.result.kind, found.line) == ("agent", 2)
    assert "did not start the agent; Windows said: exit code 1" in found.result.message


@pytest.mark.parametrize("data", [b"", b"hello", b"\0" * 100, b"{}", b"VOLACT", b"\xff\xfe"])
def test_what_holds_no_answer(data: bytes) -> None:
    assert find_answers(data) == ()


@settings(max_examples=200, deadline=None)
@given(at=st.integers(0, len(LINE) - 1), char=st.sampled_from('0aZ"\\{} \n\té'))
def test_a_changed_answer_is_never_taken_for_another(at: int, char: str) -> None:
    """After any change of one character, the answer is the true one or none."""
    changed = LINE[:at] + char + LINE[at + 1 :]
    true = find_answers(LINE.encode())[0].result
    for found in find_answers(changed.encode()):
        assert isinstance(found.result, AnswerError) or found.result == true


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=3000))
def test_nothing_breaks_it(data: bytes) -> None:
    assert isinstance(find_answers(data), tuple)
    assert isinstance(find_answers(LINE[:40].encode() + data), tuple)
