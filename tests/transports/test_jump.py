"""Connections over other machines: jump hosts, and a user's own SSH settings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh
import msgspec
import pytest
from ssh_host import ANSWER, PASSWORD, USER, Host, Passwords, host_fixture, known_fixture

from volact.errors import InputError, TransportError
from volact.model.server import Address, Server, SshRoute
from volact.transports.base import Raw
from volact.transports.connect import make_opener
from volact.transports.login import SshOptions

__all__ = ["host_fixture", "known_fixture"]  # used by name: host, known

NAME = "volact-0123456789abcdef"


@dataclass
class Bastion:
    """A machine that passes connections on; who logged in and where they went."""

    key: asyncssh.SSHKey = field(
        default_factory=lambda: asyncssh.generate_private_key("ssh-ed25519")
    )
    login: asyncssh.SSHKey = field(
        default_factory=lambda: asyncssh.generate_private_key("ssh-ed25519")
    )
    passes: bool = True
    port: int = 0
    users: list[str] = field(default_factory=list)
    passwords: list[str] = field(default_factory=list)
    went: list[int] = field(default_factory=list)
    now: int = 0
    acceptor: asyncssh.SSHAcceptor | None = None

    async def start(self) -> None:
        self.acceptor = await asyncssh.create_server(
            lambda: _Door(self), "127.0.0.1", 0, server_host_keys=[self.key]
        )
        self.port = self.acceptor.get_port()

    def key_file(self, folder: Path) -> str:
        path = folder / f"key-{self.port}"
        self.login.write_private_key(path)
        return str(path)

    def line(self) -> str:
        return f"[127.0.0.1]:{self.port} {self.key.export_public_key().decode()}"

    @property
    def address(self) -> Address:
        return Address(scheme="ssh", host="127.0.0.1", port=self.port, user="ops")


class _Door(asyncssh.SSHServer):
    def __init__(self, bastion: Bastion) -> None:
        self._bastion = bastion

    def begin_auth(self, username: str) -> bool:
        self._bastion.users.append(username)
        self._bastion.now += 1
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self._bastion.now -= 1

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        self._bastion.passwords.append(password)
        return False

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return key.public_data == self._bastion.login.public_data

    def connection_requested(self, *to: object) -> bool:
        self._bastion.went.append(int(str(to[1])))
        if not self._bastion.passes:
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_CONNECT_FAILED, "No route to host")
        return True


@pytest.fixture
async def bastions() -> AsyncIterator[Callable[[], Awaitable[Bastion]]]:
    """Starts bastions; all are closed at the end."""
    started: list[Bastion] = []

    async def start() -> Bastion:
        started.append(Bastion())
        await started[-1].start()
        return started[-1]

    yield start
    for one in started:
        assert one.acceptor is not None
        one.acceptor.close()
        await one.acceptor.wait_closed()


Start = Callable[[], Awaitable[Bastion]]


async def visit(server: Server, options: SshOptions | None = None) -> Raw:
    opener = make_opener(Passwords(), options or SshOptions(config=Path("/nowhere"), connect_s=300))
    async with opener(server) as transport:
        return await transport.run(b"@echo off", name=NAME, deadline_s=120)


def behind(host: Host, known: Path, bastion: Bastion, folder: Path, **way: object) -> Server:
    """The server, behind a bastion whose host key is known too."""
    with known.open("a") as file:
        file.write(bastion.line())
    named: dict[str, object] = {
        "jump": (bastion.address,),
        "jump_key_files": (bastion.key_file(folder),),
        **way,
    }
    return msgspec.structs.replace(
        host.as_server(known),
        ssh=SshRoute(**named),  # type: ignore[arg-type]
    )


async def test_over_a_jump_host(host: Host, known: Path, tmp_path: Path, bastions: Start) -> None:
    bastion = await bastions()
    raw = await visit(behind(host, known, bastion, tmp_path))
    assert raw.stdout.endswith(ANSWER)
    assert (bastion.users, bastion.went) == (["ops"], [host.port])
    # The server's password is not for the jump host.
    assert bastion.passwords == []
    assert host.logins == ["password"]


async def closed(*bastions: Bastion) -> None:
    """Wait until nothing is connected to them any more."""
    while any(bastion.now for bastion in bastions):
        await asyncio.sleep(0.01)


async def test_servers_share_the_way_and_the_last_one_closes_it(
    host: Host, known: Path, tmp_path: Path, bastions: Start
) -> None:
    bastion = await bastions()
    server = behind(host, known, bastion, tmp_path)
    opener = make_opener(Passwords(), SshOptions(config=Path("/nowhere"), connect_s=300))

    everyone = asyncio.Barrier(10)

    async def one() -> None:
        async with opener(server):
            await everyone.wait()

    await asyncio.gather(*(one() for _ in range(10)))
    assert bastion.users == ["ops"]
    assert len(bastion.went) == 10
    await closed(bastion)
    async with opener(server):
        pass
    assert bastion.users == ["ops", "ops"]


async def test_over_two_jump_hosts(
    host: Host, known: Path, tmp_path: Path, bastions: Start
) -> None:
    first, second = await bastions(), await bastions()
    second.login = first.login
    server = behind(host, known, first, tmp_path)
    server = behind(host, known, second, tmp_path)
    way = msgspec.structs.replace(server.ssh, jump=(first.address, second.address))
    raw = await visit(msgspec.structs.replace(server, ssh=way))
    assert raw.stdout.endswith(ANSWER)
    assert (first.went, second.went) == ([second.port], [host.port])
    await closed(first, second)


async def refused(server: Server, options: SshOptions | None = None) -> TransportError:
    with pytest.raises(TransportError) as caught:
        await visit(server, options)
    assert PASSWORD not in caught.value.line()
    return caught.value


async def test_a_jump_host_that_refuses_the_login(
    host: Host, known: Path, tmp_path: Path, bastions: Start
) -> None:
    bastion = await bastions()
    server = behind(host, known, bastion, tmp_path)
    bastion.login = asyncssh.generate_private_key("ssh-ed25519")
    error = await refused(server)
    assert error.kind == "auth"
    assert error.message.startswith(f"jump host ssh://127.0.0.1:{bastion.port}: the login was")
    assert host.logins == []


async def test_a_jump_host_whose_key_is_not_known(
    host: Host, known: Path, tmp_path: Path, bastions: Start
) -> None:
    bastion = await bastions()
    server = behind(host, known, bastion, tmp_path)
    bastion.key = asyncssh.generate_private_key("ssh-ed25519")
    host.known_hosts(known)
    error = await refused(server)
    assert error.kind == "host-key"
    assert error.message.startswith("jump host ssh://127.0.0.1:")


async def test_a_jump_host_that_is_not_there(
    host: Host, known: Path, tmp_path: Path, bastions: Start
) -> None:
    bastion = await bastions()
    server = behind(host, known, bastion, tmp_path)
    assert bastion.acceptor is not None
    bastion.acceptor.close()
    await bastion.acceptor.wait_closed()
    error = await refused(server)
    assert (error.kind, error.message[:10]) == ("connect", "jump host ")


async def test_a_server_that_the_jump_host_does_not_reach(
    host: Host, known: Path, tmp_path: Path, bastions: Start
) -> None:
    bastion = await bastions()
    bastion.passes = False
    error = await refused(behind(host, known, bastion, tmp_path))
    assert error.kind == "connect"
    assert "the jump host does not reach the server: No route to host" in error.message
    await closed(bastion)


def settings(folder: Path, text: str) -> SshOptions:
    path = folder / "config"
    path.write_text(text)
    return SshOptions(config=path, connect_s=300)


async def test_a_persons_own_settings_lead_there(
    host: Host, known: Path, tmp_path: Path, bastions: Start
) -> None:
    bastion = await bastions()
    with known.open("a") as file:
        file.write(bastion.line())
    options = settings(
        tmp_path,
        f"Host win-*\n  HostName 127.0.0.1\n  Port {host.port}\n  User {USER}\n  ProxyJump gate\n"
        f"Host gate\n  HostName 127.0.0.1\n  Port {bastion.port}\n  User ops\n"
        f"  IdentityFile {bastion.key_file(tmp_path)}\n  IdentityFile {tmp_path}/not-there\n",
    )
    server = msgspec.structs.replace(
        host.as_server(known), address=Address(scheme="ssh", host="win-1")
    )
    raw = await visit(server, options)
    assert raw.stdout.endswith(ANSWER)
    assert bastion.users == ["ops"]
    # By the inventory: directly, and without those settings.
    direct = msgspec.structs.replace(server, ssh=SshRoute(jump=()))
    assert (await visit(direct, options)).stdout.endswith(ANSWER)
    assert bastion.users == ["ops"]
    alone = msgspec.structs.replace(server, ssh=SshRoute(config=None))
    assert "does not resolve" in (await refused(alone, options)).message


async def test_what_the_inventory_says_goes_before_a_persons_settings(
    host: Host, known: Path, tmp_path: Path
) -> None:
    options = settings(tmp_path, "Host *\n  User other\n  Port 1\n")
    assert (await visit(host.as_server(known), options)).stdout.endswith(ANSWER)


async def test_settings_that_cannot_be_read_are_said(
    host: Host, known: Path, tmp_path: Path
) -> None:
    options = settings(tmp_path, "Host *\n  Port many\n")
    with pytest.raises(InputError, match=r"config: not an SSH config: line 2"):
        await visit(host.as_server(known), options)
    for port in ("xx", "\u00b2", "0", "65536", "9" * 5000):
        options = settings(tmp_path, f"Host *\n  ProxyJump gate:{port}\n")
        with pytest.raises(InputError, match=f"ProxyJump gate:{port}: not user@host:port"):
            await visit(host.as_server(known), options)
    for port in ("0", "65536"):
        options = settings(tmp_path, f"Host *\n  HostName 127.0.0.1\n  Port {port}\n")
        with pytest.raises(InputError, match=f"config: 127.0.0.1: port {port} is not a number"):
            await visit(Server(name="web", address=Address(scheme="ssh", host="web")), options)


@pytest.mark.parametrize("format_", ["openssh", "pkcs8-pem"])
async def test_a_key_with_a_passphrase(
    host: Host, known: Path, tmp_path: Path, format_: str
) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    host.keys = asyncssh.import_authorized_keys(key.export_public_key().decode())
    key.write_private_key(tmp_path / "key", format_, passphrase="open-sesame")
    server = host.as_server(known, key_files=(str(tmp_path / "key"),), passphrase_env="KEY")
    opener = make_opener(
        Passwords("open-sesame"), SshOptions(config=Path("/nowhere"), connect_s=300)
    )
    async with opener(server) as transport:
        raw = await transport.run(b"@echo off", name=NAME, deadline_s=120)
    assert raw.stdout.endswith(ANSWER)
    assert host.logins[0] == "key"
    wrong = make_opener(Passwords("wr0ng-mark"), SshOptions(config=Path("/nowhere"), connect_s=300))
    with pytest.raises(TransportError, match="key: ") as caught:
        async with wrong(server):
            pass
    assert (caught.value.kind, caught.value.hint) == ("auth", "is it the passphrase of this key?")
    assert "wr0ng-mark" not in caught.value.line()


async def test_a_goodbye_that_is_cancelled_lets_the_jump_hosts_go(
    host: Host, known: Path, tmp_path: Path, bastions: Start
) -> None:
    first, second = await bastions(), await bastions()
    second.login = first.login
    server = behind(host, known, first, tmp_path)
    server = behind(host, known, second, tmp_path)
    way = msgspec.structs.replace(server.ssh, jump=(first.address, second.address))
    server = msgspec.structs.replace(server, ssh=way)
    opening = make_opener(Passwords(), SshOptions(config=Path("/nowhere"), connect_s=300))(server)
    await opening.__aenter__()
    closing = asyncio.create_task(opening.__aexit__(None, None, None))
    await asyncio.sleep(0)
    while closing.cancel():
        await asyncio.sleep(0)
    assert closing.cancelled()
    await closed(first, second)
