"""Which servers are meant, and whether everything to reach them is there.

Targets on the command line are addresses, or names, tags and globs of an
inventory; ``--limit`` narrows.  Everything that can be known to be wrong
before the first connection is reported here, before anything is started.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

from volact.bounded.files import own_path, require_readable
from volact.cloud.registry import clouds
from volact.core.assessment.hosts import address_of
from volact.errors import InputError, unreadable
from volact.inventory.fields import near
from volact.inventory.keys import parse_jump
from volact.inventory.listing import Inventory, matches
from volact.inventory.target import is_address, parse_target, url_of
from volact.model.error_text import message_text
from volact.model.server import Server
from volact.model.text import raw, say

_GLOB = frozenset("*?[]!")
_WORDS = re.compile(r",|:(?=[!&])")
# Raises InputError for a file that cannot be used.
FileCheck = Callable[[str], None]


def choose(
    inventory: Inventory, targets: Iterable[str], limits: Iterable[str], given: str = ""
) -> tuple[Server, ...]:
    """The servers meant by targets and limits, in the order of the inventory.

    Without targets it is the whole inventory.  A word that means no server is
    an ``InputError``, as is a name that two servers would share.  ``given`` is how
    the limits were typed, for the message that they leave no server.
    """
    words = tuple(targets)
    alone = tuple(parse_target(word) for word in words if is_address(word))
    names = tuple(word for word in words if not is_address(word))
    if names and not inventory.servers:
        raise InputError(
            say("no such server: {word}", word=names[0] or "''"),
            say("write ssh://host, or give an inventory"),
        )
    listed = select(inventory.servers, names) if names or not words else ()
    servers = (*listed, *dict.fromkeys(alone))
    if not servers:
        raise InputError(say("no server given"), say("write ssh://user@host, or give an inventory"))
    _no_twins(servers)
    limit = tuple(limits)
    return select(servers, limit, inventory.servers, given) if limit else servers


def addressed(inventory: Inventory, word: str) -> str:
    """The word, as an SSH address where it can be nothing else.

    That is ``user@host`` or an IP address which no server of the inventory has for a
    name, and without an inventory also a name with a dot that is no file.
    """
    if (
        is_address(word)
        or "," in word  # several names
        or Path(word).exists()
        or any(matches(server, word) for server in inventory.servers)
    ):
        return word
    address = url_of("ssh", word)
    try:
        host = parse_target(address).address.host
    except InputError:  # of 10.0.0.256 it says what is wrong with it
        return address if "." in word and word.replace(".", "").isdecimal() else word
    dotted = not inventory.servers and "." in host and not _GLOB & set(host)
    return address if "@" in word or dotted or address_of(host) is not None else word


def select(
    servers: tuple[Server, ...],
    limits: Iterable[str],
    known: tuple[Server, ...] = (),
    given: str = "",
) -> tuple[Server, ...]:
    """Those servers whose name or one of whose tags matches one of the globs.

    As Ansible has it: ``!db`` takes away, ``&prod`` keeps only those that match too, and
    both stand after ``,`` or ``:`` as well; without any other word it is all servers.
    What is taken away has to be among the servers or among ``known``.
    """
    words = [word for limit in limits for word in _words(limit)]
    named = [word for word in words if word[:1] not in ("!", "&")]
    left = {server.name for server in servers}
    if named:
        left = set[str]().union(*(_meant(servers, word) for word in named))
    for word in words:
        if word.startswith("&"):
            left &= _meant((*known, *servers), word[1:])
        elif word.startswith("!"):
            left -= _meant((*known, *servers), word[1:])
    if words and not left:
        raise InputError(say("no server is left by {words}", words=given or ",".join(words)))
    return tuple(server for server in servers if server.name in left)


def without_skipped(
    inventory: Inventory, servers: tuple[Server, ...], words: Iterable[str]
) -> tuple[tuple[Server, ...], tuple[Server, ...]]:
    """The servers to take, and those that the inventory skips.

    ``InputError`` for one that ``words`` name itself, and where all are skipped.
    """
    left = tuple(server for server in servers if not server.skip)
    out = tuple(server for server in servers if server.skip)
    named = {word for text in words for word in _WORDS.split(text)}
    for server in out:
        if server.name in named or not left:
            raise InputError(
                say("{server} is skipped: {reason}", server=raw(server.name), reason=server.skip),
                say("take it out of skip to work on it"),
                where=inventory.where(server),
            )
    return left, out


def _meant(servers: tuple[Server, ...], word: str) -> set[str]:
    """The names that one word means; ``InputError`` for none."""
    if word == "all":
        return {server.name for server in servers}
    found = {server.name for server in servers if matches(server, word)}
    if not found:
        known = {name for server in servers for name in (server.name, *server.tags)}
        raise InputError(say("no such server: {word}", word=word or "''"), _near_few(word, known))
    return found


def _words(text: str) -> list[str]:
    """The words of a target or limit; an empty text is one, for it must not mean all servers."""
    return [word for word in _WORDS.split(text) if word] or [""]


# A cloud runs the script, or this machine does: there is no login.
_NO_LOGIN = frozenset({"local", *(cloud.scheme for cloud in clouds())})


def check_credentials(
    inventory: Inventory,
    servers: Iterable[Server],
    check_key: FileCheck,
    check_hosts: FileCheck,
    environ: Mapping[str, str] | None = None,
) -> None:
    """``InputError`` for the first secret, key or known_hosts that cannot be used."""
    checks = (check_key, check_hosts)
    for problem in credential_problems(inventory, servers, *checks, environ):
        raise problem


def credential_problems(
    inventory: Inventory,
    servers: Iterable[Server],
    check_key: FileCheck,
    check_hosts: FileCheck,
    environ: Mapping[str, str] | None = None,
) -> Iterator[InputError]:
    """Every secret, key or known_hosts that cannot be used, once.

    Programs and keyrings are not asked: they may want the operator's attention
    and are asked once, when the first server needs them.  How a key or a
    known_hosts file is read is the transport's affair: it gives the checks.
    """
    env = os.environ if environ is None else environ
    seen: set[Hashable] = set()

    def is_new(*what: Hashable) -> bool:
        new = what not in seen
        seen.add(what)
        return new

    for server in servers:
        if server.address.scheme in _NO_LOGIN:
            continue  # the defaults' logins are for others
        credential = server.credential
        held = inventory.held.get(credential.password_held)
        if isinstance(held, InputError) and is_new(credential.password_held):
            yield held
        for name in (credential.password_env, credential.passphrase_env):
            if name and not env.get(name) and is_new(name):
                yield InputError(
                    say("the environment variable {name} is not set", name=name),
                    say("export it, then try again"),
                    where=inventory.where(server, name),
                )
        for path, check in _files(server, check_key, check_hosts):
            if is_new(path, check) and (problem := _problem(inventory, server, path, check)):
                yield problem


def _files(
    server: Server, check_key: FileCheck, check_hosts: FileCheck
) -> list[tuple[str, FileCheck]]:
    """The files that a server's login needs, and what must be true of each."""
    credential = server.credential
    # Whether a passphrase opens a key is seen when the first server needs it.
    key = _readable if credential.names_passphrase else check_key
    plain = (
        credential.password_file,
        credential.passphrase_file,
        credential.certificate_file,
        credential.certificate_key_file,
        server.winrm.ca_file,
        server.ssh.config or "",
    )
    return [
        (server.known_hosts, check_hosts),
        *((path, key) for path in credential.key_files),
        *((path, check_key) for path in server.ssh.jump_key_files),
        *((path, _readable) for path in plain if path),
    ]


