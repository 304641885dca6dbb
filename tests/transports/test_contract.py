"""What every transport must do, over simulated servers behind its real protocol.

The scripts are plain batch files: the agent's answer is tested elsewhere.
A further transport joins by its name in ``WAYS``: the lab makes all servers
reachable by it, and its inventory has the settings.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from volact.errors import TransportError
from volact.inventory import Inventory, Secrets, load_inventory, with_credential
from volact.model.server import Server
from volact.transports.base import Opener, Raw, Transport
from volact.transports.connect import TRANSPORTS, make_opener
from volact.transports.local import LocalTransport
from volact.transports.login import SshOptions
from volact.transports.processes import in_processes
from volact_lab.cloud import lab_clouds
from volact_lab.instances.agent import SYSTEM_TEMP
from volact_lab.lab import Lab
from volact_lab.tencent.agent import FOLDER
from volact_lab.windows.spec import TransportName

# Ways that carry little output, in a code page of their own, and name files themselves.
RUN_COMMANDS = tuple(cloud.scheme for cloud in lab_clouds())
# The same transport, held by processes of its own.
IN_PROCESSES: dict[str, TransportName] = {"ssh-in-processes": "ssh"}
REMOTE = ("ssh", "winrm", *RUN_COMMANDS, *IN_PROCESSES)
# local has no line: no login to refuse, no server to be unreachable or another one.
WAYS = (*REMOTE, "local")

# Times that no machine is too slow for.
UNHURRIED = SshOptions(connect_s=300, grace_s=600)

# One server of each shell, and one of each fault of a line.
SERVERS = 40


class Servers:
    """A lab and its inventory."""

    def __init__(self, lab: Lab, way: str, inventory: Inventory, opener: Opener) -> None:
        self.lab = lab
        self.way = way
        self.servers = {server.name: server for server in inventory.servers}
        self.opener = opener

    @property
    def by_run_command(self) -> bool:
        """Whether a cloud's run-command is between us and the servers."""
        return self.way in RUN_COMMANDS

    def with_wrong_secret(self, server: Server, folder: Path) -> Server:
        """The server with a password, or keys of the cloud, that are wrong."""
        if not self.by_run_command:
            return with_credential(server, password_env="WRONG")
        path = folder / "wrong.ini"
        account: Any = server.account
        text = Path(account.credentials).read_text()
        wrong = re.sub(r'(?<=key = |ret = ).+|(?<=Secret": ")[^"]+', "wrong", text)
        assert wrong != text, "the secret in a cloud's file of keys is found by this pattern"
        path.write_text(wrong)
        account = replace(account, credentials=str(path))
        return replace(server, account=account)

    def with_password(self) -> Server:
        """A server where a password is what counts."""
        slots = self.lab.slots.values()
        good = (s.spec.name for s in slots if not s.spec.key_login and not s.line)
        return self.servers[next(good)]

    def one(self, *, shell: str = "", fault: str = "", language: str = "") -> Server:
        """A server with a property."""
        names = (
            name
            for name, truth in self.lab.truth.items()
            if shell in ("", truth.shell)
            and language in ("", truth.language)
            and (fault in truth.faults if fault else truth.error is None)
        )
        return self.servers[next(names)]

    async def run(self, server: Server, *lines: str, deadline_s: float = 120) -> Raw:
        """Run a batch file that removes itself, as the agent does."""
        script = "\r\n".join(["@echo off", *lines, 'del /q /f "%~f0" & exit %code%', ""])
        async with self.opener(server) as transport:
            name = f"volact-{secrets.token_hex(16)}"
            return await transport.run(script.encode(), name=name, deadline_s=deadline_s)

    def left(self, server: Server) -> list[str]:
        if self.way == "local":  # what is left on this machine is checked in test_local
            return []
        machine = self.lab.machine(server.name)
        nodes = machine.files.children(machine.temp)
        left = [node.path for node in nodes if "volact-" in node.path]
        left += [node.path for node in machine.files.children(SYSTEM_TEMP)]
        return left + [node.path for node in machine.files.children(f"{FOLDER}\\tmp")]


def local_opener(inventory: Path) -> Opener:
    """This machine, whose cmd is that of a simulated server."""

    @asynccontextmanager
    async def opener(server: Server) -> AsyncIterator[Transport]:
        stand_in = str(Path(__file__).with_name("lab_cmd.py"))
        transport = LocalTransport((sys.executable, stand_in, str(inventory), server.name))
        try:
            yield transport
        finally:
            await transport.close()

    return opener


@pytest.fixture(params=WAYS)
async def servers(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Servers]:
    local = request.param == "local"
    kind = IN_PROCESSES.get(request.param, "ssh" if local else request.param)
    async with Lab("tencent", SERVERS, 3, transport=kind) as lab, AsyncExitStack() as stack:
        lab.write_inventory(tmp_path / "lab.toml")
        opener = make_opener(Secrets({"WRONG": "wrong"}), UNHURRIED)
        if local:
            opener = local_opener(tmp_path / "lab.toml")
        if request.param in IN_PROCESSES:
            opener, _ = await stack.enter_async_context(in_processes(opener, 1))
        inventory = load_inventory(tmp_path / "lab.toml")
        yield Servers(lab, request.param, inventory, opener)
        assert lab.errors == []
        assert [name for name, service in lab.winrm.services.items() if len(service.shells)] == []


