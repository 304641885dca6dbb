"""An inventory file (TOML) into servers, strictly and with line numbers.

Every key is known or refused, every error says which line of which file.
Whether the secrets and key files that it names are there is looked at later,
by ``choose``, for the servers that are really meant.
"""

from __future__ import annotations

import shlex
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, get_args

import msgspec

from volact.errors import InputError
from volact.inventory.fields import Fields, Source, near
from volact.inventory.lines import Lines
from volact.inventory.target import (
    is_address,
    parse_address,
    require_reachable,
    require_secrecy,
)
from volact.knowledge.load import profile_names
from volact.model.profile import Image
from volact.model.server import Credential, Server, WinRm, WinRmAuth

T = TypeVar("T")

_PASSWORDS = ("password-env", "password-file", "password-command", "keyring")
_WINRM = ("winrm-transport", "winrm-tls", "ca-file", "certificate-validation")
_CERTIFICATE = ("certificate-file", "certificate-key-file")
_SHARED = (
    *("provider", "user", "tags", "key-file", "known-hosts"),
    *(*_PASSWORDS, *_WINRM, *_CERTIFICATE),
)
_OWN = ("name", "address", *_SHARED)
_IMAGE = {
    "type": ("PUBLIC_IMAGE", "PRIVATE_IMAGE", "SHARED_IMAGE"),
    "source": ("OFFICIAL", "CREATE_IMAGE", "EXTERNAL_IMPORT"),
    "license": ("TencentCloud", "BYOL"),
}


class Inventory(msgspec.Struct, frozen=True, kw_only=True):
    """The servers of a file, what is known of its images, and where each stands."""

    path: str = ""
    servers: tuple[Server, ...] = ()
    images: dict[str, Image] = {}
    lines: dict[str, int] = {}  # server name -> line of its [[server]]

    def where(self, server: Server) -> str:
        """``lab.toml line 12``, or the server's name when it is in no file."""
        line = self.lines.get(server.name)
        return server.name if line is None else f"{self.path} line {line}"


class _Shared(msgspec.Struct, frozen=True, kw_only=True):
    """What ``[defaults]`` and a ``[[server]]`` may both say."""

    provider: str = ""
    user: str = ""
    tags: tuple[str, ...] = ()
    known_hosts: str = ""
    password: Credential = Credential()  # at most one source
    key_files: tuple[str, ...] = ()
    certificate: tuple[str, str] = ("", "")  # and its key
    winrm: dict[str, Any] = {}  # only what was said


def load_inventory(path: Path | str) -> Inventory:
    """Read a file; ``InputError`` names the file and the line."""
    shown = str(path)
    try:
        text = Path(path).read_text("utf-8")
        values = tomllib.loads(text)
    except OSError as error:
        raise InputError(error.strerror or "not readable", where=shown) from error
    except UnicodeDecodeError as error:
        raise InputError("is not UTF-8 text", where=shown) from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"not TOML: {error}", where=shown) from error
    return _inventory(Source(shown, Path(path).parent, Lines(text)), values)


def _inventory(source: Source, values: dict[str, Any]) -> Inventory:
    Fields(source, "", 0, values).only(("defaults", "server", "images"))
    table = Fields(source, "defaults", 0, values.get("defaults", {}))
    table.only(_SHARED)
    defaults = _shared(table)
    servers: dict[str, Server] = {}
    lines: dict[str, int] = {}
    for fields in _server_tables(source, values):
        server = _server(fields, defaults)
        if server.name in servers:
            taken = f"the name {server.name!r} is taken by line {lines[server.name]}"
            raise fields.error(taken, "name")
        servers[server.name] = server
        lines[server.name] = fields.line()
    images = Fields(source, "images", 0, values.get("images", {}))
    return Inventory(
        path=source.shown, servers=tuple(servers.values()), images=_images(images), lines=lines
    )


