"""Answers in text that passed through consoles, JSON, mail or a clipboard.  Pure.

An answer carries its length and its checksum, so that changes to the
text can be undone by trying: line breaks put in, quotes escaped, prefixes
before each line, Base64 around it.  What does not check is never taken.
"""

from __future__ import annotations

import base64
import binascii
import html
import json
import quopri
import re
import zlib
from collections.abc import Callable, Iterator
from itertools import pairwise, product
from typing import Any

import msgspec

from volact.agent.answer import MAX_LINE, Answer, read_line, read_never
from volact.errors import AnswerError
from volact.model.text import say

_MARK = re.compile(r"VOLACT1\b")
_HEAD = re.compile(r"VOLACT1\s+(\d{1,6})\s+([0-9a-f]{8})\s+(?=\{)")
_NEVER = re.compile(r"VOLACT0 (?:not-started|stopped|error)[^\r\n]*")
_BASE64 = re.compile(r"[A-Za-z0-9+/\r\n]{40,}={0,2}\s*")
_BASE64_WORD = re.compile(r"[A-Za-z0-9+/]{40,}={0,2}")
_BEGUN = re.compile(r"VOLACT[01]|[A-Za-z0-9+/]{40,}")
_PLAIN_WORD = re.compile(r"[A-Za-z0-9]*")  # of Base64: what JSON never escapes
_COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")  # and what else a terminal is told
# What an answer may grow to when quotes are escaped and lines get prefixes.
_REACH = 4 * MAX_LINE
MAX_BYTES = 64 * 1024 * 1024  # of a file that is read
_LONGEST_PREFIX = 1000
_FEW_BREAKS = 10
# Signs that word processors and chat put in the place of plain ones.
_TYPESET = str.maketrans(
    {"\u201c": '"', "\u201d": '"', "\u201e": '"', "\u00a0": " ", "\u200b": "", "\u00ad": ""}
)


class PastedAnswer(msgspec.Struct, frozen=True):
    """An answer, or why what stands there is none; ``line`` is where it begins."""

    line: int
    result: Answer | AnswerError


def find_answers(data: bytes) -> tuple[PastedAnswer, ...]:
    """Every answer in a file, in its order; the same one twice counts once."""
    return find_in_text(_COLOUR.sub("", decode(data)))


def find_in_text(text: str) -> tuple[PastedAnswer, ...]:
    """Every answer in a text, in its order; the same one twice counts once."""
    found: dict[bytes, PastedAnswer] = {}
    for view, line in _views(text):
        for one in _in_text(view, line):
            found.setdefault(_identity(one), one)
    whole = [one for one in found.values() if isinstance(one.result, Answer)]
    # What is damaged in one view is often whole in another.
    damaged = [one for one in found.values() if not isinstance(one.result, Answer)]
    if whole:
        lines = {one.line for one in whole}
        damaged = [one for one in damaged if one.line not in lines]
    return tuple(sorted((*whole, *damaged), key=lambda one: one.line))


def decode(data: bytes) -> str:
    """The text of a file in UTF-8 or UTF-16, with or without a byte order mark."""
    # An answer is ASCII, in UTF-16 too; PowerShell appends that to a file of another encoding.
    plain = data.decode("utf-8-sig", "replace").replace("\0", "")
    if not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return plain
    # cmd appends ASCII to PowerShell's UTF-16: where that shows more answers, it has them all.
    text = data.decode("utf-16", "replace")
    return max(text, plain, key=lambda read: len(_BEGUN.findall(read)))


class _Lines:
    """The numbers of lines at rising positions of a text, which is counted through once."""

    def __init__(self, text: str, first: int = 1) -> None:
        self._text = text
        self._line = first
        self._position = 0

    def at(self, position: int) -> int:
        self._line += self._text.count("\n", self._position, position)
        self._position = position
        return self._line

    def of(self, value: str) -> int:
        """Where a Base64 text is, as JSON writes it."""
        words = _PLAIN_WORD.findall(value[:200])
        return self.at(max(self._text.find(max(words, key=len), self._position), self._position))


def _views(text: str) -> Iterator[tuple[str, int]]:
    """The text, and what is inside it when it is JSON or Base64; with the line it begins on."""
    yield text, 1
    lines = _Lines(text)
    for value in _strings(text):
        inner = _from_base64(value)
        if inner:
            yield inner, lines.of(value)
    whole = _from_base64(text.strip().strip('"'))
    if whole:
        yield whole, 1
    lines = _Lines(text)
    for word in _BASE64_WORD.finditer(text):
        inner = _from_base64(word[0])
        if inner:
            yield inner, lines.at(word.start())


def _strings(text: str) -> Iterator[str]:
    """Every string of a JSON document, or of one per line, in its order."""
    try:
        documents = [_json(text)]
    except (ValueError, RecursionError):
        documents = []
        for line in text.splitlines():
            try:
                documents.append(_json(line))
            except (ValueError, RecursionError):
                continue
    waiting: list[Any] = documents[::-1]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, list):
            waiting += reversed(value)


def _json(text: str) -> Any:
    """A JSON document, with each object as the list of its values."""
    return json.loads(text, object_pairs_hook=lambda pairs: [value for _, value in pairs])


