"""cmd.exe: runs the syntax tree.

What it remembers is in ``interpreter``, what each internal command does in
``builtins``, ``for`` in ``loops``, batch files in ``batch``, finding and
starting programs in ``launch``.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from volact_lab.cmd import batch, builtins, launch, loops, parse, tree
from volact_lab.cmd.conditions import holds
from volact_lab.cmd.expand import percent
from volact_lab.cmd.interpreter import Interpreter
from volact_lab.cmd.process import Process
from volact_lab.cmd.streams import Buffer, FileSink, Nul, Sink
from volact_lab.errors import LabError, WinFault
from volact_lab.windows.files import normal

_NOT_FOUND = 9009


class Shell(Interpreter):
    """One cmd.exe."""

    def another(self, process: Process) -> Shell:
        """A cmd.exe in its first state, for a process."""
        return Shell(process)

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
            self._program(text)
            return
        try:
            command(self, rest)
        except WinFault as fault:
            self.fail(fault)

    def _program(self, text: str) -> None:
        """Run a program or batch file and set the error level."""
        name, rest = launch.first_word(text)
        process = self.process
        node = launch.find(process, name)
        if node and process.machine.odd == "antivirus-bat" and node.path.lower().endswith(".bat"):
            process.machine.files.delete(node.path)
            node = None
        if node is None:
            process.complain(process.machine.language.not_recognized.format(name.strip('"')))
            self.errorlevel = _NOT_FOUND if self.args is not None else 1
            return
        if not node.path.lower().endswith((".bat", ".cmd")):
            self.errorlevel = launch.start(process, node, rest.lstrip(" \t"))
            return
        if self.batch is not None:
            raise LabError("a batch file that goes on in another without call is not modelled")
        batch.run_file(self, node.path, [name, *launch.split_arguments_raw(rest)])

    # streams

    def redirected(self, redirects: list[tree.Redirect], action: Callable[[], None]) -> None:
        """Run something with its streams redirected, or not at all."""
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
