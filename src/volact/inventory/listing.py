"""What is read from an inventory file of any format: servers and what is wrong.

Problems are gathered here and not raised, so that all of them can be reported at
once.  The formats are one module each; ``load`` chooses between them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TypeVar

import msgspec

from volact.bounded.memory import Secret
from volact.errors import InputError
from volact.inventory.fields import Fields, at_line
from volact.model.profile import Image
from volact.model.server import Server
from volact.model.text import count, raw, say

T = TypeVar("T")

# A secret in clear in the file, or why the text there is none.
Held = Secret | InputError


def matches(server: Server, word: str) -> bool:
    """Whether a name, tag or glob means a server."""
    return any(name == word or fnmatchcase(name, word) for name in (server.name, *server.tags))


class Inventory(msgspec.Struct, frozen=True, kw_only=True):
    """The servers of a file, what is known of its images, and where each stands."""

    path: str = ""
    foreign: bool = False  # of a format that is not volact's own
    servers: tuple[Server, ...] = ()
    images: dict[str, Image] = {}
    lines: dict[str, int] = {}  # server name -> line of its [[server]]
    held: Mapping[str, Held] = {}  # Credential.password_held -> what is there
    options: Mapping[str, str] = {}  # a login's variable or file -> the option that names it
    notes: tuple[str, ...] = ()  # what the operator should know; nothing is wrong
    problems: tuple[InputError, ...] = ()

    def where(self, server: Server, source: str = "") -> str:
        """``lab.toml line 12``, or the server's name when it is in no file.

        Of a ``source`` of its login that an option names, the option.
        """
        if source in self.options:
            return self.options[source]
        line = self.lines.get(server.name)
        return server.name if line is None else at_line(self.path, line)


class Listing:
    """An inventory while it is read."""

    def __init__(self, path: Path, shown: str) -> None:
        self.path = path
        self.shown = shown
        self.held: dict[str, Held] = {}
        self.problems: list[InputError] = []
        self._servers: dict[str, Server] = {}
        self._lines: dict[str, int] = {}
        self._notes: dict[str, None] = {}

    @property
    def folder(self) -> Path:
        """What relative paths in the file are relative to; of a pipe, where volact was started."""
        return self.path.parent if str(self.path) == self.shown else Path.cwd()

    def at(self, line: int) -> str:
        """``lab.toml line 12``."""
        return at_line(self.shown, line)

    def note(self, text: str) -> None:
        """Something to be reported once."""
        self._notes[text] = None

    def hold(self, place: str, password: str, file: str, keys: str) -> str:
        """Hold a password that stands in clear at a place, which is returned."""
        self.held[place] = Secret(password)
        self.note(
            say(
                "{file} holds passwords in clear; name their place instead: {keys}",
                keys=keys,
                file=file,
            )
        )
        return place

    def problem(self, message: str, hint: str = "", *, line: int = 0) -> None:
        """Something that is wrong with a line, or with the whole file."""
        where = self.at(line) if line else self.shown
        self.problems.append(InputError(message, hint, where=where))

    def attempt(self, work: Callable[[], T]) -> T | None:
        """The result of a piece of reading; what is wrong with it is kept."""
        try:
            return work()
        except InputError as error:
            self.problems += (error, *error.others)
            return None

    def add(self, server: Server, fields: Fields) -> None:
        """Take the server of a table; a name that another one has is an ``InputError``."""
        taken = self._lines.get(server.name)
        if taken is not None:
            raise fields.error(
                say(
                    "the name {name} is taken by line {taken}", name=repr(server.name), taken=taken
                ),
                "name",
            )
        self._servers[server.name] = server
        self._lines[server.name] = fields.line

    def skip(self, word: str, reason: str) -> bool:
        """Give the servers that a name, tag or glob means a reason to be skipped; if any are."""
        meant = [server for server in self._servers.values() if matches(server, word)]
        for server in meant:
            self._servers[server.name] = msgspec.structs.replace(server, skip=reason or server.skip)
        return bool(meant)

    def _note_same_addresses(self) -> None:
        """Say which server is listed under a second name; behind other jump hosts is another."""
        first: dict[Hashable, Server] = {}
        again: list[tuple[Server, Server]] = []
        for server in self._servers.values():
            route = (str(server.address), server.ssh.jump, server.worker)
            if not server.skip and (other := first.setdefault(route, server)) is not server:
                again.append((other, server))
        if again:
            one, two = again[0]
            self.note(
                count(
                    len(again),
                    "{file}: {one} and {two} have the same address, {address}: a run takes that "
                    "server twice",
                    "{file}: {n} servers have the address of another one, as {two} has that of "
                    "{one}, {address}: a run takes such servers twice",
                    file=self.shown,
                    one=raw(one.name),
                    two=raw(two.name),
                    address=str(one.address),
                )
            )

    @property
    def tags(self) -> set[str]:
        """Every tag that a server has."""
        return {tag for server in self._servers.values() for tag in server.tags}

    def done(self, images: dict[str, Image] | None = None) -> Inventory:
        """The inventory as far as it could be read."""
        self._note_same_addresses()
        return Inventory(
            path=self.shown,
            servers=tuple(self._servers.values()),
            images=images or {},
            lines=self._lines,
            held=self.held,
            notes=tuple(self._notes),
            # An error of a group is wrong for each of its servers, and reported once.
            problems=tuple({error.line(): error for error in self.problems}.values()),
        )
