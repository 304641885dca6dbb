"""Batch files: line after line, labels, and what is put back when they end."""

from __future__ import annotations

import re
from itertools import chain

from volact_lab.cmd import parse, tree
from volact_lab.cmd.control import Jump, LeaveBatch
from volact_lab.cmd.expand import percent
from volact_lab.cmd.interpreter import Interpreter, Saved

_LABEL = re.compile(r"[\s,;=]*:[\s,;=]*([^\s:+,;=&|<>]+)")


class BatchFile:
    """A batch file in execution.  It is read as it runs: deleted, it cannot go on."""

    def __init__(self, shell: Interpreter, path: str) -> None:
        machine = shell.process.machine
        self._shell = shell
        self.path = path
        text = machine.files.read(path).decode(machine.language.oem, "replace")
        self._lines = text.replace("\r\n", "\n").split("\n")

    def run(self, start: int = 0) -> None:
        """Run from a line to the end, ``exit /b`` or ``goto :eof``."""
        depth = len(self._shell.saved)
        at = start
        try:
            while at < len(self._lines) and self._still_there():
                at = self._step(at)
        except LeaveBatch:
            pass
        finally:
            while len(self._shell.saved) > depth:
                self.restore(self._shell)

    def _still_there(self) -> bool:
        process = self._shell.process
        there = process.machine.files.is_file(self.path)
        if not there:
            process.complain(process.machine.language.batch_gone)
            self._shell.errorlevel = 1
        return there

    def _step(self, at: int) -> int:
        """Run the logical line that starts at a line; returns the next line."""
        shell = self._shell
        typed = self._lines[at]
        if typed.lstrip().startswith(":"):
            return at + 1
        text = percent(typed, shell.scope())
        at += 1
        while True:
            try:
                node = parse.parse(text)
                break
            except parse.Unfinished:
                if at >= len(self._lines):
                    return at
                text += "\n" + percent(self._lines[at], shell.scope())
                at += 1
            except parse.SyntaxFault as fault:
                shell.syntax_error(fault)
                raise LeaveBatch from fault
        return self._run(node, typed, text, at)

    def _run(self, node: tree.Node | None, typed: str, text: str, at: int) -> int:
        shell = self._shell
        if node is None:
            return at
        if shell.echo and not typed.lstrip().startswith("@"):
            shell.process.say(f"\r\n{shell.process.cwd}>{text}")
        try:
            shell.run(node)
        except Jump as jump:
            return self._find(jump.label, at)
        return at

    def _find(self, label: str, at: int) -> int:
        """The line behind a label: searched for downwards, then from the top."""
        for index in chain(range(at, len(self._lines)), range(at)):
            match = _LABEL.match(self._lines[index])
            if match and match[1].lower() == label.lower():
                return index + 1
        process = self._shell.process
        process.complain(process.machine.language.no_label.format(label))
        self._shell.errorlevel = 1
        raise LeaveBatch

    def call(self, label: str, args: list[str]) -> None:
        """``call :label``: run from a label with arguments of its own."""
        shell = self._shell
        start = self._find(label, 0)
        kept, shell.args = shell.args, [f":{label}", *args]
        try:
            self.run(start)
        finally:
            shell.args = kept

    @staticmethod
    def save(shell: Interpreter) -> None:
        """``setlocal``."""
        process = shell.process
        shell.saved.append(Saved(process.env.copy(), process.cwd, shell.delayed))

    @staticmethod
    def restore(shell: Interpreter) -> None:
        """``endlocal``."""
        saved = shell.saved.pop()
        shell.process.env, shell.process.cwd = saved.env, saved.cwd
        shell.delayed = saved.delayed


def run_file(shell: Interpreter, path: str, args: list[str]) -> None:
    """Run a batch file in a shell and come back."""
    kept = (shell.args, shell.script, shell.batch)
    shell.args, shell.script = args, path
    try:
        shell.batch = file = BatchFile(shell, path)
        file.run()
    finally:
        shell.args, shell.script, shell.batch = kept