def _from_base64(text: str) -> str:
    """What a Base64 text holds, if that is an answer; else ``""``."""
    if not _BASE64.fullmatch(text):
        return ""
    try:
        data = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return ""
    return decode(data) if b"VOLACT" in data or b"V\0O\0L\0A" in data else ""


def _in_text(text: str, first: int) -> Iterator[PastedAnswer]:
    lines = _Lines(text, first)
    marks = [match.start() for match in _MARK.finditer(text)]
    for at, following in pairwise([*marks, len(text)]):
        window = text[at : min(following, at + _REACH)]
        start = max(at - _LONGEST_PREFIX, 0)
        prefix = text[max(text.rfind("\n", start, at) + 1, start) : at]
        yield PastedAnswer(lines.at(at), _read(window, prefix))
    lines = _Lines(text, first)
    for match in _NEVER.finditer(text):
        never = read_never(match[0].encode("ascii", "replace"))
        if never is not None:
            yield PastedAnswer(lines.at(match.start()), never)


def _read(window: str, prefix: str) -> Answer | AnswerError:
    """The answer that begins here, by the first way of reading it that checks."""
    cut: tuple[int, int] | None = None
    for body, length, checksum in _readings(window, prefix):
        data = body[:length].encode("ascii", "replace")
        if len(data) < length:
            cut = len(data), length
        elif zlib.crc32(data) == checksum:
            line = b"VOLACT1 %d %08x %s" % (length, checksum, data)
            try:
                return read_line(line)
            except AnswerError as error:
                return error
    if cut is None:
        return AnswerError("protocol", say("the answer line is incomplete or damaged"))
    n, length = cut
    told = say("the answer is cut short: {n} of {length} bytes are here", n=n, length=length)
    return AnswerError("protocol", told, _CUT)


_CUT = say("the service keeps only a part of long outputs; have it written to a file or a bucket")


def _readings(window: str, prefix: str) -> Iterator[tuple[str, int, int]]:
    """Every way to read a piece of text as an answer: body, length, checksum."""
    texts = dict.fromkeys(unquote(window).translate(_TYPESET) for unquote in _QUOTINGS)
    for text in texts:  # most are the same: few answers are quoted in more than one way
        for joined in _joined(text, prefix):
            head = _HEAD.match(joined)
            if head:
                yield joined[head.end() :], int(head[1]), int(head[2], 16)


def _joined(text: str, prefix: str) -> Iterator[str]:
    """The text with its line breaks undone, one way after the other."""
    lines = text.splitlines()
    yield lines[0] if lines else ""
    if len(lines) < 2:
        return
    first, rest = lines[0], lines[1:]
    yield first + "".join(rest)
    yield first + "".join(_indented(rest))
    yield first + "".join(line.strip() for line in rest)
    if prefix.strip():
        # A log's prefix is on every line, with other digits.
        same = re.compile(re.sub(r"(?:\\ )*\d+", r" *\\d+", re.escape(prefix)))
        yield first + "".join(same.sub("", line, count=1) for line in rest)
    yield " ".join(lines)
    yield " ".join(line.strip() for line in lines)
    # Wrapped at blanks here and within words there: only a few breaks can be tried.
    length = _HEAD.match(" ".join(lines))
    needed = _lines_for(lines, int(length[1])) if length else 0
    if 1 < needed <= _FEW_BREAKS:
        pieces = [line.strip() for line in lines[:needed]]
        for gaps in product(("", " "), repeat=needed - 1):
            yield "".join(piece + gap for piece, gap in zip(pieces, (*gaps, ""), strict=True))


def _indented(lines: list[str]) -> list[str]:
    """Lines without what all of them are indented by, up to one that is not."""
    indents = [len(line) - len(line.lstrip()) for line in lines if line.strip()]
    upto = indents.index(0) if 0 in indents else len(indents)
    indent = min(indents[:upto], default=0)
    return [line[indent:] for line in lines]


def _lines_for(lines: list[str], length: int) -> int:
    """How many lines an answer of this length covers at most."""
    total = 0
    for count, line in enumerate(lines, 1):
        total += len(line.strip())
        if total >= length:
            return count
    return len(lines)


def _json_escaped(text: str) -> str:
    return re.sub(r"\\(u[0-9a-fA-F]{4}|.)", _escape, text, flags=re.DOTALL)


def _escape(match: re.Match[str]) -> str:
    word = match[1]
    if len(word) == 5:
        return chr(int(word[1:], 16))
    return {"n": "\n", "r": "\r", "t": "\t"}.get(word, word)


def _quoted_printable(text: str) -> str:
    return quopri.decodestring(text.encode("ascii", "replace")).decode("latin-1")


_QUOTINGS: tuple[Callable[[str], str], ...] = (
    str,
    _json_escaped,
    lambda text: _json_escaped(_json_escaped(text)),
    html.unescape,
    lambda text: _json_escaped(html.unescape(text)),
    lambda text: html.unescape(_json_escaped(text)),
    lambda text: text.replace('""', '"'),
    _quoted_printable,
)


def _identity(one: PastedAnswer) -> bytes:
    if isinstance(one.result, Answer):
        return msgspec.json.encode(one.result)
    return f"{one.line} {one.result}".encode()
