"""Whether a script is ECMAScript 3, the language of JScript 5.8, and nothing younger.

calmjs.parse knows ECMAScript 5; what that adds to the syntax is refused here: names of
members that are reserved words, getters and setters, a comma behind the last item, and
strings over two lines.  A call that is assigned to is refused too: the language leaves
that to the engine.  The one exception is a property of WinHTTP, which is set so.

    python tests/agent/es3.py        every part of the agent; exit code 1 with the reasons
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from calmjs.parse import asttypes, es5
from calmjs.parse.exceptions import ECMASyntaxError
from calmjs.parse.lexers.es5 import Lexer
from calmjs.parse.walkers import Walker

SOURCE = Path(__file__).parents[2] / "src" / "volact" / "agent" / "source"
# ECMA-262, third edition, 7.5: keywords, words reserved for later, literals.
_RESERVED = """break case catch continue default delete do else finally for function if in
    instanceof new
    return switch this throw try typeof var void while with abstract boolean byte char class const
    debugger double enum export extends final float goto implements import int interface long
    native package private protected public short static super synchronized throws transient
    volatile null true false"""
RESERVED = frozenset(_RESERVED.split())
# WinHttpRequest has one property with an argument, which JScript sets in this way.
_PUTS = frozenset({"Option"})


def faults_of(script: str) -> Iterator[str]:
    """What is not ECMAScript 3, each with its line."""
    try:
        tree = es5(script)
    except ECMASyntaxError as error:
        yield str(error)
        return
    yield from _faults_of_tokens(script)
    for node in Walker().walk(tree):
        fault = _fault_of(node)
        if fault:
            yield f"line {node.lexpos and script.count(chr(10), 0, node.lexpos) + 1}: {fault}"


def _fault_of(node: asttypes.Node) -> str:
    if isinstance(node, asttypes.GetPropAssign | asttypes.SetPropAssign):
        return "a getter or a setter"
    if isinstance(node, asttypes.PropIdentifier) and node.value in RESERVED:
        return f"a member called {node.value}, which is a reserved word"
    if _assigns_to_call(node) and not _is_put(node.left.identifier):
        return "an assignment to a call"
    return ""


def _assigns_to_call(node: asttypes.Node) -> bool:
    return isinstance(node, asttypes.Assign) and isinstance(node.left, asttypes.FunctionCall)


def _is_put(called: asttypes.Node) -> bool:
    return isinstance(called, asttypes.DotAccessor) and called.identifier.value in _PUTS


def _faults_of_tokens(script: str) -> Iterator[str]:
    lexer = Lexer()
    lexer.input(script)
    for token, after in pairwise(lexer):
        if token.type == "COMMA" and after.type in ("RBRACE", "RBRACKET"):
            yield f"line {token.lineno}: a comma behind the last item"
        if token.type == "STRING" and "\n" in token.value:
            yield f"line {token.lineno}: a string over two lines"


def main() -> int:
    """Check every part of the agent."""
    found = [
        f"{path.name}: {fault}"
        for path in sorted(SOURCE.glob("*.js"))
        for fault in faults_of(path.read_text("ascii"))
    ]
    sys.stderr.writelines(f"{line}\n" for line in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
