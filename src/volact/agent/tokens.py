"""The tokens of a script, for what makes it smaller.  Pure."""

from __future__ import annotations

import re

Tokens = tuple[str, ...]

# Behind what the first group takes a slash begins a regular expression, else it divides.
_TOKEN = re.compile(
    r"(\A|[(,=:\[!&|?{};]|return(?![\w$]))(\s*)"
    r"(/(?:[^/\\\n\[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/[gim]*)"
    r"""|("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|\d[\w.]*|[A-Za-z_$][\w$]*|\s+|.)"""
)
# What typeof gives is a string: where it is compared with one, == is ===.
_TYPEOF = re.compile(r"""(\btypeof [\w.]+ ?[!=])==(?= ?")""")


def tokens_of(script: str) -> Tokens:
    """Each word, number, string, expression, sign and space, in order."""
    return tuple(filter(None, _TOKEN.split(_TYPEOF.sub(r"\1=", script))))


def solid_of(tokens: Tokens) -> list[int]:
    """Where the tokens are that are no spaces."""
    return [at for at, text in enumerate(tokens) if not text.isspace()]


def pairs_of(texts: list[str]) -> dict[int, int]:
    """Where each bracket is closed."""
    opened: list[int] = []
    pairs: dict[int, int] = {}
    for at, text in enumerate(texts):
        if text in ("(", "[", "{"):
            opened.append(at)
        elif text in (")", "]", "}"):
            pairs[opened.pop()] = at
    return pairs


def in_word(sign: str) -> bool:
    """Whether a sign next to another of its kind would be read as one word with it."""
    return sign.isalnum() or sign in ("_", "$")
