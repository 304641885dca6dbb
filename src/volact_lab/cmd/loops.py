"""``for`` in its plain form, ``/d``, ``/l`` and ``/f``."""

from __future__ import annotations

import fnmatch
import re

from volact_lab.cmd import tree
from volact_lab.cmd.interpreter import Interpreter
from volact_lab.cmd.streams import Buffer
from volact_lab.errors import LabError
from volact_lab.windows.files import normal


def run(shell: Interpreter, node: tree.For) -> None:
    """Run the body once for everything that the loop yields."""
    items = shell.expanded(node.items)
    if node.switch == "":
        rounds = [[word] for word in _plain(items)]
    elif node.switch == "d":
        rounds = [[path] for word in _words(items) for path in _folders(shell, word.strip('"'))]
    elif node.switch == "l":
        rounds = [[str(number)] for number in _count(items)]
    elif node.switch == "f":
        rounds = _parsed(shell, shell.expanded(node.options), items)
    else:
        raise LabError(f"for /{node.switch} is not modelled")
    kept = dict(shell.variables)
    try:
        for values in rounds:
            for index, value in enumerate(values):
                shell.variables[chr(ord(node.variable) + index)] = value
            shell.run(node.body)
    finally:
        shell.variables = kept


def _words(items: str) -> list[str]:
    return re.findall(r'"[^"]*"|[^\s,;="]+', items)


def _folders(shell: Interpreter, pattern: str) -> list[str]:
    """The folders that fit a name with wildcards."""
    above, _, name = normal(pattern.replace("*", "\x01"), shell.process.cwd).rpartition("\\")
    wanted = name.replace("\x01", "*").lower()
    inside = list(shell.process.machine.files.children(above))
    return [n.path for n in inside if n.folder and fnmatch.fnmatch(n.name.lower(), wanted)]


def _plain(items: str) -> list[str]:
    words = _words(items)
    if any("*" in word or "?" in word for word in words):
        raise LabError(f"wildcards in for are not modelled: {items}")
    return words


def _count(items: str) -> range:
    start, step, end = (int(word) for word in re.split(r"[\s,;]+", items.strip()))
    return range(start, end + (1 if step > 0 else -1), step)


class _Options:
    """What is in the quotes behind ``for /f``."""

    def __init__(self, text: str) -> None:
        self.skip = 0
        self.eol = ";"
        self.delims = " \t"
        self.tokens = ["1"]
        self.usebackq = False
        rest = text
        match = re.search(r"delims=(.*)$", rest, re.IGNORECASE)
        if match:
            # The last option may hold a blank; one in the middle ends at a blank.
            value = match[1]
            inner = re.match(r"(\S*)\s+(?=(?:tokens|skip|eol)=|usebackq)", value, re.IGNORECASE)
            self.delims = inner[1] if inner else value
            rest = rest[: match.start()] + (value[inner.end() :] if inner else "")
        for word in rest.split():
            self._word(word)

    def _word(self, word: str) -> None:
        name, _, value = word.partition("=")
        match name.lower():
            case "skip":
                self.skip = int(value)
            case "eol":
                self.eol = value[:1]
            case "tokens":
                self.tokens = value.split(",")
            case "usebackq":
                self.usebackq = True
            case _:
                raise LabError(f"the option {word} of for /f is not modelled")

    def pick(self, line: str) -> list[str] | None:
        """The asked tokens of a line; None when the line is to be passed over."""
        if not line or (self.eol and line.startswith(self.eol)):
            return None
        spans = [m.span() for m in re.finditer(self._pattern(), line)] if self.delims else []
        words = [line[a:b] for a, b in spans] if self.delims else [line]
        if not words:
            return None
        picked: list[str] = []
        for token in self.tokens:
            picked += self._token(token, words, spans, line)
        return picked

    def _pattern(self) -> str:
        return f"[^{re.escape(self.delims)}]+"

    @staticmethod
    def _token(token: str, words: list[str], spans: list[tuple[int, int]], line: str) -> list[str]:
        def word(index: int) -> str:
            return words[index - 1] if index <= len(words) else ""

        if token == "*":
            return [line.lstrip()]
        number, star, _ = token.partition("*")
        if star:
            index = int(number)
            behind = line[spans[index][0] :] if index < len(spans) else ""
            return [word(index), behind]
        low, dash, high = token.partition("-")
        last = int(high) if dash else int(low)
        return [word(index) for index in range(int(low), last + 1)]


def _parsed(shell: Interpreter, options: str, items: str) -> list[list[str]]:
    rules = _Options(options)
    lines = _lines(shell, items.strip(), usebackq=rules.usebackq)[rules.skip :]
    picked = (rules.pick(line) for line in lines)
    return [values for values in picked if values is not None]


def _lines(shell: Interpreter, items: str, *, usebackq: bool) -> list[str]:
    command, text = ("`", "'") if usebackq else ("'", '"')
    quote = items[:1]
    if quote == command and items.endswith(command):
        return _output(shell, items[1:-1])
    if quote == text and items.endswith(text):
        return [items[1:-1]]
    machine = shell.process.machine
    path = normal(items.strip('"'), shell.process.cwd)
    return machine.files.read(path).decode(machine.language.oem, "replace").splitlines()


def _output(shell: Interpreter, command: str) -> list[str]:
    """What a command prints, run in a shell of its own."""
    buffer = Buffer()
    process = shell.process.child("cmd.exe", command)
    process.out = buffer
    shell.another(process).run_line(command)
    text = buffer.value().decode(process.machine.language.oem, "replace")
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
