"""Makes the script's parts smaller without changing what they do.  Pure.

Comments that stand alone, indentation, blank lines and the spaces around
punctuation go; names and statements stay (``shorten`` is for what is too large
even so).  The parts are written so that this is safe: no comment behind
code, no string over two lines.
"""

from __future__ import annotations

import re
from collections import Counter

# The limit of a line: findstr, by which a file travels over WinRM, cuts at 8,191 characters.
_WIDE = 7000
_BLOCK_COMMENT = re.compile(r"^[ \t]*/\*.*?\*/[ \t]*$", re.DOTALL | re.MULTILINE)
_FUNCTION = re.compile(r"^function (\w+)\(.*?^\}\n", re.DOTALL | re.MULTILINE)
_WORD = re.compile(r"\w+")
_STRING = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""")
_EQUAL_SIGNS = re.compile(r"(?<=\+) (?=\+)|(?<=-) (?=-)")
_AROUND = re.compile(r" ?([-=+*<>!&|?:;,(){}\[\]]+) ?")


def squeeze(text: str) -> str:
    """The same script in fewer bytes."""
    lines = (line.strip() for line in _BLOCK_COMMENT.sub("", text).splitlines())
    code = "\n".join(_tight(line) for line in lines if line and not line.startswith("//"))
    # A line of its own for every brace costs two kilobytes.  One that starts with
    # a colon would be a label to cmd.
    for split, joined in (("\n}", "}"), ("{\n", "{"), (",\n", ","), ("\n:", ":")):
        code = code.replace(split, joined)
    return code


def without_unused(text: str) -> str:
    """The same script without comments, and without functions that nothing in it names."""
    code, before = _BLOCK_COMMENT.sub("", text), ""
    while code != before:
        before, code = code, _without_those_named_once(code)
    return code


def _without_those_named_once(code: str) -> str:
    named = Counter(_WORD.findall(code))
    return _FUNCTION.sub(lambda found: found[0] if named[found[1]] > 1 else "", code)


def joined(code: str) -> str:
    """The same script with fewer line ends, each of which is two bytes to send.

    The parts end every statement with its sign; none leaves that to a line end.
    """
    lines = [""]
    for line in code.split("\n"):
        signs = lines[-1].endswith("+") and line.startswith("+")  # "a + +b"
        fits = len(lines[-1]) + len(line) < _WIDE
        if lines[-1].endswith((";", "}", ",", "+", "[", "(")) and fits and not signs:
            lines[-1] += line
        else:
            lines.append(line)
    return "\n".join(lines[1:])


def _tight(line: str) -> str:
    """One line without spaces around punctuation; strings stay as they are.

    A line with a slash outside strings may hold a regular expression, in which
    a space has meaning: it stays whole.  A space between two equal signs stays
    too: without it ``a - -b`` would be ``a--b``.
    """
    pieces = _STRING.split(line)
    if any("/" in code for code in pieces[::2]):
        return line
    apart = [_EQUAL_SIGNS.sub("\x00", code) for code in pieces[::2]]
    pieces[::2] = [_AROUND.sub(r"\1", code).replace("\x00", " ") for code in apart]
    return "".join(pieces)
