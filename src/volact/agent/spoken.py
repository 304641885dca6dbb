"""The words of the standalone script, in the language of the person who runs it.

The script's own words are English.  Here are its sentences, found in its source,
and the table of the same in another language that is sent along.  A console
that cannot show that language gets English: the script itself checks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from volact.agent.request import Ask
from volact.model.text import Text
from volact.words import Translator, words_of

# Code pages that show a language beyond ASCII; a console with another one gets English.
PAGES: dict[str, tuple[str, ...]] = {"zh-CN": ("936", "54936", "65001")}

_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
_SAID = re.compile(r'\bt\(\s*((?:"(?:[^"\\]|\\.)*"\s*\+?\s*)+)')
_RETURNED = re.compile(r'\breturn "([^"\\]*\S [^"\\]*\S)";')  # a note that a helper chose
_KEPT = re.compile(r'\bnote = "([^"\\]*\S [^"\\]*\S)";')  # a note for several results
_NOTED = re.compile(r"\b(?:result|unchanged|failed|refused)\(")


def said_in(script: str) -> Iterator[str]:
    """The sentences of a script (``t("…")``), and the notes of its steps."""
    for match in _SAID.finditer(script):
        yield "".join(_unquoted(part) for part in _STRING.findall(match[1]))
    yield from (match[1] for match in _RETURNED.finditer(script))
    yield from (match[1] for match in _KEPT.finditer(script))
    for match in _NOTED.finditer(script):
        inside = script[match.end() : _closing(script, match.end())]
        for part in _STRING.findall(inside):
            if " " in part and not part.endswith(" ") and not part.startswith((" ", "/")):
                yield _unquoted(part)


def table(language: str, script: str, ask: Ask) -> str:
    """The script's line with its words in a language; without any for English."""
    words = words_of(language)
    spoken: dict[str, str] = {}
    if language != "en":
        reasons = [reason for known in ask.refuse.values() for reason in known.values()]
        for text in (*said_in(script), *reasons, *ask.codes.values()):
            translated = _in(words, text)
            if translated != text:
                spoken[text] = translated
    pages = list(PAGES.get(language, ()))
    return f"var WORDS = {json.dumps(spoken, separators=(',', ':'))}, PAGES = {json.dumps(pages)};"


def in_batch(language: str, text: Text) -> str:
    """A sentence of the batch part, which can hold nothing but ASCII."""
    translated = words_of(language)(text)
    return translated if translated.isascii() else str(text)


def _in(words: Translator, text: str) -> str:
    """The sentence as the catalogue has it: that of a code has no full stop there."""
    found = words(text)
    if found == text and text.endswith("."):
        bare = words(text[:-1])
        return text if bare == text[:-1] else f"{bare}."
    return found


def _unquoted(part: str) -> str:
    return re.sub(r"\\(.)", r"\1", part)


def _closing(text: str, start: int) -> int:
    depth = 1
    for at in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        if depth == 0:
            return at
    return len(text)
