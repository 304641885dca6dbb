"""Which transport a server gets, by the scheme of its address.

The one place that knows all transports; opening and closing are in each
opener, so that no caller has to remember to close.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from volact.cloud.registry import clouds
from volact.model.server import Scheme, Server
from volact.transports.base import Opener, Secrets, Transport
from volact.transports.local import open_local
from volact.transports.login import Login, SshOptions
from volact.transports.run_command.transport import RunCommandService
from volact.transports.ssh import SshTransport, use_inline

# Makes the opener of one transport; asked once a run, so that what its
# servers share is worked out once.
TransportMaker = Callable[[Secrets, SshOptions], Opener]


def _ssh(secrets: Secrets, options: SshOptions) -> Opener:
    login = Login(secrets, options)
    left: dict[str, list[str]] = {}

    @asynccontextmanager
    async def opener(server: Server) -> AsyncIterator[Transport]:
        use_inline()
        connection = await login.connect(server)
        mine = left.pop(server.name, [])
        transport = SshTransport(connection, mine, grace_s=options.grace_s)
        try:
            yield transport
        finally:
            if mine:
                left[server.name] = mine
            try:
                await transport.close()
            finally:  # cancelled, too: the jump host's connection is shared
                await login.let_go(connection)

    return opener


def _run_command(_secrets: Secrets, options: SshOptions) -> Opener:
    """There is no login: the cloud's own agent runs the script."""
    return RunCommandService(grace_s=options.grace_s).open


def _winrm(secrets: Secrets, options: SshOptions) -> Opener:
    from volact.transports.winrm.login import make  # noqa: PLC0415 - its library is slow to load

    return make(secrets, options)


def _local(_secrets: Secrets, _options: SshOptions) -> Opener:
    """No login: it is this machine."""
    return open_local


TRANSPORTS: Mapping[Scheme, TransportMaker] = {
    "ssh": _ssh,
    "winrm": _winrm,
    "winrms": _winrm,
    "local": _local,
    **{cloud.scheme: _run_command for cloud in clouds()},
}


class TransportOpener:
    """What opens the servers of one run, each by its own transport."""

    def __init__(self, secrets: Secrets, options: SshOptions) -> None:
        self.secrets = secrets
        self.options = options
        self._made: dict[TransportMaker, Opener] = {}

    def __call__(self, server: Server) -> AbstractAsyncContextManager[Transport]:
        """Open a server for the time of a block."""
        make = TRANSPORTS[server.address.scheme]
        if make not in self._made:
            self._made[make] = make(self.secrets, self.options)
        return self._made[make](server)


def make_opener(secrets: Secrets, options: SshOptions | None = None) -> Opener:
    """What opens the servers of one run."""
    return TransportOpener(secrets, options or SshOptions())
