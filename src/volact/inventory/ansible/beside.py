"""The folders ``group_vars`` and ``host_vars`` beside an inventory.

``group_vars/web.yml`` and every file in ``group_vars/web/`` speak of the group
``web``.  A file that only ansible-vault can read is kept as an error: it matters
to servers that need a password that may be in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import msgspec

from volact.errors import InputError
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
        self._files: dict[str, list[Path]] = {}
        self._read: dict[str, Beside] = {}
        # The folder is listed once, and not for each of fifty thousand hosts.
        for entry in sorted(path.iterdir()) if path.is_dir() else ():
            name = entry.name if entry.is_dir() else _name_of(entry)
            if name:
                self._files.setdefault(name, []).append(entry)

    def of(self, name: str) -> Beside:
        """The variables of a group or host."""
        if name not in self._files:
            return _NOTHING
        if name not in self._read:
            self._read[name] = self._gather(name)
        return self._read[name]

    def _gather(self, name: str) -> Beside:
        found = Beside()
        for file in (one for entry in self._files[name] for one in _files_of(entry)):
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


def _name_of(entry: Path) -> str:
    return entry.stem if entry.suffix in _SUFFIXES and entry.suffix else entry.name


def _files_of(entry: Path) -> Iterator[Path]:
    if not entry.is_dir():
        yield entry
        return
    for one in sorted(entry.rglob("*")):
        if one.is_file() and one.suffix in _SUFFIXES and not one.name.startswith("."):
            yield one


def _variables(text: str, shown: str) -> dict[str, Var]:
    return variables(compose(text, shown), shown)
