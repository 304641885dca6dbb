"""Scripts that differ in one literal only: recognised, so that they are compiled once.

The agent is the same text for every server but for the comment it starts with
and the line that holds its request.  A line that is nothing but a variable and
a JSON literal means the same whether it is compiled or parsed, and leading
comments mean nothing.  A script without such a line is taken as it is.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

# JScript sets a property of a COM object that has an argument by assigning to a call,
# which no edition of the language knows.
_PUT = re.compile(r"\.Option\(([\w$]+)\) ?=(?!=) ?([\w$!]+);?")
_LITERAL = re.compile(r"^(var [A-Za-z_]\w* ?= ?)(\{.*\});?\r?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Source:
    """A script with its literal taken out: ``literal`` is JSON, or ``""``."""

    template: str
    literal: str


def split(text: str) -> Source:
    """Take the first JSON literal out of a script; the names in front stay."""
    body = with_puts(_after_comment(text))
    match = _LITERAL.search(body)
    if match is None or not _is_json(match[2]):
        return Source(body, "")
    template = f"{body[: match.start()]}{match[1]}__literal();{body[match.end() :]}"
    return Source(template, match[2])


def with_puts(text: str) -> str:
    """The same script for an engine without JScript's assignment to a call."""
    return _PUT.sub(r".SetOption(\1, \2);", text)


def _after_comment(text: str) -> str:
    if not text.startswith("/*"):
        return text
    end = text.find("*/")
    return text if end < 0 else text[end + 2 :]


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return '"__proto__"' not in text
