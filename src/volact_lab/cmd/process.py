"""What every simulated process has, and how its command line becomes words."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from volact_lab.cmd.streams import Buffer, Sink, Source
from volact_lab.windows.environment import Environment
from volact_lab.windows.machine import Machine

_PLAIN = re.compile(r'[^ \t"\\]+')
_QUOTED = re.compile(r'[^"\\]+')


@dataclass(eq=False)
class Child:
    """A process that its parent does not wait for; ``running`` only while a call blocks it."""

    running: bool = False


@dataclass
class Process:
    """A running program on a machine.  ``arguments`` is the raw text behind its name."""

    machine: Machine
    env: Environment
    cwd: str
    out: Sink = field(default_factory=Buffer)
    err: Sink = field(default_factory=Buffer)
    stdin: bytes | Source = b""
    arguments: str = ""
    program: str = ""
    watched: Child | None = None  # what its parent may end
    unicode: bool = False  # cmd /u: what cmd itself prints is UTF-16

    def argv(self) -> list[str]:
        """The arguments as a C program gets them."""
        return split_arguments(self.arguments)

    def read(self) -> bytes:
        """The standard input to its end."""
        return self.stdin if isinstance(self.stdin, bytes) else self.stdin.read()

    def say(self, text: str) -> None:
        """Print a line."""
        self.out.write(self.encode(text + "\r\n"))

    def complain(self, text: str) -> None:
        """Print a line to the error stream."""
        self.err.write(self.machine.encode(text + "\r\n"))

    def encode(self, text: str) -> bytes:
        """Text as this process prints it."""
        return text.encode("utf-16-le") if self.unicode else self.machine.encode(text)

    def child(self, program: str, arguments: str) -> Process:
        """A process with this one's streams, folder and a copy of its environment."""
        return Process(
            self.machine,
            self.env.copy(),
            self.cwd,
            self.out,
            self.err,
            self.stdin,
            arguments,
            program,
            self.watched,
        )


def split_arguments(text: str) -> list[str]:
    """Split a command line as the C run-time of Windows does."""
    words: list[str] = []
    at, size = 0, len(text)
    while at < size:
        if text[at] in " \t":
            at += 1
            continue
        word, at = _word(text, at)
        words.append(word)
    return words


def _word(text: str, at: int) -> tuple[str, int]:
    out, quoted = "", False
    while at < len(text) and (quoted or text[at] not in " \t"):
        plain = (_QUOTED if quoted else _PLAIN).match(text, at)
        if plain:
            out += plain[0]
            at = plain.end()
            continue
        slashes = 0
        while text[at : at + 1] == "\\":
            slashes += 1
            at += 1
        if text[at : at + 1] == '"':
            out += "\\" * (slashes // 2)
            if slashes % 2:
                out += '"'
            else:
                quoted = not quoted
            at += 1
        else:
            out += "\\" * slashes
    return out, at
