"""Logging in over SSH: options, keys, the password at the last moment.

One ``Login`` serves a whole run.  What is the same for every server (the
choice of algorithms, key files) is worked out once, because a fleet pays for
it once per server otherwise.  There is never a prompt.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import msgspec

from volact.errors import TransportError, VolactError, one_line
from volact.model.server import Credential, HostKeyPolicy, Server
from volact.model.text import say
from volact.transports.base import Secrets
from volact.transports.failures import ON_THIS_PORT, as_transport_error
from volact.transports.hostkeys import HostKeys
from volact.transports.jump import JumpLease, Jumps
from volact.transports.keys import PrivateKeys
from volact.transports.ssh_client import LoginClient
from volact.transports.ssh_config import HostSettings, SshConfig, own_user, proxy_arguments
from volact.transports.ssh_library import asyncssh

# The account that every Windows Server has; images keep it as the login.
DEFAULT_USER = "Administrator"

# Fast ones first, the library's own choice after them.
_ALGORITHMS: dict[str, Any] = {
    "kex_algs": "^curve25519-sha256,curve25519-sha256@libssh.org",
    "encryption_algs": "^aes128-gcm@openssh.com,aes256-gcm@openssh.com",
    "compression_algs": "none",
}


class SshOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator may set about SSH."""

    host_keys: HostKeyPolicy = "strict"
    known_hosts: Path | None = None  # None: the user's own
    config: Path | None = None  # settings of OpenSSH; None: the user's own
    connect_s: float = 15.0
    # How long tidying up may take beyond a deadline; None: as each transport has it.
    grace_s: float | None = None


class Login:
    """Opens SSH connections for one run."""

    def __init__(self, secrets: Secrets, options: SshOptions) -> None:
        self._secrets = secrets
        self._options = options
        self._host_keys = HostKeys(options.host_keys, options.known_hosts)
        self._keys = PrivateKeys(secrets)
        self._config = SshConfig(options.config)
        self._jumps = Jumps(self._connect_jump, self._settings)
        self._leases: dict[asyncssh.SSHClientConnection, JumpLease] = {}
        self._base: asyncssh.SSHClientConnectionOptions | None = None

    async def connect(self, server: Server) -> asyncssh.SSHClientConnection:
        """An authenticated connection, or ``TransportError``.

        The caller closes it when done, and reports that by ``let_go``.
        """
        settings = await self._settings(server)
        hops = settings.jump if server.ssh.jump is None else server.ssh.jump
        settled = _settled(server, settings, DEFAULT_USER)
        if not hops:
            return await self._connect(settled, settings)
        lease = await self._jumps.to(server, hops)
        try:
            connection = await self._connect(settled, settings, lease.connection)
        except BaseException:
            await lease.end()
            raise
        self._leases[connection] = lease
        return connection

    async def _settings(self, server: Server) -> HostSettings:
        """The user's SSH settings for a server; their commands have the time of a login."""
        try:
            async with asyncio.timeout(self._options.connect_s):
                return await self._config.of(server)
        except TimeoutError as error:
            words = say(
                "the SSH settings were not read within {seconds} s",
                seconds=f"{self._options.connect_s:g}",
            )
            hint = say("a command of Match exec takes too long")
            raise TransportError("timeout", words, hint, passing="unsent") from error

    async def let_go(self, connection: asyncssh.SSHClientConnection) -> None:
        """A connection is closed: its jump host may be, too."""
        lease = self._leases.pop(connection, None)
        if lease is not None:
            await lease.end()

    async def _connect_jump(
        self, hop: Server, tunnel: asyncssh.SSHClientConnection | None
    ) -> asyncssh.SSHClientConnection:
        settings = await self._settings(hop)
        try:
            return await self._connect(_settled(hop, settings, own_user()), settings, tunnel)
        except TransportError as error:
            message = say("jump host {name}: {message}", name=hop.name, message=error.message)
            raise TransportError(
                error.kind, message, error.hint, error.command, passing=error.passing
            ) from error

    async def _connect(
        self,
        server: Server,
        settings: HostSettings,
        tunnel: asyncssh.SSHClientConnection | None = None,
    ) -> asyncssh.SSHClientConnection:
        client = LoginClient(self._secrets, _named(server))
        client.known = self._host_keys.for_server(server.known_hosts)
        client.tunnel = tunnel
        try:
            async with asyncio.timeout(self._options.connect_s):
                arguments = await self._arguments(server, settings, client)
                if tunnel is not None:
                    arguments["tunnel"] = tunnel
                elif settings.command and server.ssh.jump is None:
                    arguments["proxy_command"] = proxy_arguments(settings.command)
                return await asyncssh.connect(**arguments)
        except UnicodeDecodeError as error:
            raise TransportError("protocol", say("no SSH server answers there")) from error
        except ValueError as error:
            # asyncssh's word for settings it will not take, such as a user name.
            raise _unusable(error) from error
        except asyncssh.ChannelOpenError as error:
            if tunnel is None:
                raise self._told(server, client, error) from error
            raise _not_beyond(error) from error
        except Exception as error:
            raise self._told(server, client, error) from error

    async def _arguments(
        self, server: Server, settings: HostSettings, client: LoginClient
    ) -> dict[str, Any]:
        known = client.known
        return {
            "host": server.address.host,
            "port": server.address.port or 22,
            "options": self._shared(),
            "config": None,
            "username": user_of(server),
            "client_factory": lambda: client,
            "known_hosts": None if known is None else client.match,
            **await self._identity(server.credential, settings),
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
                **_algorithms(),
            )
        return self._base

    async def _identity(self, credential: Credential, settings: HostSettings) -> dict[str, Any]:
        """Which keys to offer: those that are named, else all that are at hand.

        Keys of an agent are not offered along with a named password: a server
        counts each as a failed login and locks the account after a few.
        """
        if credential.key_files:
            keys = await self._keys.of(credential)
            return {"client_keys": keys, "agent_path": None}
        if credential.names_password:
            return {"client_keys": None, "agent_path": None, "preferred_auth": "password"}
        keys = self._keys.at_hand(settings.keys)
        return {"client_keys": keys or (), "agent_path": os.environ.get("SSH_AUTH_SOCK", "")}

    def _told(self, server: Server, client: LoginClient, error: Exception) -> VolactError:
        """The one error of a connection that did not come about."""
        own = client.own_reason(error)
        if own is not None:
            return own
        if isinstance(error, asyncssh.PermissionDenied):
            return _refused(user_of(server), server.credential, client)
        if isinstance(error, TimeoutError):
            words = say("no login within {seconds} s", seconds=f"{self._options.connect_s:g}")
            return TransportError("timeout", words, passing="unsent")
        if client.unheard and isinstance(error, asyncssh.ConnectionLost | ConnectionError):
            words = say("the connection ended before an SSH server answered")
            return TransportError("connect", words, ON_THIS_PORT, passing="unsent")
        known = as_transport_error(error)
        if known is None:
            raise error
        return known


