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

from volact.agent.returns import with_single_returns
from volact.agent.tokens import Tokens, in_word, pairs_of, solid_of, tokens_of

_LETTERS = f"{ascii_letters}_$"
_NAME_STARTS = frozenset(_LETTERS)
_WORDS = frozenset(
    re.findall(
        r"\w+",
        "break case catch continue default delete do else finally for function if in instanceof int"
        " new return switch this throw try typeof var void while with null true false",
    )
)


_SHORTER = {"true": "!0", "false": "!1"}
_LIKE_STRINGS = ("null", "undefined", "REQUEST", "String", "Number", "Math")


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
    pieces = [*tokens]
    for at in places:
        pieces[at] = short.get(pieces[at], pieces[at])
    return "".join(pieces)


@lru_cache(maxsize=1)  # the same script comes again, to be shortened with its functions
def _tight(script: str) -> Tokens:
    return _needed(tokens_of(_with_shared_strings(script)))


def without_signs(script: str) -> str:
    """The same script without spaces, braces and semicolons that no token needs; names stay.

    A string in two parts becomes one.
    """
    return "".join(_needed(_with_whole_strings(tokens_of(script))))


def _needed(tokens: Tokens) -> Tokens:
    plain = _without_braces(tuple(_without_spaces(tokens)))
    return tuple(_without_last_signs(with_single_returns(plain)))


def _with_shared_strings(script: str) -> str:
    """Strings and members whose repetition costs more than a variable; keys of objects stay."""
    tokens = _with_whole_strings(tokens_of(script))
    texts = {at: tokens[at] for at in _strings(tokens)}
    members = {at: f'"{tokens[at]}"' for at in _members(tokens)}
    shared = _worth_sharing([*texts.values()], [*members.values()])
    if not shared:
        return "".join(tokens)
    pieces = [*tokens]
    for at in texts:
        pieces[at] = shared.get(pieces[at], pieces[at])
    for at, text in members.items():
        if text in shared:
            pieces[at - 1 : at + 1] = "", f"[{shared[text]}]"
    declared = ",".join(f"{name}={text}" for text, name in shared.items())
    return f"var {declared};\n{''.join(pieces)}"


def _with_whole_strings(tokens: Tokens) -> Tokens:
    """A string in two parts is one, unless something is asked of the second part."""
    pieces, solid = [*tokens], solid_of(tokens)
    for first, plus, second, after in zip(solid, solid[1:], solid[2:], solid[3:], strict=False):
        strings = tokens[first][0] == tokens[second][0] == '"'
        if strings and tokens[plus] == "+" and tokens[after] not in (".", "[", "("):
            pieces[second] = pieces[first][:-1] + pieces[second][1:]
            pieces[first:second] = [""] * (second - first)
    return tuple(filter(None, pieces))


def _worth_sharing(texts: list[str], members: list[str]) -> dict[str, str]:
    saved: Counter[str] = Counter()
    for places, rest in ((texts, 2), (members, 5)):  # of "name" stays a, of .name [a]
        for text in places:
            saved[text] += len(text) - rest
    worth = (text for text in sorted(saved) if saved[text] > len(text) + 4)
    return {text: f"string_{number}" for number, text in enumerate(worth)}


def _members(tokens: Tokens) -> Iterator[int]:
    """Members, of the script's own objects and of Windows' alike."""
    for at, (dot, name) in enumerate(pairwise(tokens), 1):
        if dot == "." and name[0] in _NAME_STARTS:
            yield at


def _strings(tokens: Tokens) -> Iterator[int]:
    solid = solid_of(tokens)
    texts = ["", *(tokens[at] for at in solid), ""]
    for at, before, text, after in zip(solid, texts, texts[1:], texts[2:], strict=False):
        key = after == ":" and before in ("{", ",")
        if not key and (text[0] in "\"'" or (text in _LIKE_STRINGS and before != ".")):
            yield at


def _without_spaces(tokens: Tokens) -> Iterator[str]:
    """Line ends stay; so do spaces between words and between equal signs (``a - -b``)."""
    tokens = tuple(_SHORTER.get(text, text) for text in tokens)
    for at, text in enumerate(tokens):
        if not text.isspace() or "\n" in text or _apart(tokens, at):
            yield text