def _server_tables(source: Source, values: dict[str, Any]) -> list[Fields]:
    servers = values.get("server", [])
    if not isinstance(servers, list):
        raise InputError(
            "write [[server]], with two brackets",
            where=f"{source.shown} line {source.lines.of('server')}",
        )
    if not servers:
        raise InputError("has no [[server]]", where=source.shown)
    return [Fields(source, "server", index, value) for index, value in enumerate(servers)]


def _server(fields: Fields, defaults: _Shared) -> Server:
    fields.only(_OWN)
    text = fields.text("address")
    if not text:
        raise fields.error("has no address", hint='add address = "ssh://host"')
    address = _placed(fields, parse_address, text if is_address(text) else f"ssh://{text}")
    _placed(fields, require_reachable, address)
    own = _shared(fields)
    password = own.password if own.password != Credential() else defaults.password
    certificate = own.certificate if own.certificate[0] else defaults.certificate
    server = Server(
        name=fields.text("name") or address.host,
        address=address,
        provider=own.provider or defaults.provider,
        credential=msgspec.structs.replace(
            password,
            user=address.user or own.user or defaults.user,
            key_files=own.key_files or defaults.key_files,
            certificate_file=certificate[0],
            certificate_key_file=certificate[1],
        ),
        known_hosts=own.known_hosts or defaults.known_hosts,
        tags=tuple(dict.fromkeys((*defaults.tags, *own.tags))),
        winrm=WinRm(**{**defaults.winrm, **own.winrm}),
    )
    return _placed(fields, require_secrecy, server)


def _shared(fields: Fields) -> _Shared:
    provider = fields.text("provider")
    if provider and provider not in profile_names():
        hint = near(provider, profile_names())
        raise fields.error(f"unknown provider {provider!r}", "provider", hint)
    return _Shared(
        provider=provider,
        user=fields.text("user"),
        tags=fields.words("tags"),
        known_hosts=fields.path("known-hosts"),
        password=_password(fields),
        key_files=fields.paths("key-file"),
        certificate=(fields.path("certificate-file"), fields.path("certificate-key-file")),
        winrm=_winrm(fields),
    )


def _winrm(fields: Fields) -> dict[str, Any]:
    """What a table says of WinRM, under the names of ``WinRm``."""
    found = {
        "auth": fields.word("winrm-transport", get_args(WinRmAuth)),
        "tls": fields.flag("winrm-tls"),
        "ca_file": fields.path("ca-file") or None,
        "verify": fields.flag("certificate-validation"),
    }
    return {name: value for name, value in found.items() if value is not None}


def _password(fields: Fields) -> Credential:
    named = [key for key in _PASSWORDS if key in fields.values]
    if len(named) > 1:
        both = " and ".join(named)
        raise fields.error(f"names more than one password: {both}", named[1])
    return Credential(
        password_env=fields.text("password-env"),
        password_file=fields.path("password-file"),
        password_command=_command(fields),
        keyring=fields.text("keyring"),
    )


def _command(fields: Fields) -> tuple[str, ...]:
    """A program and its arguments: a list, or one text that is split like a shell does."""
    value = fields.values.get("password-command")
    if not isinstance(value, str):
        return fields.words("password-command")
    try:
        return tuple(shlex.split(fields.text("password-command")))
    except ValueError as error:
        raise fields.error(f"password-command: {error}", "password-command") from error


def _images(fields: Fields) -> dict[str, Image]:
    return {name: _image(fields, name, value) for name, value in fields.values.items()}


def _image(fields: Fields, name: str, value: Any) -> Image:
    if not isinstance(value, dict):
        raise fields.error(f"image {name} is not a table", name)
    for key, word in value.items():
        if key not in _IMAGE:
            raise fields.error(f"image {name}: unknown key {key!r}", name, near(key, _IMAGE))
        if word not in _IMAGE[key]:
            known = ", ".join(_IMAGE[key])
            raise fields.error(f"image {name}: {key} is {word!r}, must be one of {known}", name)
    return Image(**value)


def _placed(fields: Fields, read: Callable[[Any], T], value: Any) -> T:
    try:
        return read(value)
    except InputError as error:
        raise fields.error(error.message, "address", error.hint) from error
