"""Docstrings and comments have things as subjects, and names are those of the glossary."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
VOLACT = ROOT / "src" / "volact"
# The docstrings of options are help texts: sentences for users, which are translated apart.
FILES = [
    path
    for folder in ("cli", "fleet", "pipeline", "endpoints", "words")
    for path in sorted((VOLACT / folder).rglob("*.py"))
    if path.parent.name not in {"options", "verbs"}
]
# Everything that is read: no person stands where a thing belongs.
PAGES = [
    path
    for folder in ("src", "docs", "bench", "release")
    for path in sorted((ROOT / folder).rglob("*"))
    if path.suffix in {".py", ".js", ".bat", ".j2", ".md", ".toml", ".sh"}
] + sorted(ROOT.glob("*.md"))
PERSON_WORDS = ("whoever", "whomever", "whatever", "somebody", "nobody", "anybody", "everybody")
PERSONS = re.compile(rf"(?<!~)\b({'|'.join(PERSON_WORDS)})\b", re.I)
LOOK = re.compile(r"\b(a|an|closing|first|second|fresh|next|last|each|every) looks?\b", re.I)
DIALECT = re.compile(r"\b(whose turn|a way in|way back)\b", re.I)
RETIRED = re.compile(
    r"\b(Conductor|Crew|Views|Course|Ears|Loss|Turns|lost_row|unhurried|Keeping|Rhythm)\b"
)


def prose(text: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield ast.get_docstring(node) or ""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.string


def test_no_person_stands_where_a_thing_belongs() -> None:
    assert len(PAGES) > 400
    found = [
        f"{path.relative_to(ROOT)}: {line}"
        for path in PAGES
        for line in path.read_text("utf-8").splitlines()
        if PERSONS.search(line) or LOOK.search(line)
    ]
    assert found == []


def test_names_of_tests_have_things_as_subjects() -> None:
    names = [
        name
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        for name in re.findall(r"^ *(?:async )?def (test_\w+)", path.read_text("utf-8"), re.M)
    ]
    assert len(names) > 2000
    assert [name for name in names if set(PERSON_WORDS) & set(name.split("_"))] == []


# Names with one meaning at each end of a seam.
SAME_NAME = {"Outcome", "Secrets"}


def test_a_name_stands_for_one_thing() -> None:
    """Classes and types at the top of modules; folders of clouds have the same parts."""
    places: dict[str, set[str]] = {}
    for path in sorted(VOLACT.rglob("*.py")):
        parts = path.relative_to(VOLACT).parts
        room = "cloud" if parts[0] == "cloud" and len(parts) > 2 else "/".join(parts)
        for node in ast.parse(path.read_text("utf-8")).body:
            for name in types_of(node):
                places.setdefault(name, set()).add(room)
    assert len(places) > 500
    assert {name for name, rooms in places.items() if len(rooms) > 1} <= SAME_NAME


def types_of(node: ast.stmt) -> Iterator[str]:
    """The public class, or the name for a type, that a statement makes."""
    if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
        yield node.name
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Subscript | ast.BinOp):
        names = (item.id for item in node.targets if isinstance(item, ast.Name))
        yield from (name for name in names if re.match(r"[A-Z]\w*[a-z]", name))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(VOLACT)))
def test_prose_and_names_are_plain(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not [line for line in prose(text) if DIALECT.search(line)]
    names = {
        token.string
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type == tokenize.NAME
    }
    assert not {name for name in names if RETIRED.search(name)}


def test_a_word_of_the_glossary_has_one_line() -> None:
    table = (ROOT / "ARCHITECTURE.md").read_text("utf-8").partition("## Glossary")[2]
    rows = re.findall(r"^\| ([a-zA-Z -]+) \| (.+) \| (.*)\|$", table.partition("\n## ")[0], re.M)
    words = [word for word, _, _ in rows if word != "word"]
    assert len(words) > 30
    assert len(set(words)) == len(words)
    others = {other.strip() for _, _, others in rows for other in others.split(",")} - {"", "not"}
    assert not others & set(words), "a retired word is still defined"
