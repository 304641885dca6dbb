"""Makes one ``return`` of two, where only a condition is between them.  Pure.

``if(a)return b;return c`` is ``return a?b:c``: both ask and give the same, in the same order.
"""

from __future__ import annotations

import re

from volact.agent.tokens import Tokens, in_word, pairs_of

_COMPARED = re.compile(r"[!=]==?|(?<![<>])[<>]=")


def with_single_returns(tokens: Tokens) -> Tokens:
    """The same script.  From its end on: so several conditions in a row become one."""
    pieces, pairs = [*tokens, ""], pairs_of([*tokens])
    for at in range(len(tokens) - 1, -1, -1):
        if tokens[at] == "if" and _before(tokens, at) in (";", "{", "}", ""):
            _make_single(pieces, pairs, at)
    return tuple(filter(None, pieces))


def _make_single(pieces: list[str], pairs: dict[int, int], start: int) -> None:
    opened = _next(pieces, start)
    closed = pairs[opened]
    first = _next(pieces, closed)
    between = _end(pieces, pairs, first)
    second = _next(pieces, between)
    if not pieces[first] == pieces[second] == "return" or pieces[between] != ";":
        return
    asked = _outside_brackets(pieces, pairs, opened + 1, closed)
    given = [
        _outside_brackets(pieces, pairs, at + 1, _end(pieces, pairs, at)) for at in (first, second)
    ]
    # What binds looser than "?" and ":" would have to be put in brackets.
    if set("=,?") & set(_COMPARED.sub("", asked)) or "," in "".join(given) or not all(given):
        return
    for at in (opened, closed, first, between, second):
        pieces[at + 1] = pieces[at + 1].strip()
    pieces[start], pieces[closed], pieces[between] = "return", "?", ":"
    pieces[opened] = " " if in_word(asked[0]) else ""
    pieces[first] = pieces[second] = ""


def _before(tokens: Tokens, at: int) -> str:
    """The token before this one that is no space."""
    return next((text for text in reversed(tokens[max(0, at - 2) : at]) if not text.isspace()), "")


def _next(pieces: list[str], at: int) -> int:
    """Where the next token is that is no space; the last place when there is none."""
    places = range(at + 1, len(pieces) - 1)
    return next((place for place in places if pieces[place].strip()), len(pieces) - 1)


def _end(pieces: list[str], pairs: dict[int, int], at: int) -> int:
    """Where the statement ends that this token is in."""
    while at < len(pieces) - 1 and pieces[at] not in (";", "}"):
        at = _behind(pieces, pairs, at)
    return at


def _behind(pieces: list[str], pairs: dict[int, int], at: int) -> int:
    return (pairs[at] if pieces[at] in ("(", "[", "{") else at) + 1


def _outside_brackets(pieces: list[str], pairs: dict[int, int], at: int, end: int) -> str:
    """The signs and words there; of strings and expressions their first sign."""
    texts = []
    while at < end:
        texts.append(pieces[at][:1] if pieces[at][:1] in ("'", '"', "/") else pieces[at].strip())
        at = _behind(pieces, pairs, at)
    return "".join(texts)
