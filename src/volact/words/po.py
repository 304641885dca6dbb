"""A reader of gettext ``.po`` files: messages, plural forms and the plural rule.

``make words`` writes them.  A catalogue is read as it is in the source tree, so that an
editable install and a wheel need no compiled file.
"""

from __future__ import annotations

import ast
import gettext
import re
from collections.abc import Callable, Iterator
from importlib import resources

import msgspec

_LINE = re.compile(r'(?:(msgctxt|msgid_plural|msgid|msgstr(?:\[\d\])?)\s+)?(".*")')
_PLURAL = re.compile(r"plural=([^;]+);")


class Entry(msgspec.Struct, frozen=True):
    """One message; ``said`` has one translation, or one for each plural form."""

    text: str
    many: str
    said: tuple[str, ...]
    fuzzy: bool


class Catalogue(msgspec.Struct, frozen=True):
    """A language's messages, the singular of each plural, and the plural form of a count."""

    messages: dict[str, tuple[str, ...]]
    singulars: dict[str, str]
    form: Callable[[int], int]


def load_catalogue(name: str) -> Catalogue:
    """The catalogue of a language, one of ``LANGUAGES``."""
    file = resources.files("volact.words").joinpath("locale", f"{name.replace('-', '_')}.po")
    return read_po(file.read_text("utf-8"))


def read_po(text: str) -> Catalogue:
    """The messages of a catalogue that are translated and not marked fuzzy."""
    entries = tuple(entries_of(text))
    header = next((entry.said[0] for entry in entries if not entry.text), "")
    rule = _PLURAL.search(header)
    told = [e for e in entries if e.text and all(e.said) and not e.fuzzy]
    messages = {e.text: e.said for e in told}
    singulars = {e.many: e.text for e in told if e.many}
    # gettext's own reader of the rule: the catalogue is ours, and it takes nothing but arithmetic.
    return Catalogue(messages, singulars, gettext.c2py(rule[1] if rule else "0"))


def entries_of(text: str) -> Iterator[Entry]:
    """All entries of a catalogue, the header (``text == ""``) too, without obsolete ones."""
    for block in re.split(r"\n\s*\n", text):
        parts: dict[str, str] = {}
        name, fuzzy = "", False
        for line in block.splitlines():
            match = _LINE.fullmatch(line)
            fuzzy = fuzzy or (line.startswith("#,") and "fuzzy" in line)
            if match:
                name = match[1] or name
                parts[name] = parts.get(name, "") + ast.literal_eval(match[2])
        if "msgid" in parts:
            said = tuple(parts[key] for key in sorted(parts) if key.startswith("msgstr"))
            yield Entry(parts["msgid"], parts.get("msgid_plural", ""), said, fuzzy)
