"""What stands before every run: the checks of its servers, its operator.

Used by the command line and by ``volact.api``.  No server is contacted here.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable

from volact.account import NAMELESS, account_name
from volact.cloud.registry import cloud_of_scheme, module_of
from volact.errors import InputError
from volact.inventory import Inventory, check_credentials
from volact.model.profile import HostPort
from volact.model.server import AccountSettings, Server
from volact.model.text import say
from volact.transports.hostkeys import check_known_hosts
from volact.transports.keys import check_key_file
from volact.transports.local import require_windows


def check_servers(inventory: Inventory, servers: Iterable[Server]) -> None:
    """``InputError`` for the first login or address that cannot be used."""
    chosen = tuple(servers)
    check_credentials(inventory, chosen, check_key_file, check_known_hosts)
    require_windows(chosen)


def check_commands(inventory: Inventory, servers: Iterable[Server]) -> None:
    """``InputError`` for an inventory of another tool's format that would run a program.

    Such a file often comes from elsewhere, and reading it must be harmless.
    """
    for server in servers:
        login = server.credential
        runs = login.password_command or login.passphrase_command or server.ssh.config
        if inventory.foreign and runs and server.name in inventory.lines:
            raise InputError(
                say("the inventory names a program, or SSH settings that may run one"),
                say("--allow-commands permits this"),
                where=inventory.where(server),
            )


def check_accounts(inventory: Inventory, servers: Iterable[Server]) -> None:
    """``InputError`` for the first account that cannot be used; imports SDKs, which takes time."""
    good: set[tuple[str, AccountSettings]] = set()
    for server in servers:
        cloud = cloud_of_scheme(server.address.scheme)
        if cloud is not None and (cloud.name, server.account) not in good:
            try:
                module_of(cloud).check_account(cloud.settings_of(server.account))
            except InputError as error:
                where = error.where or inventory.where(server)
                raise InputError(error.what, error.hint, where=where) from error
            good.add((cloud.name, server.account))


def parse_kms_hosts(words: Iterable[str], option: str) -> tuple[HostPort, ...]:
    """KMS hosts as the operator writes them; ``InputError`` names the option."""
    try:
        return tuple(map(HostPort.parse, words))
    except ValueError as error:
        raise InputError(error.args[0], where=option) from error


def whoami() -> str:
    """The operator as another run on the same server sees it: user and host."""
    return f"{account_name() or NAMELESS}@{socket.gethostname()}"
