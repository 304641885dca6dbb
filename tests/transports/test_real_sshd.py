"""Accounts and settings of a real OpenSSH that leave no way in: what is said, and what to do.

Debian's sshd on loopback, without Wine: nothing gets so far as to run the agent.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from ssh_host import PASSWORD

from volact.errors import TransportError
from volact.inventory import Secrets
from volact.model.server import Address, Credential, Server
from volact.transports.connect import make_opener
from volact.transports.login import SshOptions

# Each on a port of its own.
SETTINGS = {
    "linux": "",
    "chroot": "ChrootDirectory {base}/jail\n  ForceCommand internal-sftp",
    "command": 'ForceCommand echo "This account only runs backups."',
    "nothing": "ForceCommand /bin/false",
    "questions": "AuthenticationMethods keyboard-interactive\n  PasswordAuthentication no",
    "key then question": "AuthenticationMethods publickey,keyboard-interactive",
    "key then password": "AuthenticationMethods publickey,password",
    "key": "AuthenticationMethods publickey\n  PasswordAuthentication no",
    "password": "AuthenticationMethods password\n  PubkeyAuthentication no",
}
_SSHD = """
HostKey {base}/host
UsePAM yes
PasswordAuthentication yes
KbdInteractiveAuthentication yes
AuthorizedKeysFile {base}/key.pub
StrictModes no
PidFile none
Subsystem sftp internal-sftp
"""
_TOOLS = {"/usr/sbin/sshd": "openssh-server", "useradd": "passwd", "chage": "passwd"}


@dataclass
class Sshd:
    """The server, and the accounts on it."""

    base: Path
    user: str
    expired: str
    ports: dict[str, int]

    def server(self, setting: str, user: str = "", *, key: bool = False) -> Server:
        credential = Credential(
            key_files=(str(self.base / "key"),) if key else (), password_env="" if key else "PW"
        )
        port = self.ports[setting]
        address = Address(scheme="ssh", host="127.0.0.1", port=port, user=user or self.user)
        return Server(name="web-01", address=address, credential=credential)


def _free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


@pytest.fixture(scope="module", name="sshd")
def sshd_fixture() -> Iterator[Sshd]:
    """A running sshd; skipped without it or without root, as the tests on Wine are."""
    absent = [package for tool, package in _TOOLS.items() if shutil.which(tool) is None]
    missing = f"needs {' '.join(absent)}" if absent else "" if os.geteuid() == 0 else "needs root"
    if missing:
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    # sshd takes no chroot below a folder that all may write to, such as /tmp.
    with tempfile.TemporaryDirectory(dir="/run", prefix="volact-sshd-") as folder:
        base = Path(folder)
        base.chmod(0o755)
        (base / "jail").mkdir()
        names = [f"volact-{secrets.token_hex(4)}" for _ in range(2)]
        for name in ("host", "key"):
            words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(base / name)]
            subprocess.run(words, check=True)
        try:
            _make_accounts(base, names)
            daemon, ports = _started(base)
            yield Sshd(base, names[0], names[1], ports)
            daemon.terminate()
            daemon.communicate(timeout=120)
        finally:
            for name in names:
                subprocess.run(["userdel", name], check=False, stderr=subprocess.DEVNULL)


def _make_accounts(base: Path, names: list[str]) -> None:
    for name in names:
        words = ["useradd", "-m", "-l", "-d", str(base / name), "-s", "/bin/sh", name]
        subprocess.run(words, check=True)
    lines = "".join(f"{name}:{PASSWORD}\n" for name in names)
    subprocess.run(["chpasswd"], input=lines, text=True, check=True)
    subprocess.run(["chage", "-d", "0", names[1]], check=True)


def _started(base: Path) -> tuple[subprocess.Popen[bytes], dict[str, int]]:
    """An sshd and its ports; others where another program took one that had been free."""
    while True:
        ports = dict(zip(SETTINGS, _free_ports(len(SETTINGS)), strict=True))
        daemon = _listening(base, ports)
        assert daemon.stderr is not None
        told = [daemon.stderr.readline() for _ in ports]  # one line for each port
        if all(b"Server listening" in line for line in told):
            return daemon, ports
        daemon.kill()
        daemon.communicate()
        assert any(b"Address already in use" in line for line in told), told


def _listening(base: Path, ports: dict[str, int]) -> subprocess.Popen[bytes]:
    listens = "".join(f"ListenAddress 127.0.0.1:{port}\n" for port in ports.values())
    matches = "".join(
        f"Match LocalPort {port}\n  {SETTINGS[name].format(base=base)}\n"
        for name, port in ports.items()
        if SETTINGS[name]
    )
    (base / "sshd_config").write_text(f"{listens}{_SSHD.format(base=base)}{matches}")
    Path("/run/sshd").mkdir(exist_ok=True)
    return subprocess.Popen(
        ["/usr/sbin/sshd", "-D", "-e", "-f", base / "sshd_config"], stderr=subprocess.PIPE
    )


async def why(server: Server) -> TransportError:
    with pytest.raises(TransportError) as caught:
        options = SshOptions(host_keys="ignore", config=Path("/dev/null"), connect_s=120)
        async with make_opener(Secrets({"PW": PASSWORD}), options)(server) as transport:
            await transport.run(b"@echo off\r\n", name="volact-0123456789abcdef", deadline_s=120)
    assert caught.value.line().isprintable()
    return caught.value


async def test_a_linux_server(sshd: Sshd) -> None:
    error = await why(sshd.server("linux"))
    assert "neither temporary folder of Windows" in error.message
    assert "probably not a Windows server" in error.hint


async def test_a_chrooted_sftp(sshd: Sshd) -> None:
    error = await why(sshd.server("chroot"))
    assert "neither temporary folder of Windows" in error.message
    assert "ChrootDirectory" in error.hint


@pytest.mark.parametrize(
    ("setting", "says"), [("command", "This account only runs backups."), ("nothing", "nothing")]
)
async def test_a_forced_command(sshd: Sshd, setting: str, says: str) -> None:
    error = await why(sshd.server(setting))
    assert error.kind == "protocol"
    assert error.message == f"the server does not start SFTP; it says: {says}"
    assert "ForceCommand" in error.hint


async def test_an_expired_password(sshd: Sshd) -> None:
    """OpenSSH lets it in, and starts nothing but the change of the password."""
    error = await why(sshd.server("linux", sshd.expired))
    assert "does not start SFTP" in error.message
    assert "password has expired" in error.hint


@pytest.mark.parametrize(
    ("setting", "key", "says"),
    [
        ("questions", False, "the server offers keyboard-interactive, for which volact has no"),
        ("questions", True, "the server offers keyboard-interactive, for which volact has no"),
        ("key then question", True, "is half done: the server also asks for keyboard-interactive"),
        ("key then question", True, "exempt this account from the second factor"),
        ("key then password", True, "is half done: the server also asks for password"),
        ("key then password", True, "name both password-env and key-file"),
        ("key", False, "the server offers publickey: set key-file"),
        ("password", True, "the server offers password: set password-env"),
    ],
)
async def test_methods_that_the_server_wants(
    sshd: Sshd, setting: str, key: bool, says: str
) -> None:
    error = await why(sshd.server(setting, key=key))
    assert error.kind == "auth"
    assert says in error.line()
