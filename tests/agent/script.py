"""The agent's parts in a JavaScript engine, for the functions that need no Windows."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

import quickjs

from volact_lab.script.source import with_puts

# What the parts touch while they are loaded.
_HOST = """
function ActiveXObject() {}
var WScript = {Arguments: [], ScriptFullName: "C:\\\\x\\\\volact-1.js"};
var shell = {RegRead: function () { return "20348"; }};
var STARTED = 0, BUDGET_MS = 1000, WORDS = {}, PAGES = [];
var REQUEST = {ask: {kms: [], metadata: {}, headers: {}, connect_ms: 1}};
"""


def source(name: str) -> str:
    """The text of one part."""
    return resources.files("volact.agent").joinpath("source", f"{name}.js").read_text("ascii")


class Script:
    """Some parts, loaded in their order."""

    def __init__(self, *parts: str, squeezed: bool = True) -> None:
        from volact.agent.squeeze import squeeze

        self._context = quickjs.Context()
        self._context.eval(_HOST)
        for part in parts:
            text = source(part)
            self._context.eval(with_puts(squeeze(text) if squeezed else text))

    def call(self, function: str, *values: Any) -> Any:
        """What a function of the script returns, as Python values."""
        # Not as literals: a key __proto__ would be no key there.
        text = ",".join(f"JSON.parse({json.dumps(json.dumps(value))})" for value in values)
        done = self._context.eval(f"JSON.stringify({function}({text}))")
        return None if done is None else json.loads(str(done))

    def text(self, expression: str) -> str:
        """The value of an expression that is a string."""
        return str(self._context.eval(expression))
