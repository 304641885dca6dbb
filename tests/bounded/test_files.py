"""Pipes and devices that are named as files: read once, in time, within a bound."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from volact.bounded.files import as_file, is_pipe, read_named, require_readable
from volact.inventory import Secrets, load_inventory
from volact.model.server import Credential
from volact.transports.keys import check_key_file

pytestmark = pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")

TOML = b'[[server]]\nname = "web-01"\naddress = "ssh://10.0.0.1"\nkey-file = "key"\n'


def fed(pipe: Path, data: bytes) -> threading.Thread:
    """A named pipe with a writer that writes into it once."""
    os.mkfifo(pipe)
    thread = threading.Thread(target=lambda: pipe.write_bytes(data), daemon=True)
    thread.start()
    return thread


def test_a_pipe_is_read_once_and_kept(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    writer = fed(pipe, b"x" * 200_000)
    require_readable(pipe)  # takes nothing out of it
    assert read_named(pipe) == b"x" * 200_000
    writer.join()
    assert read_named(pipe) == b"x" * 200_000


def test_a_pipe_without_a_writer_is_an_error(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(TimeoutError, match="gave nothing within"):
        read_named(tmp_path / "pipe", wait_s=0.2)


def test_a_device_without_end_is_an_error(tmp_path: Path) -> None:
    for path in (Path("/dev/zero"), tmp_path / "large"):
        if not path.exists():
            path.write_bytes(bytes(200_000))
        with pytest.raises(OSError, match="holds more than 100000 bytes"):
            read_named(path, most=100_000)
    assert read_named(Path("/dev/null")) == b""


def test_an_open_descriptor_is_a_file_like_any_other() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"hello")
    os.close(writing)
    path = Path(f"/dev/fd/{reading}")
    assert is_pipe(path)
    with as_file(path) as file:
        assert file.read_bytes() == b"hello"
    assert not file.exists()
    os.close(reading)


def test_an_inventory_from_a_pipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for number, name in enumerate(("a.toml", "b")):
        fed(tmp_path / name, TOML)
        inventory = load_inventory(tmp_path / name)
        (server,) = inventory.servers
        assert server.credential.key_files == (str(tmp_path / "key"),), number
        assert inventory.lines == {"web-01": 1}
        assert inventory.path == str(tmp_path / name)


async def test_a_password_from_a_pipe_is_asked_of_it_once(tmp_path: Path) -> None:
    fed(tmp_path / "pipe", b"open-sesame\n")
    secrets = Secrets({})
    for user in ("one", "two"):
        found = await secrets.password(Credential(user=user, password_file=str(tmp_path / "pipe")))
        assert found is not None
        assert found.reveal() == "open-sesame"


def test_a_key_from_a_pipe(tmp_path: Path) -> None:
    import asyncssh

    key = asyncssh.generate_private_key("ssh-ed25519").export_private_key()
    fed(tmp_path / "pipe", key)
    for _ in range(2):  # checked before the run, and used in it
        check_key_file(str(tmp_path / "pipe"))
    assert read_named(tmp_path / "pipe") == key
