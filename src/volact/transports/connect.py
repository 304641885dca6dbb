"""Which transport a server gets, by its address.

The one place that knows all transports; opening and closing are here, so
that nobody else has to remember to close.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from volact.errors import InputError
from volact.model.server import Server
from volact.transports.base import Opener, Secrets, Transport
from volact.transports.login import Login, SshOptions
from volact.transports.ssh import SshTransport


def make_opener(secrets: Secrets, options: SshOptions | None = None) -> Opener:
    """What opens the servers of one run; what they share is worked out once."""
    login = Login(secrets, options or SshOptions())

    @asynccontextmanager
    async def opener(server: Server) -> AsyncIterator[Transport]:
        if server.address.scheme != "ssh":
            raise InputError(
                f"{server.address.scheme}: this version reaches servers by ssh only",
                "write ssh://user@host",
                where=server.name,
            )
        transport = SshTransport(await login.connect(server))
        try:
            yield transport
        finally:
            await transport.close()

    return opener


def open_transport(
    server: Server, secrets: Secrets, options: SshOptions | None = None
) -> AbstractAsyncContextManager[Transport]:
    """One server by itself, as an async context manager."""
    return make_opener(secrets, options)(server)
