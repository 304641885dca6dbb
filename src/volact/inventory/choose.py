"""Which servers are meant, and whether everything to reach them is there.

Targets on the command line are addresses, or names, tags and globs of an
inventory; ``--limit`` narrows.  Everything that can be known to be wrong
before the first connection is said here, so that nothing is started on it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec

from volact.errors import InputError
from volact.inventory.fields import near
from volact.inventory.listing import Inventory
from volact.inventory.target import is_address, parse_target
from volact.model.server import Credential, Server

# Raises InputError for a file that cannot be used.
FileCheck = Callable[[str], None]


def choose(
    inventory: Inventory, targets: Iterable[str], limits: Iterable[str]
) -> tuple[Server, ...]:
    """The servers meant by targets and limits, in the order of the inventory.

    Without targets it is the whole inventory.  A word that means no server is
    an ``InputError``, as is a name that two servers would share.
    """
    words = tuple(targets)
    alone = tuple(parse_target(word) for word in words if is_address(word))
    names = tuple(word for word in words if not is_address(word))
    if names and not inventory.servers:
        raise InputError(f"no such server: {names[0]}", "write ssh://host, or give an inventory")
    listed = select(inventory.servers, names) if names or not words else ()
    servers = (*listed, *dict.fromkeys(alone))
    if not servers:
        raise InputError("no server is named", "write ssh://user@host, or give an inventory")
    _no_twins(servers)
    limit = tuple(limits)
    return select(servers, limit) if limit else servers


def select(servers: tuple[Server, ...], limits: Iterable[str]) -> tuple[Server, ...]:
    """Those servers whose name or one of whose tags matches one of the globs."""
    words = [word for limit in limits for word in limit.split(",") if word]
    chosen: set[str] = set()
    for word in words:
        found = {server.name for server in servers if _matches(server, word)}
        if not found:
            known = {name for server in servers for name in (server.name, *server.tags)}
            raise InputError(f"no such server: {word}", _near_few(word, known))
        chosen |= found
    return tuple(server for server in servers if not words or server.name in chosen)


def check_credentials(
    inventory: Inventory,
    servers: Iterable[Server],
    check_key: FileCheck,
    check_hosts: FileCheck,
    environ: Mapping[str, str] | None = None,
) -> None:
    """``InputError`` for the first secret, key or known_hosts that cannot be used.

    Programs and keyrings are not asked: they may want a person's attention
    and are asked once, when the first server needs them.  How a key or a
    known_hosts file is read is the transport's affair: it gives the checks.
    """
    env = os.environ if environ is None else environ
    good: set[tuple[str, FileCheck]] = set()
    for server in servers:
        credential = server.credential
        held = inventory.held.get(credential.password_held)
        if isinstance(held, InputError):
            raise held
        _require_variables(credential, env, inventory.where(server))
        # Whether a passphrase opens a key is seen when the first server needs it.
        key = _readable if credential.names_passphrase else check_key
        needed = [(server.known_hosts, check_hosts)]
        needed += [(path, key) for path in credential.key_files]
        needed += [(path, check_key) for path in server.ssh.jump_key_files]
        plain = (
            credential.password_file,
            credential.passphrase_file,
            server.ssh.config or "",
            credential.certificate_file,
            credential.certificate_key_file,
            server.winrm.ca_file,
        )
        needed += [(path, _readable) for path in plain if path]
        for path, check in needed:
            if (path, check) not in good:
                _located(inventory, server, path, check)
                good.add((path, check))


def with_credential(
    server: Server, *, user: str = "", password_env: str = "", key_files: tuple[str, ...] = ()
) -> Server:
    """The server with a login named on the command line, beside the inventory.

    A user is taken where neither address nor inventory names one; a password
    or a key rules over what the inventory names.
    """
    own = server.credential
    if password_env:
        nowhere = dict.fromkeys(("password_file", "keyring", "password_held"), "")
        own = msgspec.structs.replace(
            own, password_env=password_env, password_command=(), **nowhere
        )
    if key_files:
        own = msgspec.structs.replace(own, key_files=key_files, password_held="")
    if user and not own.user:
        own = msgspec.structs.replace(own, user=user)
    return msgspec.structs.replace(server, credential=own)


def _matches(server: Server, word: str) -> bool:
    return any(name == word or fnmatchcase(name, word) for name in (server.name, *server.tags))


def _near_few(word: str, known: set[str]) -> str:
    hint = near(word, known)
    return hint if len(known) <= 12 or hint.startswith("did") else f"{len(known)} names are known"


def _no_twins(servers: tuple[Server, ...]) -> None:
    seen: set[str] = set()
    for server in servers:
        if server.name in seen:
            raise InputError(f"the name {server.name!r} is there twice")
        seen.add(server.name)


def _require_variables(credential: Credential, env: Mapping[str, str], where: str) -> None:
    for name in (credential.password_env, credential.passphrase_env):
        if name and not env.get(name):
            raise InputError(
                f"the environment variable {name} is not set",
                "export it, then try again",
                where=where,
            )


def _located(inventory: Inventory, server: Server, path: str, check: FileCheck) -> None:
    try:
        check(path)
    except InputError as error:
        raise InputError(error.message, error.hint, where=inventory.where(server)) from error


def _readable(path: str) -> None:
    try:
        with Path(path).expanduser().open("rb"):
            return
    except OSError as error:
        raise InputError(error.strerror or "not readable", where=path) from error