def _without_braces(tokens: Tokens) -> Tokens:
    """Braces around one statement go, and a ``var`` behind another's end."""
    pieces, solid = [*tokens], solid_of(tokens)
    texts = ["", *(tokens[at] for at in solid), ""]
    pairs = pairs_of(texts)
    opened = {end: start for start, end in pairs.items()}
    for start, end in pairs.items():
        before, alone = texts[start - 1], end == _end(texts, start + 1, pairs)
        opens = before == ")" and texts[opened[start - 1] - 1] in _BLOCKS
        # An "else" belongs to the nearest "if": what is before one keeps its braces.
        nearer = texts[end + 1] == "else" and texts[start + 1] in _BLOCKS
        if texts[start] == "{" and (opens or before == "else") and alone and not nearer:
            apart = before == "else" and in_word(texts[start + 1][0])
            pieces[solid[start - 1]] = " " if apart else ""
            pieces[solid[end - 1]] = "" if texts[end - 1] in ";}" else ";"
    for at, text in enumerate(texts):
        if text == "var" and texts[at - 1] != "(":
            end = _end(texts, at, pairs)
            if texts[end - 1 : end + 1] == [";", "var"]:
                first, last = solid[end - 2], solid[end]
                pieces[first:last] = [",", *[""] * (last - first - 1)]
    return tuple(filter(None, pieces))


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


def _without_last_signs(tokens: Tokens) -> Iterator[str]:
    """No part has a loop or a condition with nothing in it, so each sign ends a statement."""
    for text, after in zip(tokens, (*tokens[1:], ""), strict=True):
        if text != ";" or after != "}":
            yield text


def _apart(tokens: Tokens, at: int) -> bool:
    """Whether the tokens around this one would be read as one without it."""
    before, after = "".join(tokens[at - 1 : at])[-1:], "".join(tokens[at + 1 : at + 2])[:1]
    return (in_word(before) and in_word(after)) or (before == after and before in "+-/")


def _names(tokens: Tokens) -> Iterator[int]:
    """Where names stand that are variables or functions: no members, keys or words."""
    solid = solid_of(tokens)
    texts = ["", *(tokens[at] for at in solid), ""]
    for at, before, text, after in zip(solid, texts, texts[1:], texts[2:], strict=False):
        key = after == ":" and before in ("{", ",")
        if text[0] in _NAME_STARTS and text not in _WORDS and before != "." and not key:
            yield at


def _functions(tokens: Tokens) -> set[str]:
    return {
        after
        for text, after in pairwise(tokens[at] for at in solid_of(tokens))
        if text == "function" and after[0] in _NAME_STARTS
    }


def _variables(tokens: Tokens) -> set[str]:
    """Parameters, what ``var`` declares, and what ``catch`` catches."""
    solid = [tokens[at] for at in solid_of(tokens)]
    found: set[str] = set()
    for at, text in enumerate(solid):
        if text == "var":
            found.update(_declared(solid, at + 1))
        elif text in ("function", "catch"):
            start = at + (1 if solid[at + 1] == "(" else 2)
            found.update(_in_parentheses(solid, start))
    return found


def _declared(solid: list[str], at: int) -> Iterator[str]:
    """The names of a ``var`` statement: at its start and behind its own commas."""
    depth, expected = 0, True
    while solid[at] != ";" or depth:
        text = solid[at]
        depth += (text in "([{") - (text in ")]}")
        if expected and text[0] in _NAME_STARTS:
            yield text
        if text == "in" and not depth:
            return
        expected = text == "," and not depth
        at += 1


def _in_parentheses(solid: list[str], at: int) -> Iterator[str]:
    while solid[at] != ")":
        if solid[at][0] in _NAME_STARTS:
            yield solid[at]
        at += 1


def _short_names(tokens: Tokens, places: tuple[int, ...], wanted: set[str]) -> dict[str, str]:
    """Short names for the given ones, the shortest for those that occur most often.

    Names that no function has in common share one: each is local in its own, so there it
    hides nothing that is used.
    """
    used = Counter(tokens[at] for at in places)
    functions: dict[str, set[int]] = {name: set() for name in used}
    for at, function in zip(places, _functions_at(tokens, places), strict=True):
        functions[tokens[at]].add(function)
    kept = (set(used) - wanted) | _WORDS
    free = [
        name
        for size in (1, 2)
        for letters in product(_LETTERS, repeat=size)
        if (name := "".join(letters)) not in kept
    ]
    taken: dict[int, set[str]] = {}
    short: dict[str, str] = {}
    for name in sorted(wanted & set(used), key=lambda name: (-used[name], name)):
        there = [taken.setdefault(function, set()) for function in functions[name]]
        hidden = set[str]().union(*there)
        short[name] = next(one for one in free if one not in hidden)
        for names in there:
            names.add(short[name])
    return short


def _functions_at(tokens: Tokens, places: tuple[int, ...]) -> Iterator[int]:
    """The outermost function around each place: where its word stands, 0 outside of all."""
    depth, begun, inside, wanted = 0, 0, 0, set(places)
    for at, text in enumerate(tokens):
        if text == "function" and not inside:
            begun = at
        elif text == "(" and begun:
            inside = begun  # its parameters; its name belongs to what is around it
        depth += (text == "{") - (text == "}")
        if at in wanted:
            yield inside
        if text == "}" and not depth:
            begun = inside = 0
