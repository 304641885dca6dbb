"""The few SFTP requests that an upload needs: answers whole, split, refused and garbled."""

from __future__ import annotations

import asyncio
import struct
from pathlib import Path

import asyncssh
import pytest
from ssh_host import PASSWORD, USER, Host, host_fixture

from volact.transports.sftp import Sftp, done, handle_of, open_sftp, path_of

__all__ = ["host_fixture"]  # used by name: host


def packet(kind: int, number: int, body: bytes = b"") -> bytes:
    return struct.pack(">IBI", 5 + len(body), kind, number) + body


def text(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def status(number: int, code: int, reason: bytes = b"why") -> bytes:
    return packet(101, number, struct.pack(">I", code) + text(reason) + text(b"en"))


VERSION = packet(2, 3)


async def test_answers_in_pieces() -> None:
    sftp = Sftp()
    home, handle, closed = sftp.start_folder(), sftp.create("x.bat"), sftp.close(b"h")
    name = struct.pack(">I", 1) + text("/C:/Users/jörg".encode()) + text(b"long") + bytes(4)
    for byte in VERSION + packet(104, 1, name) + packet(102, 2, text(b"\0\1")) + status(3, 0):
        sftp.data_received(bytes([byte]), None)
    assert await path_of(home) == "/C:/Users/jörg"
    assert await handle_of(handle) == b"\0\1"
    await done(closed)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (2, asyncssh.SFTPNoSuchFile),
        (3, asyncssh.SFTPPermissionDenied),
        (4, asyncssh.SFTPFailure),
        (14, asyncssh.SFTPNoSpaceOnFilesystem),
        (999, asyncssh.SFTPFailure),
    ],
)
async def test_a_refusal_is_told_as_the_library_tells_it(
    code: int, kind: type[asyncssh.SFTPError]
) -> None:
    sftp = Sftp()
    handle = sftp.create("x.bat")
    sftp.data_received(VERSION + status(1, code), None)
    with pytest.raises(kind, match="why"):
        await handle_of(handle)


@pytest.mark.parametrize(
    "answer",
    [
        packet(2, 2),  # an older version
        packet(101, 3),  # no greeting
        VERSION + b"\0\0\0\0",
        VERSION + b"\xff\xff\xff\xff",
        VERSION + packet(102, 77, text(b"h")),
        VERSION + packet(102, 1, b"\0\0\0\x09h"),
        VERSION + packet(102, 1, b"\0"),
        VERSION + packet(101, 1, b"\0\0"),
        VERSION + packet(105, 1),
        VERSION + status(1, 0),
    ],
)
async def test_garbage_is_never_a_handle(answer: bytes) -> None:
    sftp = Sftp()
    handle = sftp.create("x.bat")
    sftp.data_received(answer, None)
    with pytest.raises(asyncssh.SFTPBadMessage):
        await handle_of(handle)


async def test_a_path_that_is_no_text() -> None:
    sftp = Sftp()
    home = sftp.start_folder()
    name = struct.pack(">I", 1) + text(b"/C:/\xff") + text(b"") + bytes(4)
    sftp.data_received(VERSION + packet(104, 1, name), None)
    with pytest.raises(asyncssh.SFTPBadMessage):
        await path_of(home)


async def test_a_channel_that_closes_answers_every_request() -> None:
    sftp = Sftp()
    asked = [sftp.create("a"), sftp.close(b"h")]
    sftp.connection_lost(None)
    for one in asked:
        with pytest.raises(asyncssh.SFTPConnectionLost):
            await done(one)


async def test_a_large_file_arrives_whole_and_only_once(host: Host) -> None:
    data = bytes(range(256)) * 700  # several packets
    async with asyncssh.connect(
        "127.0.0.1", host.port, username=USER, password=PASSWORD, known_hosts=None, config=None
    ) as connection:
        sftp = Sftp()
        home, created = sftp.start_folder(), sftp.create("new.bin")
        await open_sftp(connection, sftp)
        assert await path_of(home) == host.start
        for answer in (written := sftp.write_all(await handle_of(created), data)):
            sftp.send()
            await done(answer)
        assert len(written) == 7
        again = sftp.create("new.bin")
        sftp.send()
        with pytest.raises(asyncssh.SFTPError):
            await handle_of(again)
        assert Path(host.home, "new.bin").read_bytes() == data
        await asyncio.wait_for(sftp.end(), 120)
