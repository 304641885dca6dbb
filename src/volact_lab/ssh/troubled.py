"""Where a server's own part in the trouble of its line is played: SSH behind the login.

The gate breaks bytes; here the server reports at which stage a connection is, and
refuses, floods or stops where its trouble demands it.
"""

from __future__ import annotations

import asyncio
from typing import Any

from asyncssh import SFTPAttrs

from volact.transports.ssh_library import asyncssh
from volact_lab.ssh.sftp import LabSftp
from volact_lab.ssh.slot import Slot
from volact_lab.trouble import Act, Stage

Process = asyncssh.SSHServerProcess[bytes]

# As long as bytes take from here through the gate.
_PASSING_S = 0.05
_BLOCKED = b"This program is blocked by group policy.\r\n"
_NOISE = b"\xff\x00volact lab: noise without end\r\n" * 256


def peer_of(connection: Any) -> int:
    """The port at the other end of a connection, as this end sees it."""
    address = connection.get_extra_info("peername")
    return int(address[1]) if isinstance(address, tuple) else 0


class TroubledSftp(LabSftp):
    """SFTP behind a gate: every operation is a stage."""

    def __init__(self, chan: asyncssh.SSHServerChannel[bytes], slot: Slot) -> None:
        super().__init__(chan, slot)
        self._peer = peer_of(chan)

    def open(self, path: bytes, pflags: int, attrs: SFTPAttrs) -> object:
        """Open a file, unless something comes between."""
        if self._struck("sftp-open") == "deny":
            raise asyncssh.SFTPPermissionDenied("Permission denied")
        return super().open(path, pflags, attrs)

    def write(self, file_obj: object, offset: int, data: bytes) -> int:
        """Write to a file, unless something comes between."""
        if self._struck("sftp-write") == "deny":
            raise asyncssh.SFTPFailure("There is not enough space on the disk")
        return super().write(file_obj, offset, data)

    def close(self, file_obj: object) -> None:
        """Close a file, unless something comes between."""
        if self._struck("sftp-close") == "deny":
            raise asyncssh.SFTPFailure("Failure")
        super().close(file_obj)

    def _struck(self, stage: Stage) -> Act | None:
        return self._slot.reached(stage, self._peer)


async def refused(slot: Slot, process: Process) -> bool:
    """Whether a command is not to be run, because the trouble is before it."""
    act = slot.reached("exec", peer_of(process))
    if act == "flood":
        await _flood(process)
    elif act == "deny":
        process.stderr.write(_BLOCKED)
        process.exit(1)
    elif act is not None and act != "slow":
        await process.channel.wait_closed()
    return act is not None and act != "slow"


async def told(slot: Slot, process: Process, output: bytes) -> bool:
    """Write an answer; whether trouble came in its middle, and the rest is not to be sent."""
    gate = slot.gate
    if gate is None or gate.trouble is None or gate.trouble.stage != "answer":
        process.stdout.write(output)
        return False
    half = len(output) // 2
    process.stdout.write(output[:half])
    await asyncio.sleep(_PASSING_S)
    act = slot.reached("answer", peer_of(process))
    if act == "flood":
        await _flood(process)
    elif act is None or act == "slow":
        process.stdout.write(output[half:])
    else:
        await process.channel.wait_closed()
    return act is not None and act != "slow"


async def passed(slot: Slot, process: Process, stage: Stage) -> None:
    """Nothing but a stage that is passed, once what was written is on its way."""
    if slot.gate is not None and slot.gate.trouble is not None:
        await asyncio.sleep(_PASSING_S)
        slot.reached(stage, peer_of(process))


async def _flood(process: Process) -> None:
    """Output without end, on both streams, until the other side has enough."""
    closed = asyncio.ensure_future(process.channel.wait_closed())
    try:
        while not closed.done():
            process.stdout.write(_NOISE)
            process.stderr.write(_NOISE)
            await asyncio.sleep(0)
            if not closed.done():
                await process.stdout.drain()
    except (BrokenPipeError, ConnectionError, asyncssh.Error):
        return
    finally:
        closed.cancel()
