"""The folders ``group_vars`` and ``host_vars`` beside an inventory.

The group ``web`` has the first that exists of ``group_vars/web`` (a file or a folder),
``web.yml``, ``web.yaml`` and ``web.json``, as ``DataLoader.find_vars_files`` of ansible-core
finds them.  A file that only ansible-vault can read is kept as an error: it matters to servers
that need a password that may be in it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import msgspec

from volact.errors import InputError, unreadable
from volact.inventory.ansible.model import Var
from volact.inventory.ansible.yaml_file import compose, variables
from volact.inventory.fields import at_line
from volact.inventory.listing import Listing
from volact.inventory.text_file import text_of
from volact.model.text import say

_SUFFIXES = ("", ".yml", ".yaml", ".json")


class Beside(msgspec.Struct):
    """What the files of one group or host hold; ``locked`` is a file that cannot be read."""

    variables: dict[str, Var] = {}
    locked: InputError | None = None


class Folder:
    """``group_vars`` or ``host_vars``; every file is read when it is first asked for."""

    def __init__(self, path: Path, listing: Listing) -> None:
        self._listing = listing
        self._read: dict[str, Beside] = {}
        # The folder is listed once, and not for each of fifty thousand hosts.
        listed = path.iterdir() if path.is_dir() else ()
        self._entries = {entry.name: entry for entry in listed if entry.exists()}

    def of(self, name: str) -> Beside:
        """The variables of a group or host."""
        names = (f"{name}{suffix}" for suffix in _SUFFIXES)
        entry = next((self._entries[one] for one in names if one in self._entries), None)
        if entry is None:
            return _NOTHING
        if name not in self._read:
            self._read[name] = self._gather(entry)
        return self._read[name]

    def _gather(self, entry: Path) -> Beside:
        found = Beside()
        for file in self._listing.attempt(lambda: _files_of(entry)) or ():
            shown = str(file)
            text = self._listing.attempt(partial(text_of, file, shown))
            if text is None:
                continue
            if text.startswith("$ANSIBLE_VAULT;"):
                found.locked = InputError(
                    say("is encrypted by ansible-vault, and may hold the login"),
                    say(
                        "name another source of the password: volact_password_env or --password-env"
                    ),
                    where=at_line(shown, 1),
                )
                continue
            found.variables.update(self._listing.attempt(partial(_variables, text, shown)) or {})
        return found


_NOTHING = Beside()


def _files_of(entry: Path) -> list[Path]:
    if not entry.is_dir():
        return [entry]
    try:
        return [*_files_in(entry)]
    except OSError as error:
        raise unreadable(error, str(entry)) from error


def _files_in(folder: Path, above: tuple[Path, ...] = ()) -> Iterator[Path]:
    """The files of a folder and those below it by name, without hidden ones and backups."""
    way = (*above, folder.resolve())
    for one in sorted(folder.iterdir(), key=lambda entry: entry.name):
        name, suffix = one.name, os.path.splitext(one.name)[1]  # noqa: PTH122  ("." of "a.")
        if name.startswith(".") or name.endswith("~") or suffix not in _SUFFIXES:
            continue
        if one.is_file():
            yield one
        elif not suffix and one.is_dir() and one.resolve() not in way:
            yield from _files_in(one, way)


def _variables(text: str, shown: str) -> dict[str, Var]:
    return variables(compose(text, shown), shown)
