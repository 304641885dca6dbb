"""Jump hosts: one connection to each, shared by all servers behind it.

A connection is opened when the first server needs it and closed when the last
one lets go.  How a login goes is ``login``'s.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec

from volact.model.server import Address, Credential, Server, SshRoute
from volact.transports.ssh_config import HostSettings
from volact.transports.ssh_library import asyncssh

# Opens a connection to a server, through another connection or directly.
Open = Callable[
    [Server, asyncssh.SSHClientConnection | None], Awaitable[asyncssh.SSHClientConnection]
]

# The user's SSH settings for a server.
SettingsOf = Callable[[Server], Awaitable[HostSettings]]

_GOODBYE_S = 3.0


class _Route(msgspec.Struct, frozen=True):
    """Jump hosts one behind the other, and how one logs in to them."""

    hops: tuple[Address, ...]
    key_files: tuple[str, ...]
    known_hosts: str
    config: str | None


class JumpLease:
    """The use of a connection to a jump host by one server."""

    def __init__(self, shared: _Shared, connection: asyncssh.SSHClientConnection) -> None:
        self._shared: _Shared | None = shared
        self.connection = connection

    async def end(self) -> None:
        """Let go; the last one closes the connection."""
        shared, self._shared = self._shared, None
        if shared is not None:
            await shared.leave()


class Jumps:
    """The jump hosts of a run."""

    def __init__(self, open_: Open, settings_of: SettingsOf) -> None:
        self._open = open_
        self._settings_of = settings_of
        self._shared: dict[_Route, _Shared] = {}
        self._whole: dict[_Route, _Route] = {}

    async def to(self, server: Server, hops: tuple[Address, ...]) -> JumpLease:
        """A connection to the last of the hops, through those before it."""
        route = _Route(hops, server.ssh.jump_key_files, server.known_hosts, server.ssh.config)
        if route not in self._whole:
            self._whole[route] = await self._whole_of(route)
        return await self._lease(self._whole[route])

    async def _whole_of(self, route: _Route) -> _Route:
        """The route with the jump hosts that the settings of its first one put before it.

        Those of the others do not count, as in OpenSSH.  One for all hosts is not behind itself.
        """
        while True:
            before = (await self._settings_of(_as_server(route.hops[0], route))).jump
            known = {hop.host for hop in route.hops}
            if not before or any(hop.host in known for hop in before):
                return route
            route = msgspec.structs.replace(route, hops=(*before, *route.hops))

    async def _lease(self, route: _Route) -> JumpLease:
        shared = self._shared.get(route)
        if shared is None or shared.is_over:
            shared = self._shared[route] = _Shared(asyncio.ensure_future(self._connect(route)))
        return await shared.join()

    async def _connect(
        self, route: _Route
    ) -> tuple[asyncssh.SSHClientConnection, JumpLease | None]:
        *before, last = route.hops
        nearer = msgspec.structs.replace(route, hops=tuple(before))
        lease = await self._lease(nearer) if before else None
        try:
            through = lease.connection if lease is not None else None
            return await self._open(_as_server(last, route), through), lease
        except BaseException:
            if lease is not None:
                await lease.end()
            raise


class _Shared:
    """One connection and how many use it."""

    def __init__(
        self, task: asyncio.Task[tuple[asyncssh.SSHClientConnection, JumpLease | None]]
    ) -> None:
        self._task = task
        self._users = 0
        self._left = False

    @property
    def is_over(self) -> bool:
        """Whether no server can join any more."""
        if self._left:
            return True
        if not self._task.done():
            return False
        failed = self._task.cancelled() or self._task.exception() is not None
        return failed or self._task.result()[0].is_closed()

    async def join(self) -> JumpLease:
        """One more user, once there is a connection."""
        self._users += 1
        try:
            # One server that stops waiting must not take the connection from the others.
            connection, _ = await asyncio.shield(self._task)
        except BaseException:
            await self.leave()
            raise
        return JumpLease(self, connection)

    async def leave(self) -> None:
        """One user less."""
        self._users -= 1
        if self._users:
            return
        self._left = True
        if not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task], timeout=_GOODBYE_S)
        if self._task.done() and not self._task.cancelled() and self._task.exception() is None:
            connection, nearer = self._task.result()
            try:
                await say_goodbye(connection)
            finally:
                if nearer is not None:
                    await nearer.end()


async def say_goodbye(connection: asyncssh.SSHClientConnection) -> None:
    """Close a connection; a server that does not answer is not waited for."""
    connection.close()
    try:
        async with asyncio.timeout(_GOODBYE_S):
            await connection.wait_closed()
    except TimeoutError:
        connection.abort()


def _as_server(hop: Address, route: _Route) -> Server:
    """A jump host as something to log in to: never with a server's password."""
    return Server(
        name=str(hop),
        address=hop,
        credential=Credential(key_files=route.key_files),
        known_hosts=route.known_hosts,
        ssh=SshRoute(config=route.config),
    )
