"""A small SSH server that resembles Windows from outside: SFTP, shells, a home.

It runs no agent: what a script "does" is a behaviour given by the test.  The
simulated Windows Server that runs the real agent is ``volact_lab``.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh
import pytest

from volact.inventory import Secret
from volact.model.server import Address, Credential, Server

USER, PASSWORD = "Administrator", "correct-horse"
ANSWER = b"VOLACT1 2 a505df1b {}\r\n"

Process = asyncssh.SSHServerProcess[bytes]
Behaviour = Callable[["Host", Process, Path], Awaitable[None]]


async def answers(host: Host, process: Process, script: Path) -> None:
    """What the agent does on a good day: one line, and it is gone."""
    process.stdout.write(b"Active code page: 437\r\n" + ANSWER)
    script.unlink()
    process.exit(0)


async def hangs(host: Host, process: Process, script: Path) -> None:
    """A process that never ends, with a file of its own next to the script."""
    script.with_suffix(".js").write_bytes(b"//")
    process.stdout.write(b"begun\r\n")
    host.begun.set()
    await asyncio.Event().wait()


@dataclass
class Host:
    """One server: how it answers, and what was asked of it."""

    home: Path
    behaviour: Behaviour = answers
    shell: str = "cmd"
    start: str = "/C:/Users/Administrator"
    password: str | None = PASSWORD
    keys: asyncssh.SSHAuthorizedKeys | None = None
    port: int = 0
    key: asyncssh.SSHKey = field(
        default_factory=lambda: asyncssh.generate_private_key("ssh-ed25519")
    )
    fed_up: bool = False
    expired: bool = False
    certificate: asyncssh.SSHCertificate | None = None
    commands: list[str] = field(default_factory=list)
    scripts: list[bytes] = field(default_factory=list)
    in_use: set[str] = field(default_factory=set)  # names of files that a process has open
    logins: list[str] = field(default_factory=list)
    server: asyncssh.SSHAcceptor | None = None
    begun: asyncio.Event = field(default_factory=asyncio.Event)  # a script that hangs

    @property
    def temp(self) -> Path:
        return self.home / "AppData/Local/Temp"

    async def start_server(self, family_host: str = "127.0.0.1") -> None:
        self.server = await asyncssh.create_server(
            lambda: _Login(self),
            family_host,
            self.port,
            server_host_keys=[(self.key, self.certificate) if self.certificate else self.key],
            process_factory=self._process,
            sftp_factory=lambda channel: _Sftp(channel, self),
            encoding=None,
        )
        self.port = self.server.get_port()

    async def stop(self) -> None:
        if self.server is not None:
            self.server.close()
            await self.server.wait_closed()

    def known_hosts(self, path: Path, key: asyncssh.SSHKey | None = None) -> Path:
        public = (key or self.key).export_public_key().decode()
        path.write_text(f"[127.0.0.1]:{self.port} {public}")
        return path

    def as_server(self, known_hosts: Path | None = None, **credential: object) -> Server:
        return Server(
            name="web-01",
            address=Address(scheme="ssh", host="127.0.0.1", port=self.port, user=USER),
            credential=Credential(**(credential or {"password_env": "PW"})),  # type: ignore[arg-type]
            known_hosts=str(known_hosts or ""),
        )

    async def _process(self, process: Process) -> None:
        command = process.command or ""
        self.commands.append(command)
        script = self._script_of(command)
        if script is None or not script.exists():
            process.stderr.write(b"'x' is not recognized\r\n")
            process.exit(1)
            return
        self.scripts.append(script.read_bytes())
        await self.behaviour(self, process, script)

    def _script_of(self, command: str) -> Path | None:
        """The file that this shell would really run, if it would run any."""
        slash = {"cmd": "/c", "powershell": "/c", "msys": "//c", "broken": "?"}[self.shell]
        match = re.fullmatch(rf'cmd\.exe {re.escape(slash)} "([^"]+)"', command)
        if match is None:
            return None
        path = match[1].replace("\\", "/")
        windows_home = self.start.lstrip("/")
        if path.startswith(windows_home):
            return self.home / path.removeprefix(windows_home).lstrip("/")
        return self.home / path


@pytest.fixture(name="host")
async def host_fixture(tmp_path: Path) -> AsyncIterator[Host]:
    """A server that listens."""
    home = tmp_path / "home"
    (home / "AppData/Local/Temp").mkdir(parents=True)
    (home / "C:/Windows/Temp").mkdir(parents=True)
    host = Host(home)
    await host.start_server()
    yield host
    await host.stop()


@pytest.fixture(name="known")
def known_fixture(host: Host, tmp_path: Path) -> Path:
    """A known_hosts file with the server's key."""
    return host.known_hosts(tmp_path / "known_hosts")


class _Login(asyncssh.SSHServer):
    def __init__(self, host: Host) -> None:
        self._host = host

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return self._host.password is not None

    def validate_password(self, username: str, password: str) -> bool:
        self._host.logins.append("password")
        if self._host.fed_up:
            reason = "Too many authentication failures"
            raise asyncssh.DisconnectError(asyncssh.DISC_PROTOCOL_ERROR, reason)
        if self._host.expired:
            raise asyncssh.PasswordChangeRequired("a new one, please")
        return (username, password) == (USER, self._host.password)

    def public_key_auth_supported(self) -> bool:
        return self._host.keys is not None

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        self._host.logins.append("key")
        allowed = self._host.keys
        return allowed is not None and allowed.validate(key, "", "127.0.0.1") is not None


class _Sftp(asyncssh.SFTPServer):
    """The home folder under the name that Windows gives it."""

    def __init__(self, channel: asyncssh.SSHServerChannel[bytes], host: Host) -> None:
        self._start = host.start.encode()
        self._in_use = host.in_use
        super().__init__(channel, chroot=str(host.home).encode())

    def remove(self, path: bytes) -> None:
        """Windows removes no file that a process has open without sharing its removal."""
        if Path(path.decode()).name in self._in_use:
            raise asyncssh.SFTPFailure("Failure")
        super().remove(path)

    def realpath(self, path: bytes) -> bytes:
        return self._start if path == b"." else path


class Passwords:
    """A source of passwords that counts how often it was asked."""

    def __init__(self, value: str | None = PASSWORD) -> None:
        self.value = value
        self.asked = 0

    async def password(self, credential: Credential) -> Secret | None:
        self.asked += 1
        return None if self.value is None else Secret(self.value)
