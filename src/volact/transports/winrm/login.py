"""Logging in over WinRM: settings, the password at the last moment, the first shell.

There is never a prompt, and a wrong password is tried once by each way to log in that
``winrm-transport`` allows.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from pypsrp.wsman import WSMan

from volact.bounded.http_session import BoundedAdapter, bind_session
from volact.bounded.stream import Limits
from volact.errors import TransportError, VolactError, one_line
from volact.model.error_text import message_text
from volact.model.server import Server, require_secrecy
from volact.model.text import say
from volact.threads import BlockingCalls
from volact.transports.base import Opener, Secrets, Transport
from volact.transports.login import SshOptions, user_of
from volact.transports.winrm.failures import REFUSED, translated
from volact.transports.winrm.shell import QUIET_S, RemoteShell
from volact.transports.winrm.transport import LogIn, WinRmTransport

# More than this many servers at a time wait for a thread, and their deadline goes on: no run
# has more by itself.
THREADS = 512
_PORT, _TLS_PORT = 5985, 5986
# The library asks for answers of 150 KB at most.
_MOST_BYTES = 1024 * 1024

# The library logs its errors to every handler; volact reports them itself.
logging.getLogger("pypsrp").addHandler(logging.NullHandler())


def make(
    secrets: Secrets, options: SshOptions, clock: Callable[[], float] = time.monotonic
) -> Opener:
    """What opens servers by WinRM; at most so many at once as there are threads.

    ``clock`` tells how long a shell has not been used.
    """
    room = asyncio.Semaphore(THREADS)

    @asynccontextmanager
    async def opener(server: Server) -> AsyncIterator[Transport]:
        async with room:
            transport = await _open(server, secrets, options, clock)
            try:
                yield transport
            finally:
                await transport.close()

    return opener


async def _open(
    server: Server, secrets: Secrets, options: SshOptions, clock: Callable[[], float]
) -> WinRmTransport:
    require_secrecy(server)
    connect_s = options.connect_s
    settings = settings_of(server, await _password(server, secrets), connect_s)
    wsman = WSMan(**settings)
    limits = Limits(most_bytes=_MOST_BYTES, total_s=2 * connect_s)
    shell = RemoteShell(wsman, bound_wsman(wsman, limits).abort, clock)
    # Last: from here on there may be a thread to be ended.
    worker = BlockingCalls(1, name=f"winrm {server.name}", idle_s=None)
    log_in = _login(server, worker, connect_s)
    transport = WinRmTransport(shell, worker, log_in, grace_s=options.grace_s)
    try:
        await log_in(shell.open)
    except BaseException:
        transport.abandon()
        raise
    return transport


def _login(server: Server, worker: BlockingCalls, connect_s: float) -> LogIn:
    async def log_in(call: Callable[[], None]) -> None:
        try:
            with translated():
                async with asyncio.timeout(connect_s):
                    await worker.run(call)
        except TransportError as error:
            raise _told(server, error, connect_s) from error

    return log_in


def bound_wsman(wsman: WSMan, limits: Limits) -> BoundedAdapter:
    """Put bounds under every request, the login's included, and follow no redirect.

    The library makes its session with the first request; it is made here instead, so
    that none goes without.
    """
    transport = wsman.transport
    transport.session = transport._build_session()
    return bind_session(transport.session, limits, "never")


def settings_of(server: Server, password: str | None, connect_s: float) -> dict[str, Any]:
    """The library's settings for one server."""
    winrm, credential = server.winrm, server.credential
    tls = server.winrm_tls
    settings: dict[str, Any] = {
        "server": server.address.host,
        "port": server.address.port or (_TLS_PORT if tls else _PORT),
        "ssl": tls,
        "auth": winrm.auth,
        # Message encryption by Negotiate where there is no TLS, always.
        "encryption": "auto",
        "cert_validation": winrm.verify and (winrm.ca_file or True),
        "negotiate_hostname_override": winrm.kerberos_host or None,
        "no_proxy": True,
        "connection_timeout": connect_s,
        "read_timeout": QUIET_S,
    }
    if winrm.auth == "certificate":
        settings["certificate_pem"] = credential.certificate_file
        settings["certificate_key_pem"] = (
            credential.certificate_key_file or credential.certificate_file
        )
    elif password is not None or _named_user(server):
        settings["username"] = user_of(server)
        settings["password"] = password
    if winrm.auth == "basic" and password is not None:
        # As bytes: the library's own choice, Latin-1, has no place for most names.
        settings["username"] = user_of(server).encode()
        settings["password"] = password.encode()
    return settings


def _named_user(server: Server) -> str:
    """The user, where one is named: a Kerberos ticket may be another's than the usual user's."""
    return server.address.user or server.credential.user


async def _password(server: Server, secrets: Secrets) -> str | None:
    auth = server.winrm.auth
    if auth == "certificate":
        if not server.credential.certificate_file:
            raise TransportError("auth", say("no certificate given"), say("set certificate-file"))
        return None
    credential = msgspec.structs.replace(server.credential, user=user_of(server))
    try:
        secret = await secrets.password(credential)
    except VolactError as error:
        raise TransportError("auth", message_text(error), error.hint) from error
    if secret is None and auth in {"basic", "ntlm"}:
        raise TransportError(
            "auth", say("no password given"), say("set password-env or password-file")
        )
    return None if secret is None else secret.reveal()


def _told(server: Server, error: TransportError, connect_s: float) -> TransportError:
    """The one error of a shell that did not open."""
    if error.kind == "timeout":
        return TransportError(
            "timeout",
            say("no login within {seconds} s", seconds=f"{connect_s:g}"),
            passing="unsent",
        )
    if error.message != REFUSED:
        return error
    unnamed = not server.credential.names_password and not _named_user(server)
    if unnamed and server.winrm.auth in {"negotiate", "kerberos"}:
        return TransportError(
            "auth",
            say("the login was refused for the account of the Kerberos ticket"),
            say("is it an administrator of the server? klist shows whose ticket it is"),
        )
    user = one_line(user_of(server), 64)
    return TransportError("auth", say("the login was refused for {user}", user=user), _hint(server))


def _hint(server: Server) -> str:
    if server.winrm.auth == "certificate":
        return say("is the certificate mapped to an account on the server (winrm/config/service)?")
    if not server.credential.names_password:
        return say("no password is named: set password-env or password-file")
    user = user_of(server)
    hint = say("check user and password")
    if set("\\@") & set(user) or user.lower() == "administrator":
        return hint
    return say("{hint}; a local administrator also needs {setting}", hint=hint,
               setting="LocalAccountTokenFilterPolicy = 1")  # fmt: skip
