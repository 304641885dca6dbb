"""A user's own SSH settings for a server: another host name, a jump host, a login.

The file is OpenSSH's; asyncssh reads it.  Only what leads to a server is
taken from it: volact's own options decide which keys are trusted and which
algorithms are used.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import msgspec
from asyncssh.config import SSHClientConfig, SSHConfig

from volact.account import account_name
from volact.errors import InputError, one_line, unreadable
from volact.model.server import Address, Server, is_port, require_host
from volact.model.text import say
from volact.threads import BlockingCalls

_EXEC = re.compile(r"^\s*match\s.*\bexec\b|^\s*include\b", re.IGNORECASE | re.MULTILINE)
_NO_USER = frozenset("'`\";&<>|(){}")
# A comment behind a value, and what is none: a line for the shell, an escaped sign, quoted text.
_COMMENT = re.compile(
    r"""(^[ \t]*(?:proxy|remote|local|knownhosts)command\b.*"""
    r"""|\\.|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|[ \t]#.*""",
    re.IGNORECASE | re.MULTILINE,
)
# As many commands of Match exec at a time.
_THREADS = 64
# Its settings for jump hosts that mean "directly".
_DIRECT = "none"


class HostSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The file's settings for one server; one that it does not have is empty."""

    host: str
    port: int | None = None
    user: str = ""
    keys: tuple[str, ...] = ()
    jump: tuple[Address, ...] = ()
    command: str = ""  # ProxyCommand, with everything filled in


class SshConfig:
    """The settings files of a run."""

    def __init__(self, default: Path | None = None) -> None:
        self._default = default or Path.home() / ".ssh" / "config"
        self._runs: dict[Path, bool | None] = {}  # whether it runs commands; None: no file
        self._texts: dict[Path, str] = {}
        self._threads = BlockingCalls(_THREADS, name="volact-ssh-config")

    async def of(self, server: Server) -> HostSettings:
        """The settings for a server, by the file that it names or the user's own.

        A file with ``Match exec`` runs commands while it is read: that is done in a
        thread, so that one that takes its time holds up no other server.
        """
        require_host(server.address.host)
        plain = HostSettings(host=server.address.host)
        path = self._file(server)
        runs = self._runs_commands(path)
        if path is None or runs is None:
            return plain
        if not runs:
            return _read(path, server)
        return await self._threads.run(partial(_read, path, server))

    def problems(self, servers: Iterable[Server]) -> Iterator[InputError]:
        """The first problem of each file; one that may run a command is not read."""
        wrong: set[Path] = set()
        for server in servers:
            path = self._file(server) if server.address.scheme == "ssh" else None
            if path is not None and path not in wrong and self._runs_commands(path) is False:
                try:
                    _read(path, server)
                except InputError as error:
                    wrong.add(path)
                    yield error

    def _file(self, server: Server) -> Path | None:
        if server.ssh.config is None:
            return None
        return Path(server.ssh.config) if server.ssh.config else self._default

    def _runs_commands(self, path: Path | None) -> bool | None:
        if path is not None and path not in self._runs:
            self._runs[path] = _runs_commands(path)
        return None if path is None else self._runs[path]

    def mentions(self, server: Server, words: Iterable[str]) -> bool:
        """Whether the file of a server has one of the words, in lower case."""
        path = self._file(server)
        if path is None:
            return False
        if path not in self._texts:
            try:
                self._texts[path] = path.read_text("utf-8", errors="replace").lower()
            except OSError:
                self._texts[path] = ""
        return any(word in self._texts[path] for word in words)


def _runs_commands(path: Path) -> bool | None:
    """Whether reading the file may run a command; ``None`` when there is no such file."""
    if not path.is_file():
        return None
    try:
        text = path.read_text("utf-8", errors="replace")
    except OSError:
        return False  # the reader says why
    return _EXEC.search(text) is not None


