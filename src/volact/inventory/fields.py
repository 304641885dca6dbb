"""One table of an inventory file: typed values out, errors with the place in.

In every file format, a table here is a mapping of the TOML form's keys.  What
the keys mean is in ``keys``; here is only what a text, a list or a path is,
and its place in the file.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from volact.bounded.files import own_path
from volact.errors import InputError
from volact.model.error_text import message_text
from volact.model.text import Text, say

T = TypeVar("T")

_LISTED = 15  # words of a hint
_MANY = 400  # words to compare with, one by one
_LONG = 80  # characters of a word that is compared
_ESCAPED = re.compile(r"[\t\b\f\r\n\x1b]")


def at_line(file: str, line: int) -> Text:
    """``lab.toml line 12``."""
    return say("{file} line {line}", file=file, line=line)


class FilePlace(msgspec.Struct, frozen=True):
    """Where in its file a table stands; ``key_at`` tells the place of a key that has its own."""

    shown: str
    line: int
    key_at: Callable[[str], str | None] = lambda key: None

    def at(self, key: str | None = None) -> str:
        """``lab.toml line 12``, of a key or of the table."""
        own = self.key_at(key) if key is not None else None
        return own or at_line(self.shown, self.line)


class Fields:
    """The values of one table and their places."""

    __slots__ = ("_folder", "_place", "values")

    def __init__(self, values: Any, place: FilePlace, folder: Path, title: str = "table") -> None:
        self._place = place
        self._folder = folder
        if not isinstance(values, dict):
            raise self.error(say("{title} is not a table", title=title))
        self.values: Mapping[str, Any] = values

    @property
    def line(self) -> int:
        """The line of the table."""
        return self._place.line

    def at(self, key: str | None = None) -> str:
        """``lab.toml line 12``."""
        return self._place.at(key)

    def error(self, message: str, key: str | None = None, hint: str = "") -> InputError:
        """An error at the place of a key, or of the table."""
        return InputError(message, hint, where=self.at(key))

    @contextmanager
    def at_key(self, key: str) -> Iterator[None]:
        """Give an ``InputError`` of the block the place of a key."""
        try:
            yield
        except InputError as error:
            raise self.error(message_text(error), key, error.hint) from error

    def unknown(self, known: Sequence[str]) -> list[InputError]:
        """An error for every key that is not known."""
        return [
            self.error(say("unknown key {key}", key=repr(key)), key, near(key, known))
            for key in self.values
            if key not in known
        ]

    def text(self, key: str) -> str:
        """A text, ``""`` when the key is not there."""
        value = self.values.get(key, "")
        if not isinstance(value, str):
            raise self.error(say("{key} is not a text", key=key), key)
        return self.filled(key, value) if key in self.values else ""

    def account(self, key: str) -> str:
        """The name of an account."""
        return self._plain(self.text(key), key)

    def _plain(self, text: str, key: str) -> str:
        if _ESCAPED.search(text):  # "CORP\tom" in double quotes has a tab in it
            raise self.error(
                say("{key} has a control character", key=key),
                key,
                say("write the text in single quotes, or each backslash twice"),
            )
        return text

    def filled(self, key: str, value: T) -> T:
        """The value of a key, which names something: ``InputError`` for an empty one."""
        if not value or (isinstance(value, str) and not value.strip()):
            raise self.error(
                say("{key} is empty", key=key), key, say("name something, or leave the key out")
            )
        return value

    def word(self, key: str, known: Iterable[str]) -> str | None:
        """One of a few words, ``None`` when the key is not there."""
        text = self.text(key)
        if text and text not in (words := tuple(known)):
            raise self.error(
                say("{key} is {text}", key=key, text=repr(text)), key, near(text, words)
            )
        return text or None

    def flag(self, key: str) -> bool | None:
        """``true`` or ``false``, ``None`` when the key is not there."""
        value = self.values.get(key)
        if value is not None and not isinstance(value, bool):
            raise self.error(say("{key} is not true or false", key=key), key)
        return value

    def words(self, key: str) -> tuple[str, ...]:
        """One text or a list of texts."""
        value = self.values.get(key, [])
        words = [value] if isinstance(value, str) else value
        if not isinstance(words, list) or not all(isinstance(w, str) and w for w in words):
            raise self.error(say("{key} is not a list of texts", key=key), key)
        return tuple(words)

    def path(self, key: str) -> str:
        """A path as the inventory means it: relative to its file."""
        text = self.text(key)
        return self._placed(text, key) if text else ""

    def paths(self, key: str) -> tuple[str, ...]:
        """One path or a list of paths."""
        return tuple(self._placed(word, key) for word in self.filled(key, self.words(key)))

    def _placed(self, text: str, key: str) -> str:
        with self.at_key(key):
            return str(self._folder / own_path(self._plain(text, key)))


_KMS_HOST = re.compile(r"(volact_)?kms[-_]hosts?")  # often looked for, and no key


def near(word: str, known: Iterable[str]) -> str:
    """A hint with the nearest known word, else with all of them as far as a line goes."""
    if _KMS_HOST.fullmatch(word):
        return say("--kms-host names it for a run, a provider of your own for some servers")
    words = sorted(known)
    looked_at = words if len(words) <= _MANY else [w for w in words if w[:2] == word[:2]][:_MANY]
    close = difflib.get_close_matches(word[:_LONG], looked_at, n=1)
    if close:
        return say("did you mean {names}?", names=repr(close[0]))
    more = ", …" if len(words) > _LISTED else ""
    return say("known: {known}", known=", ".join(words[:_LISTED]) + more)
