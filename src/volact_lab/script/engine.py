"""Runs a script in an embedded engine that has the prelude, and reports how it ended.

An engine is used again for another script only after it was found to be as the
prelude left it.  It cannot be interrupted in the middle of a computation; every
call that leaves the script is, and memory and stack are bounded.  The engine
module comes with the ``lab`` extra.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import cache
from importlib import import_module, resources
from typing import Any

from volact_lab.cmd.process import Process
from volact_lab.errors import Ended, LabError
from volact_lab.script.host import Bridge
from volact_lab.script.source import split, with_puts
from volact_lab.script.values import Answer

_MEMORY = 64 << 20
_STACK = 1 << 20
_USES = 500
_KEPT = 8
_PARTS = ("bridge", "com", "wmi", "files", "http", "host", "language", "end")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a script ended: its exit code, and the uncaught error if there was one."""

    exit_code: int
    error: str = ""


@cache
def _prelude() -> str:
    folder = resources.files("volact_lab.script").joinpath("prelude")
    text = "\n".join(folder.joinpath(f"{part}.js").read_text("utf-8") for part in _PARTS)
    # Comments and indentation cost parsing time.
    lines = (line.strip() for line in text.splitlines())
    kept = "\n".join(line for line in lines if line and not line.startswith(("/*", "*", "//")))
    return f"(function (global) {{{kept}\n}})(this)"


@cache
def _module() -> Any:
    try:
        return import_module("quickjs")
    except ImportError as error:
        raise LabError(
            "the lab needs a JavaScript engine", "install it with: pip install 'volact[lab]'"
        ) from error


class _Engine:
    """One engine with the prelude in it.  It belongs to the thread that made it."""

    def __init__(self) -> None:
        self._context = _module().Context()
        self._context.set_memory_limit(_MEMORY)
        self._context.set_max_stack_size(_STACK)
        self._context.add_callable("__host", self._call)
        self._bridge: Bridge | None = None
        self._literal = ""
        self._context.add_callable("__json", lambda: self._literal)
        self._changed = self._context.eval(_prelude())
        self._compiled: dict[str, Any] = {}
        self._uses = 0

    def _call(self, *given: Any) -> Answer:
        return "q" if self._bridge is None else self._bridge(*given)

    def run(self, bridge: Bridge, source: str) -> str:
        """Run a script; the uncaught error as text, or ``""``."""
        self._bridge = bridge
        self._uses += 1
        parts = split(source)
        self._literal = parts.literal
        try:
            self._function(parts.template)()
        except _module().JSException as exception:
            return str(exception)
        finally:
            self._bridge = None
        return ""

    def _function(self, template: str) -> Any:
        """A script as a function of its own, so that its names end with it."""
        found = self._compiled.get(template)
        if found is None:
            if len(self._compiled) >= _KEPT:
                self._compiled.clear()
            found = self._context.eval(f"(function () {{{template}\n}})")
            self._compiled[template] = found
        return found

    def changed(self) -> str:
        """What the last script left behind in the engine, or ``""``."""
        return str(self._changed())

    @property
    def worn(self) -> bool:
        """Whether it has been used often enough."""
        return self._uses >= _USES


_engines = threading.local()


def _embedded(bridge: Bridge, source: str, process: Process) -> str:
    """Run a script in an engine of this thread; the uncaught error as text, or ``""``."""
    if not hasattr(_engines, "free"):
        _engines.free = []
    # In use: a script that starts another gets another engine.
    engine: _Engine = _engines.free.pop() if _engines.free else _Engine()
    error = engine.run(bridge, source)
    changed = engine.changed()
    if changed:
        process.machine.report(LabError(f"a script changed {changed} for all that follow"))
    elif not engine.worn and (not error or bridge.exit_code is not None):
        _engines.free.append(engine)
    return error


def run(process: Process, source: str, path: str, arguments: list[str]) -> Outcome:
    """Run a script to its end.  Ended when the process is ended from outside."""
    bridge = Bridge(process, path, arguments)
    other = process.machine.other_engine
    try:
        error = (
            other(bridge, _prelude(), with_puts(source))
            if other
            else _embedded(bridge, source, process)
        )
    finally:
        bridge.close()
    if bridge.ended:
        raise Ended
    if bridge.exit_code is not None:
        return Outcome(bridge.exit_code)
    return Outcome(1 if error else 0, error)
