"""A server as the operator names it: address, provider, who to log in as, whose instance it is.

Secrets are not values here: a ``Credential`` says where a secret is found,
``volact.inventory`` fetches it at the last moment, and ``volact.cloud`` finds an account's
keys when the first call is made.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from volact.errors import InputError, one_line
from volact.model.finding import Acceptance
from volact.model.text import say

Scheme = str  # ssh, winrm, winrms, local, or that of a cloud's run-command
WinRmAuth = Literal["negotiate", "ntlm", "kerberos", "certificate", "basic"]

_NO_HOST = frozenset("'`\"$\\;&<>|(){}" + "*?!,@#/")

# Which host keys a login accepts: known ones, unknown ones too, any.
HostKeyPolicy = Literal["strict", "accept-new", "ignore"]


class AccountSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Base of the settings that each cloud declares for its accounts.

    ``AccountSettings()`` itself names nothing: the account is the one that the
    cloud's own tools would find.
    """


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """``ssh://user@host:port`` taken apart; IPv6 literals without brackets."""

    scheme: Scheme
    host: str = ""
    port: int | None = None
    user: str | None = None

    def __str__(self) -> str:
        if self.scheme == "local":
            return "local"
        name = self.host.replace("%", "%25")  # read back as a part of a URL
        host = f"[{name}]" if ":" in name else name
        return f"{self.scheme}://{host}{'' if self.port is None else f':{self.port}'}"


def require_host(host: str) -> None:
    """``InputError`` for a host with characters that a shell or known_hosts would read.

    What OpenSSH refuses, and the wildcards of known_hosts: a key that is remembered for
    ``*`` would be trusted everywhere.
    """
    if host.startswith("-") or any(c in _NO_HOST or c.isspace() or ord(c) < 32 for c in host):
        raise InputError(
            say("{host} has characters that no host has", host=repr(one_line(host, 80)))
        )


def is_port(text: str) -> bool:
    """Whether it is written as the number of a TCP port, 1 to 65535."""
    return re.fullmatch("[0-9]{1,5}", text) is not None and 1 <= int(text) <= 65535


class Credential(msgspec.Struct, frozen=True, kw_only=True):
    """Where the secrets of a login are found; never the secrets."""

    user: str = ""
    password_env: str = ""
    password_file: str = ""
    password_command: tuple[str, ...] = ()
    keyring: str = ""
    key_files: tuple[str, ...] = ()
    certificate_file: str = ""  # PEM, for WinRM
    certificate_key_file: str = ""  # "" means it is in the same file
    password_held: str = ""  # the place in an inventory file that holds it in clear
    passphrase_env: str = ""  # of the key files
    passphrase_file: str = ""
    passphrase_command: tuple[str, ...] = ()

    @property
    def names_password(self) -> bool:
        """Whether the login names a place for a password."""
        return bool(
            self.password_env
            or self.password_file
            or self.password_command
            or self.keyring
            or self.password_held
        )

    @property
    def names_passphrase(self) -> bool:
        """Whether the login names a place for the passphrase of its keys."""
        return bool(self.passphrase_env or self.passphrase_file or self.passphrase_command)

    def of_keys(self) -> Credential:
        """Where the passphrase is, as if it were the password."""
        return Credential(
            password_env=self.passphrase_env,
            password_file=self.passphrase_file,
            password_command=self.passphrase_command,
        )


class WinRm(msgspec.Struct, frozen=True, kw_only=True):
    """What WinRM needs to know beside an address and a login."""

    auth: WinRmAuth = "negotiate"
    tls: bool | None = None  # None: by the scheme and the port
    ca_file: str = ""  # "" means the usual authorities
    verify: bool = True  # whether the server's certificate is verified
    kerberos_host: str = ""  # its name in the Kerberos realm, "" means that of the address


class SshRoute(msgspec.Struct, frozen=True, kw_only=True):
    """How SSH gets to a server."""

    jump: tuple[Address, ...] | None = None  # None: by the ssh config; (): directly
    jump_key_files: tuple[str, ...] = ()
    config: str | None = ""  # "" means the user's own file, None that none is read


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """One managed Windows Server."""

    name: str
    address: Address
    provider: str = ""  # "" means: detect
    credential: Credential = Credential()
    known_hosts: str = ""  # "" means the user's own file
    tags: tuple[str, ...] = ()
    winrm: WinRm = WinRm()
    account: AccountSettings = AccountSettings()  # whose instance it is, for run-commands
    image: str = ""  # the image it was made from, as the cloud's own API says
    license: str = ""  # in the words of the cloud's own API, for this very server
    ssh: SshRoute = SshRoute()
    skip: str = ""  # why no run takes it, "" where runs do
    expect: tuple[Acceptance, ...] = ()  # findings that the operator accepts there
    worker: str = ""  # label of the service's workers that reach it, "" for any

    @property
    def winrm_tls(self) -> bool:
        """Whether WinRM goes over HTTPS: by setting, by scheme, or by its usual port."""
        if self.address.scheme == "winrms":
            return True
        return self.address.port == 5986 if self.winrm.tls is None else self.winrm.tls


def require_secrecy(server: Server) -> Server:
    """The server; ``InputError`` for a WinRM login that only HTTPS can carry."""
    if not server.address.scheme.startswith("winrm") or server.winrm_tls:
        return server
    if server.winrm.auth == "basic":
        raise InputError(
            say("winrm-transport basic would send the password in clear"),
            say("use winrms://, or negotiate"),
            where=str(server.address),
        )
    if server.winrm.auth == "certificate":
        raise InputError(
            say("winrm-transport certificate needs HTTPS"),
            say("use winrms://"),
            where=str(server.address),
        )
    return server
