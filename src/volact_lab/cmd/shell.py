"""cmd.exe: runs the syntax tree, keeps variables, folder and error level.

What each internal command does is in ``builtins``, ``for`` in ``loops``,
batch files in ``batch``, starting programs in ``launch``.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import ExitStack

from volact_lab.cmd import builtins, launch, loops, parse, tree
from volact_lab.cmd.batch import BatchFile, Saved
from volact_lab.cmd.conditions import holds
from volact_lab.cmd.expand import Scope, delayed, for_variables, percent
from volact_lab.cmd.process import Process
from volact_lab.cmd.streams import Buffer, FileSink, Nul, Sink
from volact_lab.errors import LabError, WinFault
from volact_lab.windows.files import normal


class Shell:
    """One cmd.exe."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.errorlevel = 0
        self.echo = True
        self.delayed = False
        self.args: list[str] | None = None  # of the batch file that runs
        self.script = ""  # its full path
        self.batch: BatchFile | None = None
        self.saved: list[Saved] = []  # by ``setlocal``
        self.variables: dict[str, str] = {}  # of ``for``

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

    # running

    def run_line(self, line: str) -> None:
        """Run a line of the command prompt (or of ``cmd /c``)."""
        try:
            node = parse.parse(percent(line, self.scope()))
        except parse.Unfinished:
            node = None
        except parse.SyntaxFault as fault:
            self.syntax_error(fault)
            return
        if node is not None:
            self.run(node)

    def syntax_error(self, fault: parse.SyntaxFault) -> None:
        """Complain as cmd.exe does."""
        self.process.complain(self.process.machine.language.unexpected.format(fault.near))
        self.errorlevel = 255

    def run(self, node: tree.Node) -> None:
        """Run one node of the tree."""
        self.process.machine.check_time()
        match node:
            case tree.Simple():
                self.redirected(node.redirects, lambda: self.simple(self.expanded(node.text)))
            case tree.Block():
                self.redirected(node.redirects, lambda: self._body(node))
            case tree.Chain():
                self._chain(node)
            case tree.If():
                self._if(node)
            case tree.For():
                loops.run(self, node)

    def _body(self, node: tree.Block) -> None:
        for part in node.body:
            self.run(part)

    def _if(self, node: tree.If) -> None:
        if holds(self, [self.expanded(word) for word in node.words]):
            self.run(node.then)
        elif node.otherwise is not None:
            self.run(node.otherwise)

    def _chain(self, node: tree.Chain) -> None:
        if node.operator == "|":
            self._pipe(node)
            return
        self.run(node.left)
        go_on = {"&": True, "&&": self.errorlevel == 0, "||": self.errorlevel != 0}
        if go_on[node.operator]:
            self.run(node.right)

    def _pipe(self, node: tree.Chain) -> None:
        process, between = self.process, Buffer()
        with ExitStack() as stack:
            stack.callback(setattr, process, "out", process.out)
            process.out = between
            self.run(node.left)
        with ExitStack() as stack:
            stack.callback(setattr, process, "stdin", process.stdin)
            process.stdin = between.value()
            self.run(node.right)

    def simple(self, text: str) -> None:
        """Run one command: internal, a label to call, or a program."""
        if not text.strip():
            return
        name, rest = builtins.split_name(text)
        command = builtins.COMMANDS.get(name.lower())
        if command is None:
            launch.external(self, text)
            return
        try:
            command(self, rest)
        except WinFault as fault:
            self.fail(fault)

    def fail(self, fault: WinFault) -> None:
        """Print what a failed internal command prints, and set the error level."""
        number = fault.code & 0xFFFF
        self.process.complain(self.process.machine.language.win32_text(number))
        self.errorlevel = 1

    # streams

    def redirected(self, redirects: list[tree.Redirect], action: Callable[[], None]) -> None:
        """Run something with the streams as its redirections say, or not at all."""
        with ExitStack() as stack:
            try:
                for redirect in redirects:
                    self._apply(redirect, stack)
            except WinFault as fault:
                self.fail(fault)
                return
            action()

    def _apply(self, redirect: tree.Redirect, stack: ExitStack) -> None:
        target = self.expanded(redirect.target)
        process = self.process
        if redirect.mode == "&":
            sink: Sink = process.out if target == "1" else process.err
        elif redirect.mode == "<":
            data = process.machine.files.read(normal(target, process.cwd))
            kept, process.stdin = process.stdin, data
            stack.callback(setattr, process, "stdin", kept)
            return
        elif target.lower() == "nul":
            sink = Nul()
        else:
            path = normal(target, process.cwd)
            opened = FileSink(process.machine.files, path, append=redirect.mode == ">>")
            stack.callback(opened.close)
            sink = opened
        stream = {1: "out", 2: "err"}.get(redirect.handle)
        if stream is None:
            raise LabError(f"redirecting handle {redirect.handle} is not modelled")
        stack.callback(setattr, process, stream, getattr(process, stream))
        setattr(process, stream, sink)