def _require_user(user: str) -> None:
    """The same as ``require_host`` for an account that a command is given, again as in OpenSSH."""
    bad = any(c in _NO_USER or ord(c) < 32 for c in user)
    if bad or user.startswith("-") or user.endswith("\\") or re.search(r"\s-", user):
        raise InputError(
            say("the user {user} has characters that a shell reads", user=repr(one_line(user, 80)))
        )


class _Config(SSHClientConfig):
    """The library's reader; the files that a file includes are read like it."""

    def parse(self, path: Path) -> None:
        with _for_the_library(path) as plain:
            try:
                super().parse(plain)
            except ValueError as error:
                what = say(
                    "not an SSH config: {error}",
                    error=one_line(str(error).removeprefix(f"{plain} ")),
                )
                raise InputError(what, where=str(path)) from error


@contextmanager
def _for_the_library(path: Path) -> Iterator[Path]:
    """The file, or a copy without the comments behind values and in the encoding of the system.

    OpenSSH reads such comments, and any bytes; the library stops at them.
    """
    written = path.read_bytes()
    text = written.decode("utf-8-sig", "replace")
    plain = _COMMENT.sub(r"\1", text)
    if written.isascii() and plain == text:
        yield path
        return
    with TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        copy.write_text(plain, errors="replace", newline="")
        yield copy


def _read(path: Path, server: Server) -> HostSettings:
    address = server.address
    user = address.user or server.credential.user or ()
    try:
        config = _Config.load(
            *(None, [path], False, False, False),
            *(account_name(), user, address.host, address.port or ()),
        )
    except OSError as error:
        raise unreadable(error, path) from error
    host, command = cast("str", config.get("Hostname", address.host)), _command(config)
    try:
        require_host(host)
    except InputError as error:
        raise InputError(error.what, where=str(path)) from error
    port = cast("int | None", config.get("Port"))
    if port is not None and not is_port(str(port)):
        what = say("{shown}: port {told} is not a number from 1 to 65535", shown=host, told=port)
        raise InputError(what, where=str(path))
    if command:
        _require_user(cast("str", config.get("User")) or account_name())
    return HostSettings(
        host=host,
        port=port,
        user=cast("str", config.get("User", "")),
        keys=tuple(cast("list[str]", config.get("IdentityFile", []))),
        jump=_jump(cast("str | None", config.get("ProxyJump")), path),
        command=command,
    )


def _command(config: SSHConfig) -> str:
    """``ProxyCommand`` as one line for a shell, ``""`` for none."""
    text = cast("str | None", config.get("ProxyCommand")) or ""
    text = text.strip().removeprefix("=").strip()  # the library keeps the sign of "name = value"
    return "" if text.lower() == _DIRECT else text


def proxy_arguments(command: str) -> list[str]:
    """How a ``ProxyCommand`` is started: by the user's shell, as OpenSSH does.

    Its error stream would be taken for the server's words, and that stream's end for
    the end of the connection: so it stays open, unused.
    """
    if os.name != "posix":
        return [word.strip('"') for word in shlex.split(command, posix=False)]
    shell = os.environ.get("SHELL") or "/bin/sh"
    return ["/bin/sh", "-c", 'exec "$0" -c "$1" 3>&2 2>/dev/null', shell, f"exec {command}"]


def _jump(text: str | None, path: Path) -> tuple[Address, ...]:
    if not text or text.lower() == _DIRECT:
        return ()
    return tuple(_hop(word.strip(), path) for word in text.split(","))


def _hop(word: str, path: Path) -> Address:
    """``user@host:port``; the user may hold an ``@``, an IPv6 host has brackets."""
    login, _, place = word.removeprefix("ssh://").rpartition("@")
    host, _, port = place.rpartition(":") if not place.endswith("]") else (place, "", "")
    if not host:
        host, port = place, ""
    if not host or (port and not is_port(port)):
        raise InputError(say("ProxyJump {word}: not user@host:port", word=word), where=str(path))
    return Address(
        scheme="ssh",
        host=host.strip("[]"),
        port=int(port) if port else None,
        user=login or None,
    )


def own_user() -> str:
    """The login at a jump host without settings: the user's own, as with OpenSSH."""
    return account_name() or "root"
