"""The SSH servers of the fleet: one listener for each, one set of options for all.

The port of a connection shows which server it is for.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from volact.transports.ssh_library import asyncssh
from volact_lab.listening import stop_accepting
from volact_lab.session import Result, execute
from volact_lab.ssh.pool import Pool
from volact_lab.ssh.sftp import LabSftp
from volact_lab.ssh.slot import Slot
from volact_lab.ssh.tamper import tamper
from volact_lab.ssh.troubled import Process, TroubledSftp, passed, peer_of, refused, told

_LIMIT_S = 300.0
_LOG = logging.getLogger("volact_lab")
_BANNER = "OpenSSH_for_Windows_9.5"
_SFTP_VERSION = 3


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
    open: set[asyncssh.SSHServerConnection] = field(default_factory=set)

    def options(self) -> asyncssh.SSHServerConnectionOptions:
        """The options of every listener."""
        return asyncssh.SSHServerConnectionOptions(
            server_factory=lambda: _Login(self),
            server_host_keys=[self.host_key],
            server_version=_BANNER,
            encoding=None,
            line_editor=False,
            login_timeout=600,  # a machine that is busy may need long
            keepalive_interval=0,
        )

    async def listen(self, slot: Slot, options: asyncssh.SSHServerConnectionOptions) -> int:
        """Start one server's listener on a free loopback port, one more where it has one."""
        acceptor = await asyncssh.listen("127.0.0.1", 0, options=options, backlog=128)
        port = acceptor.get_port()
        self.slots[port] = slot
        self._listeners.append(acceptor)
        return port

    async def stop(self) -> None:
        """Close every listener and connection."""
        for event in tuple(self.hanging):
            event.set()
        await asyncio.gather(*(stop_accepting(acceptor) for acceptor in self._listeners))
        self._listeners.clear()
        left = tuple(self.open)
        for connection in left:
            connection.abort()
        await asyncio.gather(*(connection.wait_closed() for connection in left))

    def slot_of(self, info: Callable[[str], object]) -> Slot:
        """The server that a connection is for."""
        address = info("sockname")
        assert isinstance(address, tuple)
        return self.slots[int(address[1])]

    def session(self, slot: Slot, connection: asyncssh.SSHServerConnection) -> Process:
        """What a new channel of a connection is to be."""
        act = slot.reached("channel", peer_of(connection))
        if act == "deny":
            code = asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED
            raise asyncssh.ChannelOpenError(code, "open failed")
        refused_sftp = slot.gate is not None and slot.gate.refuses("sftp-init")
        sftp = None if refused_sftp else self._sftp
        return asyncssh.SSHServerProcess(self._process, sftp, _SFTP_VERSION, False)

    def _sftp(self, channel: Any) -> LabSftp:
        slot = self.slot_of(channel.get_extra_info)
        if slot.gate is None:
            return LabSftp(channel, slot)
        slot.reached("sftp-init", peer_of(channel))
        return TroubledSftp(channel, slot)

    async def _process(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        slot = self.slot_of(process.get_extra_info)
        if process.command is None:
            process.stderr.write(b"lab: an interactive shell is not modelled\r\n")
            process.exit(1)
            return
        if await refused(slot, process):
            return
        slot.executions += 1
        result = await self._watched(slot, process, process.command)
        if slot.line == "hang":
            await self._hang(process)
            return
        chance = random.Random(f"{slot.spec.seed}/{slot.spec.index}/{slot.executions}")
        if await told(slot, process, tamper(result.stdout, slot.line, chance)):
            return
        if result.stderr:
            process.stderr.write(result.stderr)
        await passed(slot, process, "exit")
        process.exit(result.exit_code & 0xFFFFFFFF)
        await passed(slot, process, "close")

    async def _watched(self, slot: Slot, process: Process, command: str) -> Result:
        """Run it; where servers are frail, a connection that is lost ends what runs."""
        if not slot.frail:
            return await self._run(slot, command)
        end = slot.machine.end_what_runs
        lost = asyncio.ensure_future(process.channel.wait_closed())
        lost.add_done_callback(lambda it: None if it.cancelled() else end())
        try:
            return await self._run(slot, command)
        finally:
            lost.cancel()

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
        """The process never ends: stay until the other side or the lab ends it."""
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
        self._connection: asyncssh.SSHServerConnection | None = None
        self._denied = False

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._slot = self._front.slot_of(conn.get_extra_info)
        self._slot.connections += 1
        self._front.open.add(conn)

    def connection_lost(self, _exc: Exception | None) -> None:
        if self._connection is not None:
            self._front.open.discard(self._connection)

    def session_requested(self) -> Any:
        """A channel is asked for; its encoding is that of the options: bytes."""
        assert self._slot is not None
        assert self._connection is not None
        return self._front.session(self._slot, self._connection)

    def begin_auth(self, _username: str) -> bool:
        if self._slot is not None and self._connection is not None:
            act = self._slot.reached("auth", peer_of(self._connection))
            self._denied = act == "deny"
        return True

    def password_auth_supported(self) -> bool:
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def _known(self, username: str) -> bool:
        assert self._slot is not None
        right = self._slot.spec.user.lower() == username.lower()
        return right and self._slot.line != "auth" and not self._denied

    def validate_password(self, username: str, password: str) -> bool:
        return self._known(username) and password == self._front.password

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        assert self._slot is not None
        allowed = self._slot.spec.key_login and self._known(username)
        return allowed and key.public_data == self._front.client_key.public_data
