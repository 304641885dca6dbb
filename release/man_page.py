"""The manual page ``volact.1``: the help of every verb, made of what ``--help`` prints.

click-man was tried: it does not see the options of Typer's commands.
"""

from __future__ import annotations

from collections.abc import Iterator

from make_site import help_of
from volact import __version__
from volact.cli.registry import VERBS

_EXIT = (
    ("0", "every server is activated and has no problem, or is accepted as it is"),
    ("1", "volact itself failed"),
    ("2", "wrong usage or input; no server was contacted"),
    ("3", "a server needs attention, or its repair failed"),
    ("4", "a server could not be examined or was not started"),
    ("130", "interrupted"),
)


def man_page(date: str) -> str:
    """The page in the man macros; ``date`` is that of the release, ``2026-01-31``."""
    return "\n".join(_lines(date)) + "\n"


def _lines(date: str) -> Iterator[str]:
    yield f'.TH VOLACT 1 {date} "volact {__version__}" "User Commands"'
    yield from (".SH NAME", "volact \\- activate Windows Servers by KMS, and say why it fails")
    yield from (".SH SYNOPSIS", ".B volact", ".I VERB", "[OPTIONS] [TARGET]...")
    yield ".SH VERBS"
    for verb in VERBS:
        for words in [[verb.name]] + [[verb.name, part.name] for part in verb.parts]:
            yield from (f".SS {_escaped(' '.join(words))}", ".nf")
            yield from map(_escaped, help_of(words).strip().splitlines())
            yield ".fi"
    yield ".SH EXIT STATUS"
    for code, meaning in _EXIT:
        yield from (".TP", f".B {code}", _escaped(meaning))


def _escaped(line: str) -> str:
    """Text as troff prints it: no macro, no escape."""
    text = line.replace("\\", "\\e").replace("-", "\\-")
    text = "".join(one if one.isascii() else f"\\[u{ord(one):04X}]" for one in text)
    return f"\\&{text}" if text.startswith((".", "'")) else text
