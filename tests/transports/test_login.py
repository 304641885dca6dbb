"""Logging in: passwords, keys, host keys, and every way it can be refused."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from pathlib import Path

import asyncssh
import pytest
from ssh_host import ANSWER, PASSWORD, USER, Host, Passwords, host_fixture, known_fixture

from volact.cloud.registry import cloud_of_scheme
from volact.errors import InputError, TransportError
from volact.inventory import Secrets
from volact.inventory.target import SCHEMES, parse_address
from volact.model.server import Address, Credential, Server
from volact.transports.base import Raw
from volact.transports.connect import TRANSPORTS, make_opener
from volact.transports.hostkeys import check_known_hosts
from volact.transports.keys import check_key_file
from volact.transports.login import Login, SshOptions, user_of

__all__ = ["host_fixture", "known_fixture"]  # used by name: host, known

NAME = "volact-0123456789abcdef"


async def run(
    server: Server, secrets: Passwords | Secrets | None = None, options: SshOptions | None = None
) -> Raw:
    opener = make_opener(secrets or Passwords(), options or SshOptions(connect_s=300))
    async with opener(server) as transport:
        return await transport.run(b"@echo off", name=NAME, deadline_s=600)


async def refused(
    server: Server, secrets: Passwords | Secrets | None = None, options: SshOptions | None = None
) -> TransportError:
    with pytest.raises(TransportError) as caught:
        await run(server, secrets, options)
    assert PASSWORD not in caught.value.line()
    assert "\n" not in caught.value.line()
    return caught.value


async def test_password(host: Host, known: Path) -> None:
    passwords = Passwords()
    await run(host.as_server(known), passwords)
    assert passwords.asked == 1


async def test_wrong_password_is_tried_once(host: Host, known: Path) -> None:
    error = await refused(host.as_server(known), Passwords("wrong"))
    assert error.kind == "auth"
    assert error.message == f"the login was refused for {USER}"
    assert host.logins == ["password"]


@pytest.mark.parametrize("password", [PASSWORD, "wrong-horse"])
async def test_no_password_in_any_log(
    host: Host, known: Path, caplog: pytest.LogCaptureFixture, password: str
) -> None:
    # Another test in this process may have made the library's own logger quieter.
    caplog.set_level(logging.DEBUG, logger="asyncssh")
    with caplog.at_level(logging.DEBUG), contextlib.suppress(TransportError):
        await run(host.as_server(known), Passwords(password))
    assert "asyncssh" in {record.name for record in caplog.records}
    assert password not in caplog.text


async def test_a_password_that_cannot_be_fetched_is_the_reason(host: Host, known: Path) -> None:
    error = await refused(host.as_server(known, password_env="NONE"), Secrets({}))
    assert error.kind == "auth"
    assert "the environment variable NONE is not set" in error.message


async def test_a_login_that_the_server_ends_is_told_as_such(host: Host, known: Path) -> None:
    host.fed_up = True
    error = await refused(host.as_server(known))
    assert error.kind == "auth"
    assert "Too many authentication failures" in error.message


async def test_an_expired_password_is_told_as_such(host: Host, known: Path) -> None:
    host.expired = True
    error = await refused(host.as_server(known))
    assert (error.kind, error.message) == ("auth", "the password has expired")
    assert error.hint == "log in once by hand and change it"
    assert host.logins == ["password"]


async def test_key_file(host: Host, known: Path, tmp_path: Path) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    key.write_private_key(str(tmp_path / "id"))
    host.keys = asyncssh.import_authorized_keys(key.export_public_key().decode())
    passwords = Passwords()
    await run(host.as_server(known, key_files=(str(tmp_path / "id"),)), passwords)
    assert "password" not in host.logins
    assert passwords.asked == 0


async def test_key_first_password_after(host: Host, known: Path, tmp_path: Path) -> None:
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(str(tmp_path / "id"))
    host.keys = asyncssh.import_authorized_keys("")
    await run(host.as_server(known, key_files=(str(tmp_path / "id"),), password_env="PW"))
    assert host.logins == ["key", "password"]


async def test_agent_where_nothing_is_named(
    host: Host, known: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    host.keys = asyncssh.import_authorized_keys(key.export_public_key().decode())
    monkeypatch.setenv("HOME", str(tmp_path))
    async with _Agent(tmp_path) as socket_path:
        async with await asyncssh.connect_agent(socket_path) as agent:
            await agent.add_keys([key])
        monkeypatch.setenv("SSH_AUTH_SOCK", socket_path)
        server = host.as_server(known, user=USER)
        assert (await run(server)).stdout.endswith(ANSWER)


class _Agent:
    """A real ``ssh-agent`` of this test's own."""

    def __init__(self, folder: Path) -> None:
        self._path = str(folder / "agent.sock")

    async def __aenter__(self) -> str:
        self._process = await asyncio.create_subprocess_exec(
            "ssh-agent", "-D", "-a", self._path, stdout=asyncio.subprocess.DEVNULL
        )
        while True:  # its socket is there a moment before it listens
            try:
                _, writer = await asyncio.open_unix_connection(self._path)
            except (FileNotFoundError, ConnectionRefusedError):
                await asyncio.sleep(0.01)
            else:
                writer.close()
                await writer.wait_closed()
                return self._path

    async def __aexit__(self, *args: object) -> None:
        self._process.terminate()
        await self._process.wait()


