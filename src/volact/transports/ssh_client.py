"""asyncssh's questions during one login, answered without a question to the user.

Is this host key trusted, what is the password, why was the answer no.  How a
connection is opened is ``login``'s.
"""

from __future__ import annotations

import re
from typing import cast

from asyncssh.constants import MSG_USERAUTH_FAILURE
from asyncssh.packet import SSHPacket

from volact.errors import InputError, TransportError, VolactError, one_line
from volact.model.error_text import message_text
from volact.model.server import Credential
from volact.model.text import say
from volact.transports import receive_budget
from volact.transports.base import Secrets
from volact.transports.hostkeys import KnownHosts, Match
from volact.transports.ssh_library import asyncssh

# How a server ends a login that it has had enough of.  OpenSSH calls too many tries an
# error of protocol; the library's own complaints of that kind speak of packets.
_ENDED = asyncssh.DisconnectError
_FED_UP = re.compile("auth|login|user|attempt", re.IGNORECASE)


def _ended_by_server(error: Exception) -> bool:
    if type(error) is asyncssh.ProtocolError:
        return _FED_UP.search(str(error)) is not None
    return type(error) is _ENDED


class LoginClient(asyncssh.SSHClient):
    """asyncssh's questions during one login, and why the answer was no."""

    def __init__(self, secrets: Secrets, credential: Credential) -> None:
        self._secrets = secrets
        self._credential = credential
        self._asked = False
        self._connection: asyncssh.SSHClientConnection | None = None
        self.known: KnownHosts | None = None
        self.tunnel: asyncssh.SSHClientConnection | None = None
        self.refusal: TransportError | None = None
        self.trouble: VolactError | None = None
        self.restricted = False
        self.offered: tuple[str, ...] = ()  # the methods that the server named last
        self.accepted_one = False  # of several that it wants
        self._forget = ""

    def own_reason(self, error: Exception) -> VolactError | None:
        """What is known here of why the login failed, better than the library can."""
        if self.trouble is not None:
            return self.trouble
        if self.refusal is not None:
            return self.refusal
        if isinstance(error, asyncssh.KeyExchangeFailed) and self.restricted:
            return TransportError(
                "host-key-changed",
                say("the server has none of the kinds of host key in known_hosts"),
                say("the server was rebuilt, or another machine answers at its address"),
                self._forget,
            )
        if isinstance(error, InputError):
            return TransportError("auth", message_text(error), error.hint)
        if self._in_login and _ended_by_server(error):
            return TransportError(
                "auth",
                say("the server ended the login: {detail}", detail=one_line(str(error))),
                say("the SSH agent may offer too many keys; name the right one as key-file"),
            )
        return error if isinstance(error, VolactError) else None

    @property
    def unheard(self) -> bool:
        """Whether a connection came about and no SSH server introduced itself."""
        made = self._connection
        return made is not None and not made.get_extra_info("server_version")

    @property
    def _in_login(self) -> bool:
        """Whether the server's key is accepted and the login has begun."""
        return self._connection is not None and bool(self._connection.get_server_host_key())

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        """Keep the connection, to see how far it got; bound what it may receive."""
        self._connection = conn
        receive_budget.attach(conn, self.tunnel)
        # The library keeps the methods to itself: its handler is replaced for this object.
        handlers = conn._packet_handlers
        self._pass_on = handlers[MSG_USERAUTH_FAILURE]
        vars(conn)["_packet_handlers"] = {**handlers, MSG_USERAUTH_FAILURE: self._not_yet}

    def _not_yet(
        self, conn: asyncssh.SSHClientConnection, kind: int, number: int, packet: SSHPacket
    ) -> None:
        """A refusal, or a first success: read along which methods the server offers."""
        told = SSHPacket(packet.get_remaining_payload())
        self.offered = tuple(
            one_line(name.decode("latin-1"), 40) for name in told.get_namelist()[:8]
        )
        self.accepted_one = told.get_boolean() or self.accepted_one
        self._pass_on(conn, kind, number, packet)

    def match(self, host: str, addr: str, port: int | None) -> Match:
        """The trusted keys of this host."""
        found: Match = self.known.match(host, addr, port) if self.known else ([], [], [])
        self.restricted = bool(found[0])
        if self.known and self.restricted:
            self._forget = self.known.forget(host, port or 22)
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
            self.trouble = TransportError("auth", message_text(error), error.hint)
            return None
        return None if secret is None else secret.reveal()

    def password_change_requested(self, prompt: str, lang: str) -> tuple[str, str]:
        """Windows wants a new password: nothing to be decided here."""
        self.trouble = TransportError(
            "auth", say("the password has expired"), say("log in once by hand and change it")
        )
        # The library's word for "no", which its types do not know.
        return cast("tuple[str, str]", NotImplemented)
