"""An inventory in TOML into servers, strictly and with line numbers.

Every key is known or refused, every error names its file and line.
``choose`` checks later that the secrets and key files are there, for the
servers that are really meant.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from volact.errors import InputError, one_line
from volact.inventory.build import make_server
from volact.inventory.fields import Fields, FilePlace, near
from volact.inventory.keys import OWN, SHARED, said, skip_reason
from volact.inventory.lines import TomlLines
from volact.inventory.listing import Inventory, Listing
from volact.inventory.text_file import text_of
from volact.knowledge.load import license_words
from volact.model.profile import IMAGE_SOURCES, IMAGE_TYPES, Image
from volact.model.text import say

_TABLES = ("defaults", "group", "server", "images", "skip")


def read_document(path: Path, shown: str) -> Inventory:
    """A TOML file; what is wrong with single tables is in the result's problems."""
    listing = Listing(path, shown)
    text = text_of(path, shown)
    try:
        values = tomllib.loads(text)
    except RecursionError as error:
        raise InputError(say("not TOML: it is nested too deeply"), where=shown) from error
    except ValueError as error:  # also of a number with thousands of digits
        what = say("not TOML: {error}", error=one_line(str(error)))
        raise InputError(what, _hint(str(error)), where=shown) from error
    return _Document(listing, TomlLines(text), values).read()


def _hint(error: str) -> str:
    """What most often is behind a sentence of the TOML reader."""
    if error.startswith(("Unescaped '\\'", "Invalid hex value")):
        return say("write the text in single quotes, or each backslash twice")
    return say("text goes in double quotes") if error.startswith("Invalid value") else ""


class _Document:
    """The tables of one file."""

    def __init__(self, listing: Listing, lines: TomlLines, values: dict[str, Any]) -> None:
        self._listing = listing
        self._lines = lines
        self._values = values
        self._defaults: dict[str, Any] = {}
        self._groups: dict[str, dict[str, Any]] = {}

    def read(self) -> Inventory:
        attempt = self._listing.attempt
        self._only(self._fields("", self._values), _TABLES)
        self._defaults = attempt(lambda: self._shared("defaults", self._value("defaults"))) or {}
        self._read_groups()
        for fields in attempt(self._server_tables) or ():
            attempt(partial(self._add, fields))
        attempt(self._skip)
        self._each_group_has_members()
        return self._listing.done(attempt(self._images))

    def _fields(self, table: str, values: Any, index: int = 0) -> Fields:
        def key_at(key: str) -> str:
            return self._listing.at(self._lines.of(table, index, key))

        place = FilePlace(self._listing.shown, self._lines.of(table, index), key_at)
        return Fields(values, place, self._listing.folder, table)

    def _value(self, table: str) -> Any:
        return self._values.get(table, {})

    def _shared(self, table: str, values: Any) -> dict[str, Any]:
        fields = self._fields(table, values)
        self._only(fields, SHARED)
        return said(fields)

    def _only(self, fields: Fields, known: tuple[str, ...]) -> bool:
        """Whether every key of a table is known; those that are not are problems, each."""
        unknown = fields.unknown(known)
        self._listing.problems += unknown
        return not unknown

    def _read_groups(self) -> None:
        tables = self._listing.attempt(lambda: self._fields("group", self._value("group")).values)
        for name, values in (tables or {}).items():
            read = partial(self._shared, f"group.{name}", values)
            self._groups[name] = self._listing.attempt(read) or {}

    def _server_tables(self) -> list[Fields]:
        servers = self._values.get("server", [])
        if not isinstance(servers, list):
            raise InputError(
                say("write [[server]], with two brackets"),
                where=self._listing.at(self._lines.of("server")),
            )
        if not servers:
            raise InputError(
                say("has no [[server]]"),
                say("add one with its name and address"),
                where=self._listing.shown,
            )
        return [self._fields("server", value, index) for index, value in enumerate(servers)]

    def _add(self, fields: Fields) -> None:
        if self._only(fields, OWN):
            self._listing.add(make_server(fields, self._beneath), fields)

    def _beneath(self, own_tags: tuple[str, ...]) -> Sequence[dict[str, Any]]:
        """Defaults, then the groups of the server's tags; its first tag's group wins."""
        tags = dict.fromkeys((*own_tags, *self._defaults.get("tags", ())))
        named = [self._groups[tag] for tag in tags if tag in self._groups]
        return (self._defaults, *reversed(named))

    def _each_group_has_members(self) -> None:
        tags = self._listing.tags
        for name in self._groups:
            if name not in tags and not self._listing.problems:
                line = self._lines.of(f"group.{name}")
                hint = near(name, tags) if tags else say("give a server tags = [...]")
                self._listing.problem(
                    say("no server has the tag {name}", name=repr(name)), hint, line=line
                )

    def _skip(self) -> None:
        """Names, tags and globs of servers that no run takes, each with its reason."""
        fields = self._fields("skip", self._value("skip"))
        for word in fields.values:
            if not self._listing.skip(word, skip_reason(fields, word)):
                raise fields.error(say("no such server: {word}", word=word), word)

    def _images(self) -> dict[str, Image]:
        fields = self._fields("images", self._value("images"))
        words = _image_words() if fields.values else {}  # they are in every profile
        return {name: _image(fields, name, value, words) for name, value in fields.values.items()}


def _image_words() -> dict[str, tuple[str, ...]]:
    """What each key of an image may hold."""
    return {"type": IMAGE_TYPES, "source": IMAGE_SOURCES, "license": license_words()}


def _image(fields: Fields, name: str, value: Any, words: Mapping[str, tuple[str, ...]]) -> Image:
    if not isinstance(value, dict):
        raise fields.error(say("image {name} is not a table", name=name), name)
    for key, word in value.items():
        if key not in words:
            raise fields.error(
                say("image {name}: unknown key {key}", name=name, key=repr(key)),
                name,
                near(key, words),
            )
        if word not in words[key]:
            known = ", ".join(words[key])
            raise fields.error(
                say(
                    "image {name}: {key} is {word}, must be one of {known}",
                    name=name,
                    key=key,
                    word=repr(word),
                    known=known,
                ),
                name,
            )
    return Image(**value)