def test_every_transport_is_held_to_it() -> None:
    """WinRM over HTTP is that over HTTPS but for its port."""
    held = {IN_PROCESSES.get(way, way) for way in WAYS} | {"winrms"}
    assert set(TRANSPORTS) == held, "each transport of connect.py is in WAYS, or a cloud of the lab"


async def refused(servers: Servers, server: Server, *lines: str) -> TransportError:
    with pytest.raises(TransportError) as caught:
        await servers.run(server, *lines)
    assert "\n" not in caught.value.line()
    return caught.value


@pytest.mark.parametrize("shell", ["cmd", "powershell", "bash"])
async def test_success_with_any_shell(servers: Servers, shell: str) -> None:
    server = servers.one(shell=shell)
    raw = await servers.run(server, "echo VOLACT1 hello", "set code=0")
    assert b"VOLACT1 hello" in raw.stdout
    assert raw.exit_status == 0
    assert raw.asked <= raw.answered
    assert servers.left(server) == []


async def test_one_opening_serves_several_scripts(servers: Servers) -> None:
    server = servers.one()
    script = b'@echo off\r\necho VOLACT1 %~n0\r\ndel /q /f "%~f0" & exit 0\r\n'
    async with servers.opener(server) as transport:
        for name in ("volact-0123456789abcdef", "volact-fedcba9876543210"):
            raw = await transport.run(script, name=name, deadline_s=120)
            told = b"" if servers.by_run_command else name.encode()
            assert b"VOLACT1 " + told in raw.stdout
    assert servers.left(server) == []


async def test_an_exit_status_comes_back(servers: Servers) -> None:
    raw = await servers.run(servers.one(shell="cmd"), "echo VOLACT1 x", "set code=5")
    assert raw.exit_status == 5


async def test_output_in_the_servers_own_code_page_comes_as_bytes(servers: Servers) -> None:
    raw = await servers.run(servers.one(language="zh"), "type C:\\none.txt", "set code=0")
    said = raw.stdout + raw.stderr
    assert not said.isascii()
    if servers.by_run_command:  # it took the bytes for UTF-8
        assert "\ufffd" in said.decode("utf-8")
        return
    said.decode("cp936")
    with pytest.raises(UnicodeDecodeError):
        said.decode("utf-8")


async def test_large_output_comes_whole_or_is_said_to_be_cut(servers: Servers) -> None:
    line = "x" * 200
    script = (f"for /L %%i in (1,1,1000) do echo {line}", "echo VOLACT1 end", "set code=0")
    if servers.by_run_command:
        assert (await refused(servers, servers.one(), *script)).kind == "protocol"
        return
    raw = await servers.run(servers.one(), *script)
    assert raw.stdout.count(line.encode()) == 1000


async def test_the_largest_answer_comes_whole(servers: Servers) -> None:
    line = "x" * 198
    raw = await servers.run(servers.one(), f"for /L %%i in (1,1,120) do echo {line}", "set code=0")
    assert raw.stdout == (line.encode() + b"\r\n") * 120


async def test_a_cut_answer_is_not_mended(servers: Servers) -> None:
    server = servers.one(fault="truncated")
    script = (f"echo VOLACT1 {'x' * 500} end", "set code=0")
    if servers.by_run_command:  # it cuts at a limit of its own, and reports that
        padded = [f"for /L %%i in (1,1,130) do echo {'x' * 198}", *script]
        assert (await refused(servers, server, *padded)).kind == "protocol"
        return
    raw = await servers.run(server, *script)
    assert b" end" not in raw.stdout
    assert servers.left(server) == []


async def test_a_hang_ends_at_the_deadline(servers: Servers) -> None:
    with pytest.raises(TransportError) as caught:
        async with asyncio.timeout(200):  # far from both: the deadline, and a hang
            await servers.run(servers.one(fault="hang"), "set code=0", deadline_s=1)
    assert caught.value.kind == "timeout"


@pytest.mark.parametrize("servers", REMOTE, indirect=True)
async def test_a_login_that_is_refused(servers: Servers, tmp_path: Path) -> None:
    assert (await refused(servers, servers.one(fault="auth"))).kind == "auth"
    wrong = servers.with_wrong_secret(servers.with_password(), tmp_path)
    assert (await refused(servers, wrong)).kind == "auth"


@pytest.mark.parametrize("servers", REMOTE, indirect=True)
async def test_nothing_listens(servers: Servers) -> None:
    assert (await refused(servers, servers.one(fault="refused"))).kind == "connect"


@pytest.mark.parametrize("servers", REMOTE, indirect=True)
async def test_a_server_that_is_not_the_one_that_is_known(servers: Servers) -> None:
    server = servers.one(fault="host-key")
    # SSH knows another key of it; a certificate without a known authority was never known.
    kind = "host-key-changed" if server.address.scheme == "ssh" else "host-key"
    assert (await refused(servers, server)).kind == kind


async def test_cancelling_passes(servers: Servers) -> None:
    server = servers.one(fault="hang")
    task = asyncio.ensure_future(servers.run(server, "set code=0"))
    while not servers.lab.stats().execs:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    while servers.way in IN_PROCESSES and servers.left(server):
        await asyncio.sleep(0.01)  # its process tidies up on its own when that takes long
    assert servers.left(server) == []
