"""What a person's own SSH settings say of a server: another host name, a way, a login.

The file is OpenSSH's; asyncssh reads it.  Only what leads to a server is
taken from it: which keys are trusted and which algorithms are used is said
by volact's own options.
"""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import cast

import msgspec
from asyncssh.config import SSHClientConfig

from volact.errors import InputError, unreadable
from volact.model.server import Address, Server
from volact.transports.failures import one_line

# Its settings for jump hosts that say "directly".
_DIRECT = "none"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the file says of one server; what it does not say is empty."""

    host: str
    port: int | None = None
    user: str = ""
    keys: tuple[str, ...] = ()
    jump: tuple[Address, ...] = ()
    command: tuple[str, ...] = ()  # ProxyCommand


class SshConfig:
    """The settings files of a run."""

    def __init__(self, default: Path | None = None) -> None:
        self._default = default or Path.home() / ".ssh" / "config"
        self._there: dict[Path, bool] = {}

    def of(self, server: Server) -> Settings:
        """The settings for a server, by the file that it names or the user's own."""
        plain = Settings(host=server.address.host)
        if server.ssh.config is None:
            return plain
        path = Path(server.ssh.config) if server.ssh.config else self._default
        if path not in self._there:
            self._there[path] = path.is_file()
        return _read(path, server) if self._there[path] else plain


def _read(path: Path, server: Server) -> Settings:
    address = server.address
    user = address.user or server.credential.user or ()
    try:
        config = SSHClientConfig.load(
            None, [path], False, False, False, _this_user(), user, address.host, address.port or ()
        )
    except OSError as error:
        raise unreadable(error, path) from error
    except ValueError as error:
        raise InputError(f"not an SSH config: {one_line(str(error))}") from error
    return Settings(
        host=cast("str", config.get("Hostname", address.host)),
        port=cast("int | None", config.get("Port")),
        user=cast("str", config.get("User", "")),
        keys=tuple(cast("list[str]", config.get("IdentityFile", []))),
        jump=_jump(cast("str | None", config.get("ProxyJump")), path),
        command=tuple(cast("list[str] | None", config.get("ProxyCommand")) or ()),
    )


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
    if not host or (port and not port.isdigit()):
        raise InputError(f"ProxyJump {word}: not user@host:port", where=str(path))
    return Address(
        scheme="ssh",
        host=host.strip("[]"),
        port=int(port) if port else None,
        user=login or None,
    )


def _this_user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # an account without a name
        return ""


def own_user() -> str:
    """Who logs in to a jump host that nothing is said of: the person, as with OpenSSH."""
    return _this_user() or "root"
