"""Shortens names of the script when a request would be too large otherwise.  Pure.

Variables, parameters and repeated strings first, functions only where that is not
enough: the names of functions show a reader of the file what it does.  The same name
becomes the same short name everywhere, so no scope has to be understood.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise, product
from string import ascii_letters
from typing import Literal, cast

import msgspec

TokenKind = Literal["name", "text", "space", "sign"]


class Token(msgspec.Struct, frozen=True):
    """A piece of the script; strings, numbers and regular expressions are ``text``."""

    kind: TokenKind
    text: str


_TOKEN = re.compile(
    r"""(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|\d[\w.]*)"""
    r"|(?P<name>[A-Za-z_$][\w$]*)|(?P<space>\s+)|(?P<sign>.)"
)
_REGEX = re.compile(r"(?P<text>/(?:[^/\\\n\[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/[gim]*)")
# Behind one of these a slash begins a regular expression, else it divides.
_BEFORE_REGEX = frozenset("(,=:[!&|?{};") | {"return", ""}
_WORDS = frozenset(
    re.findall(
        r"\w+",
        "break case catch continue default delete do else finally for function if in instanceof int"
        " new return switch this throw try typeof var void while with null true false",
    )
)


_SHORTER = {"true": "!0", "false": "!1"}
_LIKE_STRINGS = ("null", "undefined", "REQUEST", "String", "Number")


def shorten(script: str, *, functions: bool) -> str:
    """The same script with short names for its variables, and for its functions too.

    A string or member that occurs often becomes a variable as well (``x[a]`` for
    ``x.name``); spaces, braces around a single statement, and the sign that ends one
    before a closing brace, go: no token needs them.
    """
    tokens = _tight(script)
    places = tuple(_names(tokens))
    wanted = _variables(tokens) | (_functions(tokens) if functions else set())
    wanted -= set() if functions else _functions(tokens)
    short = _short_names(tokens, places, wanted)
    return "".join(_replaced(tokens, set(places), short))


@lru_cache(maxsize=1)  # the same script comes again, to be shortened with its functions
def _tight(script: str) -> tuple[Token, ...]:
    return tuple(_tokens(without_signs(_with_shared_strings(script))))


def without_signs(script: str) -> str:
    """The same script without spaces, braces and semicolons that no token needs; names stay."""
    tight = "".join(token.text for token in _without_spaces(tuple(_tokens(script))))
    return _without_last_signs(_without_braces(tight))


def _with_shared_strings(script: str) -> str:
    """Strings and members whose repetition costs more than a variable; keys of objects stay."""
    tokens = tuple(_tokens(script))
    texts = {at: tokens[at].text for at in _strings(tokens)}
    members = {at: f'"{tokens[at].text}"' for at in _members(tokens)}
    shared = _worth_sharing([*texts.values()], [*members.values()])
    if not shared:
        return script
    pieces = [token.text for token in tokens]
    for at in texts:
        pieces[at] = shared.get(pieces[at], pieces[at])
    for at, text in members.items():
        if text in shared:
            pieces[at - 1 : at + 1] = "", f"[{shared[text]}]"
    declared = ",".join(f"{name}={text}" for text, name in shared.items())
    return f"var {declared};\n{''.join(pieces)}"


def _worth_sharing(texts: list[str], members: list[str]) -> dict[str, str]:
    saved: Counter[str] = Counter()
    for places, rest in ((texts, 2), (members, 5)):  # of "name" stays a, of .name [a]
        for text in places:
            saved[text] += len(text) - rest
    worth = (text for text in sorted(saved) if saved[text] > len(text) + 4)
    return {text: f"string_{number}" for number, text in enumerate(worth)}


def _members(tokens: tuple[Token, ...]) -> Iterator[int]:
    """Members, of the script's own objects and of Windows' alike."""
    for at, (dot, name) in enumerate(pairwise(tokens), 1):
        if dot.text == "." and name.kind == "name":
            yield at


def _strings(tokens: tuple[Token, ...]) -> Iterator[int]:
    solid = [at for at, token in enumerate(tokens) if token.kind != "space"]
    texts = ["", *(tokens[at].text for at in solid), ""]
    for at, before, after in zip(solid, texts, texts[2:], strict=False):
        key = after == ":" and before in ("{", ",")
        text = tokens[at].text
        if not key and (text[0] in "\"'" or (text in _LIKE_STRINGS and before != ".")):
            yield at


def _without_spaces(tokens: tuple[Token, ...]) -> Iterator[Token]:
    """Line ends stay; so do spaces between words and between equal signs (``a - -b``)."""
    tokens = tuple(
        Token(token.kind, _SHORTER[token.text]) if token.text in _SHORTER else token
        for token in tokens
    )
    ends = ("", *(token.text[-1] for token in tokens))
    starts = (*(token.text[0] for token in tokens[1:]), "")
    for token, before, after in zip(tokens, ends, starts, strict=False):
        words = _in_word(before) and _in_word(after)
        needed = words or (before == after and before in "+-/") or "\n" in token.text
        if token.kind != "space" or needed:
            yield token


def _without_braces(script: str) -> str:
    """Braces around one statement go, and a ``var`` behind another's end."""
    tokens = list(_tokens(script))
    pieces = [token.text for token in tokens]
    solid = [at for at, token in enumerate(tokens) if token.kind != "space"]
    texts = ["", *(tokens[at].text for at in solid), ""]
    pairs = _pairs(texts)
    opened = {end: start for start, end in pairs.items()}
    for start, end in pairs.items():
        before, alone = texts[start - 1], end == _end(texts, start + 1, pairs)
        opens = before == ")" and texts[opened[start - 1] - 1] in _BLOCKS
        # An "else" belongs to the nearest "if": what is before one keeps its braces.
        nearer = texts[end + 1] == "else" and texts[start + 1] in _BLOCKS
        if texts[start] == "{" and (opens or before == "else") and alone and not nearer:
            apart = before == "else" and _in_word(texts[start + 1][0])
            pieces[solid[start - 1]] = " " if apart else ""
            pieces[solid[end - 1]] = "" if texts[end - 1] in ";}" else ";"
    for at, text in enumerate(texts):
        if text == "var" and texts[at - 1] != "(":
            end = _end(texts, at, pairs)
            if texts[end - 1 : end + 1] == [";", "var"]:
                first, last = solid[end - 2], solid[end]
                pieces[first:last] = [",", *[""] * (last - first - 1)]
    return "".join(pieces)


