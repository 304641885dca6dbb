"""The SSH servers of the fleet: one listener for each, one set of options for all.

Which server a connection is for is told by the port it came in on.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import asyncssh

from volact.lab.cmd.session import Result, execute
from volact.lab.ssh.pool import Pool
from volact.lab.ssh.sftp import LabSftp
from volact.lab.ssh.slot import Slot
from volact.lab.ssh.tamper import tamper

_LIMIT_S = 300.0
_LOG = logging.getLogger("volact.lab")
_BANNER = "OpenSSH_for_Windows_9.5"


@dataclass
class Front:
    """Everything the listeners share: keys, password, threads, and who is where."""

    password: str
    client_key: asyncssh.SSHKey
    host_key: asyncssh.SSHKey
    pool: Pool
    slots: dict[int, Slot] = field(default_factory=dict)
    hanging: set[asyncio.Event] = field(default_factory=set)
    _listeners: list[asyncssh.SSHAcceptor] = field(default_factory=list)

    def options(self) -> asyncssh.SSHServerConnectionOptions:
        """The options of every listener."""
        return asyncssh.SSHServerConnectionOptions(
            server_factory=lambda: _Login(self),
            server_host_keys=[self.host_key],
            server_version=_BANNER,
            process_factory=self._process,
            sftp_factory=self._sftp,
            encoding=None,
            login_timeout=30,
            keepalive_interval=0,
        )

    async def listen(self, slot: Slot, options: asyncssh.SSHServerConnectionOptions) -> None:
        """Start one server's listener on a free loopback port."""
        acceptor = await asyncssh.listen("127.0.0.1", 0, options=options, backlog=128)
        slot.port = acceptor.get_port()
        self.slots[slot.port] = slot
        self._listeners.append(acceptor)

    async def stop(self) -> None:
        """Close every listener and connection."""
        for event in tuple(self.hanging):
            event.set()
        for acceptor in self._listeners:
            acceptor.close()
        await asyncio.gather(*(acceptor.wait_closed() for acceptor in self._listeners))
        self._listeners.clear()

    def slot_of(self, info: Callable[[str], object]) -> Slot:
        """The server that a connection is for."""
        address = info("sockname")
        assert isinstance(address, tuple)
        return self.slots[int(address[1])]

    def _sftp(self, channel: asyncssh.SSHServerChannel[bytes]) -> LabSftp:
        return LabSftp(channel, self.slot_of(channel.get_extra_info))

    async def _process(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        slot = self.slot_of(process.get_extra_info)
        if process.command is None:
            process.stderr.write(b"lab: an interactive shell is not modelled\r\n")
            process.exit(1)
            return
        slot.executions += 1
        result = await self._run(slot, process.command)
        if slot.line == "hang":
            await self._hang(process)
            return
        chance = random.Random(f"{slot.spec.seed}/{slot.spec.index}/{slot.executions}")
        process.stdout.write(tamper(result.stdout, slot.line, chance))
        if result.stderr:
            process.stderr.write(result.stderr)
        process.exit(result.exit_code & 0xFFFFFFFF)

    async def _run(self, slot: Slot, command: str) -> Result:
        machine = slot.machine
        try:
            return await self.pool.run(
                lambda: execute(machine, command, limit_s=_LIMIT_S), _LIMIT_S + 5
            )
        except TimeoutError:
            _LOG.error("%s: a script does not end and cannot be ended", slot.spec.name)
            return Result(1, b"", b"lab: the script did not end\r\n")

    async def _hang(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        """The process never ends: stay until the other side or the lab gives up."""
        given_up = asyncio.Event()
        self.hanging.add(given_up)
        closed = asyncio.ensure_future(process.channel.wait_closed())
        waiting = asyncio.ensure_future(given_up.wait())
        try:
            await asyncio.wait((closed, waiting), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.hanging.discard(given_up)
            closed.cancel()
            waiting.cancel()


class _Login(asyncssh.SSHServer):
    """Who may come in: the server's login user, by password or by the lab's key."""

    def __init__(self, front: Front) -> None:
        self._front = front
        self._slot: Slot | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._slot = self._front.slot_of(conn.get_extra_info)
        self._slot.connections += 1

    def begin_auth(self, _username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def _known(self, username: str) -> bool:
        assert self._slot is not None
        right = self._slot.spec.user.lower() == username.lower()
        return right and self._slot.line != "auth"

    def validate_password(self, username: str, password: str) -> bool:
        return self._known(username) and password == self._front.password

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        assert self._slot is not None
        allowed = self._slot.spec.key_login and self._known(username)
        return allowed and key.public_data == self._front.client_key.public_data