def _algorithms() -> dict[str, Any]:
    """The choice as plain lists: asyncssh takes patterns apart anew for every connection."""
    chosen = asyncssh.SSHClientConnectionOptions(config=None, **_ALGORITHMS)
    return {
        **_ALGORITHMS,
        "kex_algs": [name.decode("ascii") for name in chosen.kex_algs],
        "encryption_algs": [name.decode("ascii") for name in chosen.encryption_algs],
    }


def user_of(server: Server) -> str:
    """The account to log in as."""
    return server.address.user or server.credential.user or DEFAULT_USER


def _settled(server: Server, settings: HostSettings, usual_user: str) -> Server:
    """The server as it is really reached: what is not given comes from the settings."""
    address = server.address
    user = address.user or server.credential.user or settings.user or usual_user
    return msgspec.structs.replace(
        server,
        address=msgspec.structs.replace(
            address, host=settings.host, port=address.port or settings.port, user=user
        ),
    )


def _named(server: Server) -> Credential:
    return msgspec.structs.replace(server.credential, user=user_of(server))


def _unusable(error: ValueError) -> TransportError:
    known = as_transport_error(error)
    text = one_line(str(error))
    return known or TransportError(
        "connect", say("the SSH settings are not usable: {detail}", detail=text)
    )


def _not_beyond(error: asyncssh.ChannelOpenError) -> TransportError:
    """The jump host is there, and the server behind it is not."""
    return TransportError(
        "connect",
        say("the jump host does not reach the server: {detail}", detail=one_line(str(error))),
        say("check the address as the jump host sees it, and AllowTcpForwarding of its sshd"),
    )


def _refused(user: str, credential: Credential, client: LoginClient) -> TransportError:
    """What the server offers, and what to do: volact answers no questions."""
    name, offered = one_line(user, 64), ", ".join(client.offered)
    message = say("the login was refused for {user}", user=name)
    named = {"publickey"} if credential.key_files else set()
    named |= {"password"} if credential.names_password else set()
    if client.accepted_one:
        message = say(
            "the login of {user} is half done: the server also asks for {what}",
            user=name,
            what=offered,
        )
        usable = {"publickey", "password"} & set(client.offered)
        hint = say("check user, password or key")
        if not usable:
            hint = say("volact answers no questions: exempt this account from the second factor")
        elif usable - named:
            hint = say("name both password-env and key-file")
    elif not {"publickey", "password"} & set(client.offered) and client.offered:
        hint = say(
            "the server offers {what}, for which volact has no answer: allow publickey or "
            "password for this account in its sshd_config",
            what=offered,
        )
    elif not named:
        hint = say(
            "no password or key is named: set password-env or key-file, or start an SSH agent"
        )
    elif client.offered and not named & set(client.offered):
        name_it = "password-env" if "password" in client.offered else "key-file"
        hint = say("the server offers {what}: set {key}", what=offered, key=name_it)
    else:
        hint = say("check user, password or key")
    return TransportError("auth", message, hint)
