"""Stands in for cmd.exe of this machine: runs a ``.bat`` on one simulated server.

Started as a program: ``lab_cmd.py INVENTORY SERVER .\\NAME.bat``.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from volact.inventory import Secrets, load_inventory
from volact.transports.connect import make_opener
from volact.transports.login import SshOptions


async def run(inventory: Path, name: str, batch: Path) -> int:
    """Carry the file to the simulated server, hand on what it wrote and its exit code."""
    servers = {server.name: server for server in load_inventory(inventory).servers}
    async with make_opener(Secrets(), SshOptions(connect_s=300))(servers[name]) as transport:
        raw = await transport.run(batch.read_bytes(), name=batch.stem, deadline_s=900)
    sys.stdout.buffer.write(raw.stdout)
    sys.stderr.buffer.write(raw.stderr)
    return raw.exit_status or 0


if __name__ == "__main__":
    given = Path(sys.argv[3].removeprefix(".\\"))
    sys.exit(asyncio.run(run(Path(sys.argv[1]), sys.argv[2], given)))
