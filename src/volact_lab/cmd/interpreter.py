"""What a running cmd.exe remembers, and what its parts may ask of it.

The parts (internal commands, ``if``, ``for``, batch files) are written against
``Interpreter``; ``shell`` puts them together.
"""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Protocol

from volact_lab.cmd import parse, tree
from volact_lab.cmd.expand import Scope, delayed, for_variables
from volact_lab.cmd.process import Process
from volact_lab.errors import LabError, WinFault
from volact_lab.windows.environment import Environment


@dataclass(frozen=True, slots=True)
class Saved:
    """What ``setlocal`` remembers."""

    env: Environment
    cwd: str
    delayed: bool


class RunningBatch(Protocol):
    """A batch file in execution."""

    def call(self, label: str, args: list[str]) -> None:
        """``call :label``: run from a label with arguments of its own."""


class Interpreter(ABC):
    """The state of one cmd.exe."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.errorlevel = 0
        self.echo = True
        self.delayed = False
        self.args: list[str] | None = None  # of the batch file that runs
        self.script = ""  # its full path
        self.batch: RunningBatch | None = None
        self.saved: list[Saved] = []  # by ``setlocal``
        self.variables: dict[str, str] = {}  # of ``for``

    @abstractmethod
    def another(self, process: Process) -> Interpreter:
        """A cmd.exe in its first state, for a process."""

    @abstractmethod
    def run_line(self, line: str) -> None:
        """Run a line of the command prompt (or of ``cmd /c``)."""

    @abstractmethod
    def run(self, node: tree.Node) -> None:
        """Run one node of the tree."""

    @abstractmethod
    def simple(self, text: str) -> None:
        """Run one command: internal, a label to call, or a program."""

    # expansion

    def lookup(self, name: str) -> str | None:
        """A variable, or one that cmd.exe makes up."""
        found = self.process.env.get(name)
        if found is not None:
            return found
        dynamic = {
            "ERRORLEVEL": str(self.errorlevel),
            "CD": self.process.cwd,
            "RANDOM": str(random.randrange(32768)),
            "CMDEXTVERSION": "2",
        }
        if name.upper() in {"DATE", "TIME"}:
            raise LabError(f"%{name}% depends on the language of Windows and is not modelled")
        return dynamic.get(name.upper())

    def scope(self) -> Scope:
        """What percent signs are expanded with right now."""
        process = self.process
        return Scope(self.lookup, process.machine.files, process.cwd, self.args, self.script)

    def expanded(self, text: str) -> str:
        """Text of a command when it is about to run: ``for`` and ``!delayed!``."""
        text = for_variables(text, self.variables, self.scope())
        return delayed(text, self.lookup) if self.delayed else text

    # failures

    def syntax_error(self, fault: parse.SyntaxFault) -> None:
        """Complain as cmd.exe does."""
        self.process.complain(self.process.machine.language.unexpected.format(fault.near))
        self.errorlevel = 255

    def fail(self, fault: WinFault) -> None:
        """Print what a failed internal command prints, and set the error level."""
        number = fault.code & 0xFFFF
        self.process.complain(self.process.machine.language.win32_text(number))
        self.errorlevel = 1
