"""SSH servers that send without end: the connection is over within moments."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncssh
import pytest
from ssh_host import Host, Passwords, Process, host_fixture, known_fixture

from volact.errors import TransportError
from volact.model.server import Server
from volact.transports import receive_budget
from volact.transports.base import MAX_OUTPUT
from volact.transports.connect import make_opener
from volact.transports.login import SshOptions

__all__ = ["host_fixture", "known_fixture"]  # used by name: host, known

NAME, SCRIPT = "volact-0123456789abcdef", b"@echo off\r\n"
# Deep enough for any machine, far below what such a server would send meanwhile.
DEADLINE_S = 120.0
BLOCK = bytes(32 * 1024)


async def flood_of(host: Host, stream: Callable[[Process], asyncssh.SSHWriter[bytes]]) -> list[int]:
    """Let a command write blocks without end; how many it could."""
    sent = [0]

    async def behaviour(_host: Host, process: Process, script: Path) -> None:
        script.unlink()
        with contextlib.suppress(OSError, asyncssh.Error):
            while not process.is_closing():
                stream(process).write(BLOCK)
                await stream(process).drain()
                sent[0] += len(BLOCK)

    host.behaviour = behaviour
    return sent


async def run(server: Server) -> TransportError:
    with pytest.raises(TransportError) as caught:
        async with make_opener(Passwords(), SshOptions(connect_s=60))(server) as transport:
            await transport.run(SCRIPT, name=NAME, deadline_s=DEADLINE_S)
    return caught.value


@pytest.mark.parametrize("name", ["stdout", "stderr"])
async def test_a_command_that_writes_without_end(host: Host, known: Path, name: str) -> None:
    sent = await flood_of(host, lambda process: getattr(process, name))
    error = await run(host.as_server(known))
    assert error.kind == "protocol"
    assert "wrote more than" in error.message
    assert sent[0] < 16 * MAX_OUTPUT  # far from what two minutes would bring


Send = Callable[[asyncssh.connection.SSHConnection], None]


def ignored(connection: asyncssh.connection.SSHConnection) -> None:
    """A packet that means nothing, by RFC 4253."""
    connection.send_packet(2, asyncssh.packet.String(bytes(64)))


def debugged(connection: asyncssh.connection.SSHConnection) -> None:
    connection.send_debug("x" * 1000)


@pytest.mark.parametrize("send", [ignored, debugged], ids=["ignore", "debug"])
async def test_packets_that_mean_nothing(host: Host, known: Path, send: Send) -> None:
    over = asyncio.Event()

    async def behaviour(_host: Host, process: Process, _script: Path) -> None:
        connection = process.channel.get_connection()
        with contextlib.suppress(OSError, asyncssh.Error):
            while not connection.is_closed():
                for _ in range(200):
                    send(connection)
                await asyncio.sleep(0)
        over.set()

    host.behaviour = behaviour
    error = await run(host.as_server(known))
    assert error.kind == "protocol"
    assert "more than anything that was asked for" in error.message
    await asyncio.wait_for(over.wait(), 600)


@pytest.mark.parametrize("line", [b"welcome\r\n", b"x" * 65536])
async def test_a_flood_before_the_login(known: Path, line: bytes) -> None:
    over = asyncio.Event()

    async def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while True:
                writer.write(line)
                await writer.drain()
        over.set()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        target = Host(Path(), port=port).as_server(known)
        with pytest.raises(TransportError) as caught:
            async with make_opener(Passwords(), SshOptions(connect_s=60))(target):
                pytest.fail("it opened")
        assert caught.value.kind == "protocol"
        await asyncio.wait_for(over.wait(), 600)


async def test_a_flood_of_greetings(tmp_path: Path) -> None:
    """``SSH_MSG_USERAUTH_BANNER`` may come any number of times while a login goes on."""
    host = Host(tmp_path)

    class Greeter(asyncssh.SSHServer):
        def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
            self.conn = conn

        async def begin_auth(self, username: str) -> bool:
            with contextlib.suppress(OSError, asyncssh.Error):
                while not self.conn.is_closed():
                    self.conn.send_auth_banner("by the law " * 1000)
                    await asyncio.sleep(0)
            return True

    listening = await asyncssh.create_server(Greeter, "127.0.0.1", 0, server_host_keys=[host.key])
    async with listening:
        host.port = listening.get_port()
        error = await run(host.as_server(host.known_hosts(tmp_path / "known_hosts")))
    assert error.kind in ("protocol", "auth")
    assert "more than anything" in error.message


async def test_what_a_login_and_an_execution_cost_is_far_below(host: Host, known: Path) -> None:
    seen: list[int] = []

    async with make_opener(Passwords())(host.as_server(known)) as transport:
        connection = transport._connection  # type: ignore[attr-defined]
        budget = receive_budget.of(connection)
        assert budget is not None
        seen.append(budget._left)
        await transport.run(SCRIPT, name=NAME, deadline_s=120)
        seen.append(budget._left)
    login = receive_budget.LOGIN - seen[0]
    execution = seen[0] + receive_budget.EXECUTION - seen[1]
    assert 0 < login < receive_budget.LOGIN / 20
    assert 0 < execution < receive_budget.EXECUTION / 50


def on_uvloop(test: Callable[[], Awaitable[None]]) -> None:
    uvloop = pytest.importorskip("uvloop")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(test())  # type: ignore[arg-type]


def test_the_loop_of_a_real_run_counts_too(tmp_path: Path) -> None:
    async def test() -> None:
        home = tmp_path / "home"
        (home / "AppData/Local/Temp").mkdir(parents=True)
        host = Host(home)
        await host.start_server()
        try:
            known = host.known_hosts(tmp_path / "known_hosts")
            async with make_opener(Passwords())(host.as_server(known)) as transport:
                budget = receive_budget.of(transport._connection)  # type: ignore[attr-defined]
                assert budget is not None
                assert budget._left < receive_budget.LOGIN
        finally:
            await host.stop()

    on_uvloop(test)