_BLOCKS = ("if", "for", "while")


def _end(texts: list[str], at: int, pairs: dict[int, int]) -> int:
    """Behind the statement that begins here; 0 where that is not worked out."""
    if texts[at] in ("do", "try", "switch", "function", "}"):
        return 0
    if texts[at] in _BLOCKS:
        end = _end(texts, pairs[at + 1] + 1, pairs)
        return _end(texts, end + 1, pairs) if end and texts[end] == "else" else end
    if texts[at] == "{":
        return pairs[at] + 1
    while texts[at] not in (";", "}", ""):
        at = pairs.get(at, at) + 1
    return at + (texts[at] == ";")


def _pairs(texts: list[str]) -> dict[int, int]:
    """Where each bracket is closed."""
    opened: list[int] = []
    pairs: dict[int, int] = {}
    for at, text in enumerate(texts):
        if text in ("(", "[", "{"):
            opened.append(at)
        elif text in (")", "]", "}"):
            pairs[opened.pop()] = at
    return pairs


def _without_last_signs(script: str) -> str:
    """No part has a loop or a condition with nothing in it, so each sign ends a statement."""
    tokens = tuple(_tokens(script))
    nexts = (*(token.text for token in tokens[1:]), "")
    return "".join(
        token.text
        for token, after in zip(tokens, nexts, strict=True)
        if not (token.text == ";" and after == "}")
    )


def _in_word(sign: str) -> bool:
    return sign.isalnum() or sign in ("_", "$")


