"""What a check advises where a server could not be asked, at real ports that answer wrongly."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_run import volact

pytestmark = pytest.mark.usefixtures("password")
SEE_ABOVE = "see the message above; then:"
IS_IT_ON = "check that the server is on and that its port is open from this machine, then:"


@pytest.fixture
def password(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PW", "a password")
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def door() -> Iterator[socket.socket]:
    """A port of this machine that is taken."""
    with socket.socket() as own:
        own.bind(("127.0.0.1", 0))
        yield own


def advised(*args: str) -> str:
    """What a check says, in one line; the command to type again ends it."""
    done = volact("check", *args, "--password-env", "PW", "--no-store")
    assert done.returncode == 4, done
    return " ".join(done.stdout.split())


def test_a_jump_host_that_does_not_answer_is_not_the_server(door: socket.socket) -> None:
    jump = f"ops@127.0.0.1:{door.getsockname()[1]}"  # taken and not listened at: refused
    said = advised("ssh://203.0.113.1", "--jump", jump)
    assert "jump host ssh://127.0.0.1" in said
    assert SEE_ABOVE in said
    assert IS_IT_ON not in said


@pytest.mark.parametrize("scheme", ["ssh", "winrm"])
def test_a_login_that_is_not_answered_is_not_given_a_longer_deadline(
    scheme: str, door: socket.socket
) -> None:
    door.listen()  # and says nothing
    address = f"{scheme}://127.0.0.1:{door.getsockname()[1]}"
    said = advised(address, "--connect-timeout", "0.2")
    assert "no login within 0.2 s" in said
    assert IS_IT_ON in said
    assert "--deadline" not in said


def test_a_port_without_tls_is_told_in_openssl_s_word(door: socket.socket) -> None:
    door.listen()
    ended = threading.Event()

    def speak() -> None:
        while not ended.is_set():
            caller = door.accept()[0]
            with caller, contextlib.suppress(OSError):  # the caller may be gone
                caller.sendall(b"SSH-2.0-OpenSSH_for_Windows_9.5\r\n")
                caller.recv(65536)

    speaker = threading.Thread(target=speak)
    speaker.start()
    try:
        said = advised(f"winrms://127.0.0.1:{door.getsockname()[1]}")
    finally:
        ended.set()
        socket.create_connection(door.getsockname()).close()
        speaker.join()
    assert "no TLS connection: wrong version number (is it HTTPS, on this port?)" in said
    assert SEE_ABOVE in said


@pytest.mark.parametrize(
    "content",
    ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"],
)
def test_a_ca_file_that_is_none_is_not_a_matter_of_the_port(
    content: str, door: socket.socket, tmp_path: Path
) -> None:
    door.listen()
    (tmp_path / "ca.pem").write_text(content)
    file = tmp_path / "fleet.toml"
    address = f"winrms://127.0.0.1:{door.getsockname()[1]}"
    file.write_text(f'[[server]]\naddress = "{address}"\nca-file = "ca.pem"\n')
    said = advised("-i", str(file))
    assert "a certificate or key of this machine cannot be used (check that ca-file," in said
    assert "is it HTTPS" not in said