async def test_nothing_to_log_in_with_says_what_to_name(
    host: Host, known: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    host.keys = asyncssh.import_authorized_keys("")
    error = await refused(host.as_server(known, user=USER), Passwords(None))
    assert error.kind == "auth"
    assert "set password-env or key-file" in error.hint


async def test_unknown_host_key_is_refused_before_any_login(host: Host, tmp_path: Path) -> None:
    error = await refused(host.as_server(tmp_path / "empty"))
    assert error.kind == "host-key"
    assert "is not known (ssh-ed25519 SHA256:" in error.message
    assert "accept-new" in error.hint
    assert host.logins == []
    assert not (tmp_path / "empty").exists()


async def test_new_host_key_is_accepted_once_and_written(host: Host, tmp_path: Path) -> None:
    file = tmp_path / "new" / "known_hosts"
    options = SshOptions(host_keys="accept-new", connect_s=300)
    await run(host.as_server(file), options=options)
    written = file.read_text()
    assert written == f"[127.0.0.1]:{host.port} {host.key.export_public_key().decode()}"
    await run(host.as_server(file), options=options)
    await run(host.as_server(file))
    assert file.read_text() == written


async def test_a_new_key_is_no_changed_one_for_those_who_come_together(
    host: Host, tmp_path: Path
) -> None:
    login = Login(Passwords(), SshOptions(host_keys="accept-new", connect_s=300))
    server = host.as_server(tmp_path / "known_hosts")
    connections = await asyncio.gather(*(login.connect(server) for _ in range(4)))
    for connection in connections:
        connection.close()
        await connection.wait_closed()
    assert (tmp_path / "known_hosts").read_text().count("\n") == 1


async def test_new_key_goes_on_its_own_line(host: Host, tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    file.write_text("# no end of line")
    await run(host.as_server(file), options=SshOptions(host_keys="accept-new", connect_s=300))
    assert file.read_text().startswith("# no end of line\n[127.0.0.1]:")


@pytest.mark.parametrize("policy", ["strict", "accept-new"])
@pytest.mark.parametrize("other", ["ssh-ed25519", "ecdsa-sha2-nistp256"])
async def test_changed_host_key_is_refused(
    host: Host, tmp_path: Path, policy: str, other: str
) -> None:
    file = host.known_hosts(tmp_path / "known_hosts", asyncssh.generate_private_key(other))
    before = file.read_text()
    options = SshOptions(host_keys=policy, connect_s=300)  # type: ignore[arg-type]
    error = await refused(host.as_server(file), options=options)
    assert error.kind == "host-key-changed"
    assert "known_hosts" in error.message
    assert error.command == f"ssh-keygen -f {file} -R '[127.0.0.1]:{host.port}'"
    assert host.logins == []
    assert file.read_text() == before


async def test_revoked_host_key_is_refused(host: Host, tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    file.write_text(f"@revoked * {host.key.export_public_key().decode()}")
    for policy in ("strict", "accept-new"):
        options = SshOptions(host_keys=policy, connect_s=300)
        assert (await refused(host.as_server(file), options=options)).kind == "host-key"


async def test_host_key_signed_by_a_known_authority(tmp_path: Path) -> None:
    authority = asyncssh.generate_private_key("ssh-ed25519")
    key = asyncssh.generate_private_key("ssh-ed25519")
    certificate = authority.generate_host_certificate(key, "h", principals=["127.0.0.1"])
    home = tmp_path / "home"
    (home / "AppData/Local/Temp").mkdir(parents=True)
    host = Host(home, key=key, certificate=certificate)
    await host.start_server()
    file = tmp_path / "known_hosts"
    file.write_text(f"@cert-authority * {authority.export_public_key().decode()}")
    try:
        assert (await run(host.as_server(file))).exit_status == 0
    finally:
        await host.stop()


async def test_host_keys_may_be_ignored_by_explicit_word(host: Host, tmp_path: Path) -> None:
    options = SshOptions(host_keys="ignore", connect_s=300)
    await run(host.as_server(tmp_path / "none"), options=options)
    assert not (tmp_path / "none").exists()


async def test_the_users_own_known_hosts_is_the_default(host: Host, known: Path) -> None:
    raw = await run(host.as_server(), options=SshOptions(known_hosts=known, connect_s=300))
    assert raw.stdout.endswith(ANSWER)
    stranger = SshOptions(known_hosts=known.with_name("of another user"), connect_s=300)
    assert (await refused(host.as_server(), options=stranger)).kind == "host-key"


async def test_ipv6(tmp_path: Path) -> None:
    (tmp_path / "AppData/Local/Temp").mkdir(parents=True)
    host = Host(tmp_path)
    await host.start_server("::1")
    file = tmp_path / "known_hosts"
    file.write_text(f"[::1]:{host.port} {host.key.export_public_key().decode()}")
    address = Address(scheme="ssh", host="::1", port=host.port, user=USER)
    server = Server(
        name="six",
        address=address,
        credential=Credential(password_env="PW"),
        known_hosts=str(file),
    )
    try:
        assert (await run(server)).exit_status == 0
    finally:
        await host.stop()


def at(port: int, host: str = "127.0.0.1") -> Server:
    return Server(
        name="x",
        address=Address(scheme="ssh", host=host, port=port, user=USER),
        credential=Credential(password_env="PW"),
    )


async def test_connection_refused(closed_port: int) -> None:
    error = await refused(at(closed_port))
    assert error.kind == "connect"
    assert error.message == "connection refused"


async def test_name_that_does_not_resolve() -> None:
    error = await refused(at(22, "no-such-host.invalid"))
    assert error.kind == "connect"
    assert "does not resolve" in error.message


async def test_a_port_that_never_speaks() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = int(silent.getsockname()[1])
        error = await refused(at(port), options=SshOptions(connect_s=0.3))
    assert error.kind == "timeout"
    assert error.message == "no login within 0.3 s"


@pytest.mark.parametrize("greeting", [b"HTTP/1.1 400 Bad Request\r\n\r\n" * 50, b""])
async def test_a_port_that_speaks_something_else(greeting: bytes) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        writer.close()

    async with await asyncio.start_server(speak, "127.0.0.1", 0) as other:
        error = await refused(at(int(other.sockets[0].getsockname()[1])))
    assert error.kind in ("connect", "protocol")


async def test_a_port_that_speaks_http_asks_about_the_port() -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n<html></html>")
        writer.close()

    async with await asyncio.start_server(speak, "127.0.0.1", 0) as other:
        error = await refused(at(int(other.sockets[0].getsockname()[1])))
    assert (error.kind, error.passing) == ("connect", "unsent")
    assert "before an SSH server answered (is the SSH server running" in error.line()


async def test_a_user_name_that_ssh_cannot_carry(host: Host, known: Path) -> None:
    server = host.as_server(known)
    address = Address(scheme="ssh", host="127.0.0.1", port=host.port, user="a\x07b")
    error = await refused(
        Server(name="x", address=address, credential=server.credential, known_hosts=str(known))
    )
    assert error.kind in ("connect", "auth")


def test_every_scheme_has_a_way_in() -> None:
    assert set(TRANSPORTS) == set(SCHEMES), "TRANSPORTS of connect.py, SCHEMES of target.py"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_an_address_of_every_scheme_can_be_written(scheme: str) -> None:
    cloud = cloud_of_scheme(scheme)
    place = cloud.place_example.replace("x", "0") if cloud else "host"
    text = scheme if scheme == "local" else f"{scheme}://{place}"
    assert parse_address(text).scheme == scheme


def test_user_of_address_of_login_and_of_windows() -> None:
    address = Address(scheme="ssh", host="h")
    assert user_of(Server(name="a", address=address)) == "Administrator"
    login = Credential(user="bob")
    assert user_of(Server(name="a", address=address, credential=login)) == "bob"
    named = Address(scheme="ssh", host="h", user="eve")
    assert user_of(Server(name="a", address=named, credential=login)) == "eve"


def test_key_files_are_looked_at_before_a_start(tmp_path: Path) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    key.write_private_key(str(tmp_path / "good"))
    key.write_private_key(str(tmp_path / "locked"), "pkcs8-pem", passphrase="x")
    (tmp_path / "text").write_text("no key")
    check_key_file(str(tmp_path / "good"))
    for name, says in [("locked", "assphrase"), ("text", "nvalid"), ("none", "No such file")]:
        with pytest.raises(InputError, match=says):
            check_key_file(str(tmp_path / name))


def test_known_hosts_files_are_looked_at_before_a_start(tmp_path: Path) -> None:
    (tmp_path / "bad").write_text("alone\n")
    with pytest.raises(InputError, match=r"bad: not a known_hosts file"):
        check_known_hosts(str(tmp_path / "bad"))
    with pytest.raises(InputError, match="directory"):
        check_known_hosts(str(tmp_path))
    check_known_hosts(str(tmp_path / "none"))
    check_known_hosts("", tmp_path / "none")