def with_credential(
    server: Server,
    *,
    user: str = "",
    password_env: str = "",
    password_held: str = "",
    key_files: tuple[str, ...] = (),
) -> Server:
    """The server with a login named on the command line or by a caller, not the inventory.

    A user is taken where neither address nor inventory names one; a password
    or a key rules over what the inventory names.  WinRM takes no key of SSH: its password stays.
    """
    own = server.credential
    if key_files:
        held = "" if server.address.scheme == "ssh" else own.password_held
        own = msgspec.structs.replace(own, key_files=key_files, password_held=held)
    if password_env or password_held:
        own = msgspec.structs.replace(
            own,
            **dict.fromkeys(("password_file", "keyring"), ""),
            password_command=(),
            password_env=password_env,
            password_held=password_held,
        )
    if user and not own.user:
        own = msgspec.structs.replace(own, user=user)
    return msgspec.structs.replace(server, credential=own)


def with_route(server: Server, *, jump: str = "", config: str = "") -> Server:
    """The server with the route of SSH named on the command line, which rules."""
    route = server.ssh
    if jump:
        route = msgspec.structs.replace(route, jump=parse_jump(jump))
    if config:
        file = None if config == "none" else str(own_path(config))
        route = msgspec.structs.replace(route, config=file)
    return msgspec.structs.replace(server, ssh=route)


def _near_few(word: str, known: set[str]) -> str:
    hint = near(word, known)
    return (
        hint
        if len(known) <= 12 or hint.startswith("did")
        else say("{n} names are known", n=len(known))
    )


def _no_twins(servers: tuple[Server, ...]) -> None:
    seen: set[str] = set()
    for server in servers:
        if server.name in seen:
            raise InputError(say("the name {name} is there twice", name=repr(server.name)))
        seen.add(server.name)


def _problem(
    inventory: Inventory, server: Server, path: str, check: FileCheck
) -> InputError | None:
    try:
        check(path)
    except InputError as error:
        return InputError(
            message_text(error),
            error.hint,
            where=inventory.where(server, path),
        )
    return None


def _readable(path: str) -> None:
    try:
        require_readable(own_path(path))
    except OSError as error:
        raise unreadable(error, path) from error