def _tokens(script: str) -> Iterator[Token]:
    at, before, end = 0, "", len(script)
    while at < end:
        maybe = script[at] == "/" and before in _BEFORE_REGEX
        match = (maybe and _REGEX.match(script, at)) or _TOKEN.match(script, at)
        assert match, "every character is some token"
        kind, text = cast(TokenKind, match.lastgroup), match[0]
        yield Token(kind, text)
        at += len(text)
        before = before if kind == "space" else text


def _names(tokens: tuple[Token, ...]) -> Iterator[int]:
    """Where names stand that are variables or functions: no members, keys or words."""
    solid = [at for at, token in enumerate(tokens) if token.kind != "space"]
    texts = ["", *(tokens[at].text for at in solid), ""]
    for at, before, after in zip(solid, texts, texts[2:], strict=False):
        token = tokens[at]
        key = after == ":" and before in ("{", ",")
        if token.kind == "name" and token.text not in _WORDS and before != "." and not key:
            yield at


def _functions(tokens: tuple[Token, ...]) -> set[str]:
    solid = [token for token in tokens if token.kind != "space"]
    return {
        after.text
        for token, after in pairwise(solid)
        if token.text == "function" and after.kind == "name"
    }


def _variables(tokens: tuple[Token, ...]) -> set[str]:
    """Parameters, what ``var`` declares, and what ``catch`` catches."""
    solid = [token for token in tokens if token.kind != "space"]
    found: set[str] = set()
    for at, token in enumerate(solid):
        if token.text == "var":
            found.update(_declared(solid, at + 1))
        elif token.text in ("function", "catch"):
            start = at + (1 if solid[at + 1].text == "(" else 2)
            found.update(_in_parentheses(solid, start))
    return found


def _declared(solid: list[Token], at: int) -> Iterator[str]:
    """The names of a ``var`` statement: at its start and behind its own commas."""
    depth, expected = 0, True
    while solid[at].text != ";" or depth:
        token = solid[at]
        depth += (token.text in "([{") - (token.text in ")]}")
        if expected and token.kind == "name":
            yield token.text
        if token.text == "in" and not depth:
            return
        expected = token.text == "," and not depth
        at += 1


def _in_parentheses(solid: list[Token], at: int) -> Iterator[str]:
    while solid[at].text != ")":
        if solid[at].kind == "name":
            yield solid[at].text
        at += 1


def _short_names(
    tokens: tuple[Token, ...], places: tuple[int, ...], wanted: set[str]
) -> dict[str, str]:
    """Short names for the given ones, the shortest for those that cost most.

    Names that no function has in common share one: each is local in its own, so there it
    hides nothing that is used.
    """
    used = Counter(tokens[at].text for at in places)
    functions: dict[str, set[int]] = {name: set() for name in used}
    for at, function in zip(places, _functions_at(tokens, places), strict=True):
        functions[tokens[at].text].add(function)
    kept = (set(used) - wanted) | _WORDS
    free = [
        name
        for size in (1, 2)
        for letters in product(ascii_letters, repeat=size)
        if (name := "".join(letters)) not in kept
    ]
    taken: dict[int, set[str]] = {}
    short: dict[str, str] = {}
    for name in sorted(wanted & set(used), key=lambda name: (-used[name] * len(name), name)):
        there = [taken.setdefault(function, set()) for function in functions[name]]
        short[name] = next(one for one in free if not any(one in names for names in there))
        for names in there:
            names.add(short[name])
    return short


def _functions_at(tokens: tuple[Token, ...], places: tuple[int, ...]) -> Iterator[int]:
    """The outermost function around each place: where its word stands, 0 outside of all."""
    depth, begun, inside, wanted = 0, 0, 0, set(places)
    for at, token in enumerate(tokens):
        if token.text == "function" and not inside:
            begun = at
        elif token.text == "(" and begun:
            inside = begun  # its parameters; its name belongs to what is around it
        depth += (token.text == "{") - (token.text == "}")
        if at in wanted:
            yield inside
        if token.text == "}" and not depth:
            begun = inside = 0


def _replaced(tokens: tuple[Token, ...], places: set[int], short: dict[str, str]) -> Iterator[str]:
    for at, token in enumerate(tokens):
        yield short.get(token.text, token.text) if at in places else token.text
