"""Logging in over SSH: options, keys, the password at the last moment.

One ``Login`` serves a whole run.  What is the same for every server (the
choice of algorithms, key files) is worked out once, because a fleet pays for
it once per server otherwise.  Nobody is ever prompted.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any, cast

import asyncssh
import msgspec

from volact.errors import InputError, TransportError, VolactError
from volact.model.server import Credential, Server
from volact.transports.base import Secrets
from volact.transports.failures import as_transport_error, one_line
from volact.transports.hostkeys import HostKeyPolicy, HostKeys, KnownHosts, Match, Refusal

# The account that every Windows Server has; images keep it as the login.
DEFAULT_USER = "Administrator"

# Fast ones first, the library's own choice after them.
_ALGORITHMS: dict[str, Any] = {
    "kex_algs": "^curve25519-sha256,curve25519-sha256@libssh.org",
    "encryption_algs": "^aes128-gcm@openssh.com,aes256-gcm@openssh.com",
    "compression_algs": "none",
}


# How a server ends a login that it has had enough of.
_ENDED = (asyncssh.DisconnectError, asyncssh.ProtocolError)


class SshOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a person may set about SSH."""

    host_keys: HostKeyPolicy = "strict"
    known_hosts: Path | None = None  # None: the user's own
    connect_s: float = 15.0


class Login:
    """Opens SSH connections for one run."""

    def __init__(self, secrets: Secrets, options: SshOptions) -> None:
        self._secrets = secrets
        self._options = options
        self._host_keys = HostKeys(options.host_keys, options.known_hosts)
        self._keys: dict[str, asyncssh.SSHKey] = {}
        self._base: asyncssh.SSHClientConnectionOptions | None = None

    async def connect(self, server: Server) -> asyncssh.SSHClientConnection:
        """An authenticated connection, or ``TransportError``."""
        client = _Client(self._secrets, _named(server))
        client.known = self._host_keys.for_server(server.known_hosts)
        try:
            async with asyncio.timeout(self._options.connect_s):
                return await asyncssh.connect(**self._arguments(server, client))
        except ValueError as error:
            # asyncssh's word for settings it will not take, such as a user name.
            raise _unusable(error) from error
        except Exception as error:
            raise self._told(server, client, error) from error

    def _arguments(self, server: Server, client: _Client) -> dict[str, Any]:
        known = client.known
        return {
            "host": server.address.host,
            "port": server.address.port or 22,
            "options": self._shared(),
            "config": None,
            "username": user_of(server),
            "client_factory": lambda: client,
            "known_hosts": None if known is None else client.match,
            **self._identity(server.credential),
        }

    def _shared(self) -> asyncssh.SSHClientConnectionOptions:
        if self._base is None:
            self._base = asyncssh.SSHClientConnectionOptions(
                config=None,
                x509_trusted_certs=None,
                x509_trusted_cert_paths=[],
                gss_host=None,
                host_based_auth=False,
                kbdint_auth=False,
                login_timeout=0,
                # A long apply must not look dead to a firewall in between.
                keepalive_interval=20,
                **_ALGORITHMS,
            )
        return self._base

    def _identity(self, credential: Credential) -> dict[str, Any]:
        """Which keys to offer: those that are named, else all that are at hand.

        Keys of an agent are not offered beside a named password: a server
        counts each as a failed login and locks the account after a few.
        """
        if credential.key_files:
            keys = [self._key(path) for path in credential.key_files]
            return {"client_keys": keys, "agent_path": None}
        if credential.names_password:
            return {"client_keys": None, "agent_path": None, "preferred_auth": "password"}
        return {"client_keys": (), "agent_path": os.environ.get("SSH_AUTH_SOCK", "")}

    def _key(self, path: str) -> asyncssh.SSHKey:
        if path not in self._keys:
            self._keys[path] = _read_key(path)
        return self._keys[path]

    def _told(self, server: Server, client: _Client, error: Exception) -> VolactError:
        """The one error of a connection that did not come about."""
        own = client.own_reason(error)
        if own is not None:
            return own
        if isinstance(error, asyncssh.PermissionDenied):
            return _refused(user_of(server), server.credential)
        if isinstance(error, TimeoutError):
            return TransportError("timeout", f"no login within {self._options.connect_s:g} s")
        known = as_transport_error(error)
        if known is None:
            raise error
        return known


