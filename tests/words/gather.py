"""Finding every sentence that is shown to a user, and bringing the catalogues up to date.

``make words`` runs this file: new sentences come into every catalogue of
``src/volact/words/locale`` without a translation, those that are gone go.  The
tests next to this file report what is still to be translated.
"""

from __future__ import annotations

import ast
import io
import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po
from jinja2 import Environment
from jinja2.ext import extract_from_ast

from volact.agent.spoken import said_in
from volact.knowledge.load import load_errors, load_profile, profile_names

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "volact"
LOCALE = SOURCE / "words" / "locale"

_SAYING = ("say", "tr", "count")
# By their whole names: a sentence that is wrapped may begin a line with "Last" or "Report".
_CHANGING = re.compile(
    '"(POT-Creation-Date|PO-Revision-Date|Generated-By|Project-Id-Version|Report-Msgid-Bugs-To'
    "|Last-Translator|Language-Team): "
)


class Message(NamedTuple):
    """One message and its plural, ``""`` where it has none; where it is in the source."""

    text: str
    many: str
    place: str


def messages() -> tuple[Message, ...]:
    """Everything that is to be translated, each once, in the order of its places."""
    found: dict[str, Message] = {}
    for message in occurrences():
        found.setdefault(message.text, message)
    return tuple(found.values())


@cache  # the whole source is read
def occurrences() -> tuple[Message, ...]:
    """Every message, once for each place that says it."""
    return tuple(_all())


def _all() -> Iterator[Message]:
    for path in sorted(SOURCE.rglob("*.py")):
        yield from in_python(path.read_text("utf-8"), _place(path))
    for path in sorted(SOURCE.rglob("templates/*.j2")):
        yield from in_template(path.read_text("utf-8"), _place(path))
    for path in sorted((SOURCE / "agent" / "source").glob("*.js")):
        yield from in_script(path.read_text("ascii"), _place(path))
    yield from _in_knowledge()


def _place(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def in_python(text: str, place: str) -> Iterator[Message]:
    """The literals given to ``say``, ``tr`` and ``count``."""
    for node in ast.walk(ast.parse(text)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            continue
        name = node.func.id
        if name == "count" and len(node.args) == 3:
            one, many = (literal(argument) for argument in node.args[1:])
            if one and many:
                yield Message(one, many, place)
        elif name in ("say", "tr") and node.args and (said := literal(node.args[0])):
            yield Message(said, "", place)


def literal(node: ast.expr) -> str:
    """The text of a string literal, ``""`` for anything else."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def in_template(text: str, place: str) -> Iterator[Message]:
    """The literals that an HTML template gives to ``tr``, ``say`` and ``count``."""
    parsed = Environment(autoescape=True).parse(text)
    for _, name, given in extract_from_ast(parsed, _SAYING):
        words = [given] if isinstance(given, str) else [word for word in given or () if word]
        if words:
            yield Message(words[0], words[1] if name == "count" else "", place)


def in_script(text: str, place: str) -> Iterator[Message]:
    """The agent's sentences for a user, and the notes of its steps."""
    for said in said_in(text):
        yield Message(said, "", place)


def _in_knowledge() -> Iterator[Message]:
    """Sentences of the data files: what a code means and what to do, who is entitled."""
    for info in load_errors().values():
        if info.family != "name-only":
            for said in filter(
                None, (info.meaning.rstrip("."), info.remedy, info.confidence, *info.causes)
            ):
                yield Message(braced(said), "", "src/volact/knowledge/errors")
    for name in profile_names():
        profile = load_profile(name)
        for text in filter(None, (profile.entitlement.text, profile.needs, *profile.notes)):
            yield Message(braced(text), "", f"src/volact/knowledge/providers/{name}.toml")


def braced(text: str) -> str:
    """A ready sentence as a template."""
    return text.replace("{", "{{").replace("}", "}}")


def template(language: str, wanted: Iterable[Message]) -> Catalog:
    """A catalogue without translations."""
    catalog = Catalog(locale=language, header_comment=f"# volact in {language}", fuzzy=False)
    for message in wanted:
        id = (message.text, message.many) if message.many else message.text
        catalog.add(id, locations=[(message.place, 0)])
    return catalog


def updated(old: str, language: str, wanted: Iterable[Message]) -> str:
    """A catalogue's text with new messages added and those that are gone taken away."""
    fresh = template(language, wanted)
    known = read_po(io.StringIO(old), locale=language)
    if old:
        fresh.mime_headers = [h for h in known.mime_headers if h[0] == "Plural-Forms"]
    for message in fresh:
        before = known.get(message.id[0] if isinstance(message.id, tuple) else message.id)
        if message.id and before is not None and before.pluralizable == message.pluralizable:
            message.string = before.string
    out = io.BytesIO()
    write_po(out, fresh, width=100, include_lineno=False, ignore_obsolete=True)
    text = out.getvalue().decode()
    # Dates and versions would change in every run and are of no use.
    lines = text.splitlines(keepends=True)
    return "".join(line for line in lines if not _CHANGING.match(line))


def main() -> int:
    """Bring every catalogue up to date."""
    wanted = messages()
    for path in sorted(LOCALE.glob("*.po")):
        old = path.read_text("utf-8")
        new = updated(old, path.stem, wanted)
        path.write_text(new, "utf-8")
        empty = len(re.findall(r'^msgstr(?:\[\d\])? ""\n\n', new, re.MULTILINE))
        sys.stdout.write(f"{path.stem}: {len(wanted)} sentences, {empty} to translate\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
