"""Each command line of volact that a page shows is one that volact takes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
import typer

from volact.cli.registry import VERBS, command_of
from volact.words import language, use

ROOT = Path(__file__).parents[2]
PAGES = [
    path
    for folder in ("docs", "integrations", "examples", "bench", "release")
    for path in sorted((ROOT / folder).rglob("*.md"))
] + sorted(ROOT.glob("*.md"))
OF_ALL = {"--version", "--help", "--install-completion", "--show-completion"}
# A block is fenced, or indented behind an empty line; other commands are inline.
_BLOCK = re.compile(
    r"^```\w*\n([\s\S]*?)^```|(?<=\n\n)((?:^ {4,}\S[^\n]*\n(?:\n(?= {4}))?)+)|`(volact [^`]+)`",
    re.MULTILINE,
)
# Before it there may be a prompt, variables, and the folder of the program.
_TYPED = re.compile(r"(?:\$ |> )?(?:[A-Z_]+=\S+ +)*(?:\S*/)?volact +(.+)")
_ENDS = set("|&;<>()")
_PLACEHOLDERS = {"ROLE": "viewer"}  # where any other word is refused


def shown(text: str) -> Iterator[str]:
    """What is typed after ``volact`` on a page."""
    for block in _BLOCK.finditer(text):
        lines = next(filter(None, block.groups()), "").replace("\\\n", " ").splitlines()
        for line in [" ".join(lines)] if block[3] else lines:
            if match := _TYPED.fullmatch(line.strip()):
                yield match[1]


def arguments(line: str) -> list[str]:
    """The words up to a comment, a pipe or a redirection; the brackets of a synopsis go."""
    if re.search(r" \[", line):
        line = re.sub(r"[][]|\.\.\.", "", line)
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words = takewhile(lambda word: not _ENDS.issuperset(word), lexer)
    return [_PLACEHOLDERS.get(word, word) for word in words]


def taken(args: list[str]) -> str:
    """Parse as the command line does; the error, where it does not take them."""
    name, *rest = args
    if name in OF_ALL:
        return ""
    verb = next((verb for verb in VERBS if verb.name == name), None)
    if verb is None:
        return f"no verb {name}"
    if verb.parts and rest:
        return next(
            (parsed(part, rest[1:]) for part in verb.parts if part.name == rest[0]), rest[0]
        )
    return "" if verb.parts else parsed(verb, rest)


def parsed(verb: Any, args: list[str]) -> str:
    if args == ["--help"]:
        return ""
    spoken = language()
    try:
        command_of(verb).make_context(verb.name, args)
    except typer.TyperException as error:
        return error.format_message()
    finally:
        use(spoken)
    return ""


def test_lines_are_found_and_wrong_ones_are_refused() -> None:
    page = (
        "a\n\n    $ X=1 volact check -i a --lmit b | cat  # c\n\n`volact chek` and `volact runs`\n"
    )
    lines = list(shown(page))
    assert [arguments(line) for line in lines] == [
        ["check", "-i", "a", "--lmit", "b"],
        ["chek"],
        ["runs"],
    ]
    assert [bool(taken(arguments(line))) for line in lines] == [True, True, False]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_line_is_one_that_volact_takes(path: Path) -> None:
    lines = [line for line in shown(path.read_text("utf-8")) if not line.startswith("VERB ")]
    refused = {line: error for line in lines if (error := taken(arguments(line)))}
    assert not refused