class _Client(asyncssh.SSHClient):
    """asyncssh's questions during one login, and why the answer was no."""

    def __init__(self, secrets: Secrets, credential: Credential) -> None:
        self._secrets = secrets
        self._credential = credential
        self._asked = False
        self._connection: asyncssh.SSHClientConnection | None = None
        self.known: KnownHosts | None = None
        self.refusal: Refusal | None = None
        self.trouble: VolactError | None = None
        self.restricted = False

    def own_reason(self, error: Exception) -> VolactError | None:
        """What is known here of why the login failed, better than the library can."""
        if self.trouble is not None:
            return self.trouble
        if self.refusal is not None:
            return TransportError("host-key", self.refusal.message, self.refusal.hint)
        if isinstance(error, asyncssh.KeyExchangeFailed) and self.restricted:
            return TransportError(
                "host-key",
                "the server has none of the kinds of host key in known_hosts",
                "if the server was rebuilt, remove its old lines there",
            )
        if isinstance(error, InputError):
            return TransportError("auth", error.message, error.hint)
        if self._in_login and type(error) in _ENDED:
            return TransportError(
                "auth",
                f"the server ended the login: {one_line(str(error))}",
                "too many keys of an agent? name the right one as key-file",
            )
        return error if isinstance(error, VolactError) else None

    @property
    def _in_login(self) -> bool:
        """Whether the server is known and it is now about the person."""
        return self._connection is not None and bool(self._connection.get_server_host_key())

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        """Keep the connection, to see how far it got."""
        self._connection = conn

    def match(self, host: str, addr: str, port: int | None) -> Match:
        """The trusted keys of this host."""
        found: Match = self.known.match(host, addr, port) if self.known else ([], [], [])
        self.restricted = bool(found[0])
        return found

    def validate_host_public_key(
        self, host: str, addr: str, port: int, key: asyncssh.SSHKey
    ) -> bool:
        """Judge a host key that is not among the trusted ones."""
        if self.known is None:
            return True
        self.refusal = self.known.judge(host, addr, port, key)
        return self.refusal is None

    async def password_auth_requested(self) -> str | None:
        """The password, once: a second try with the same one locks accounts."""
        if self._asked:
            return None
        self._asked = True
        try:
            secret = await self._secrets.password(self._credential)
        except VolactError as error:
            self.trouble = TransportError("auth", error.message, error.hint)
            return None
        return None if secret is None else secret.reveal()

    def password_change_requested(self, prompt: str, lang: str) -> tuple[str, str]:
        """Windows wants a new password: nothing to be decided here."""
        self.trouble = TransportError(
            "auth", "the password has expired", "log in once by hand and change it"
        )
        # The library's word for "no", which its types do not know.
        return cast("tuple[str, str]", NotImplemented)


def user_of(server: Server) -> str:
    """The account to log in as."""
    return server.address.user or server.credential.user or DEFAULT_USER


def _named(server: Server) -> Credential:
    return msgspec.structs.replace(server.credential, user=user_of(server))


def _unusable(error: ValueError) -> TransportError:
    known = as_transport_error(error)
    text = one_line(str(error))
    return known or TransportError("connect", f"the SSH settings are not usable: {text}")


def _refused(user: str, credential: Credential) -> TransportError:
    message = f"the login was refused for {one_line(user, 64)}"
    if credential.key_files or credential.names_password:
        return TransportError("auth", message, "check user, password or key")
    hint = "no password or key is named: set password-env or key-file, or start an SSH agent"
    return TransportError("auth", message, hint)


def check_key_file(path: str) -> None:
    """``InputError`` when a key file cannot be used without asking anybody."""
    _read_key(path)


def _read_key(path: str) -> asyncssh.SSHKey:
    try:
        return asyncssh.read_private_key(Path(path).expanduser())
    except OSError as error:
        raise InputError(error.strerror or "not readable", where=path) from error
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
        hint = "a key with a passphrase belongs into an SSH agent"
        raise InputError(one_line(str(error)), hint, where=path) from error
