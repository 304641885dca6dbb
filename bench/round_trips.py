"""How many round trips a probe costs: the same work through a slow line.

    python bench/round_trips.py [--delay-ms N]

Puts a relay that delays every byte by half a round trip between an SSH
client and a small SSH server in this process, and divides the time by the
delay.  What the server does itself takes next to no time.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncssh

from relay import Relay

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "transports"))

from ssh_host import PASSWORD, USER, Host, Passwords

from volact.transports.connect import make_opener
from volact.transports.login import SshOptions

SCRIPT = b"@echo off\r\n" + b"x" * 26_000


async def trips(work: Callable[[], Awaitable[object]], delay_s: float) -> float:
    """How many round trips some work took."""
    begun = time.perf_counter()
    await work()
    return (time.perf_counter() - begun) / delay_s


async def main(delay_s: float) -> dict[str, float]:
    """The round trips of everything that is measured."""
    with tempfile.TemporaryDirectory() as folder:
        host = Host(Path(folder))
        host.temp.mkdir(parents=True)
        await host.start_server()
        relay = Relay(host.port, delay_s / 2)
        line = await relay.start()
        host.port = line.sockets[0].getsockname()[1]
        server = host.as_server()
        options = SshOptions(host_keys="ignore")

        async def bare() -> None:
            async with asyncssh.connect(
                "127.0.0.1", host.port, username=USER, password=PASSWORD, known_hosts=None
            ) as connection:
                await connection.run("ver")

        async def probe(runs: int) -> None:
            async with make_opener(Passwords(), options)(server) as transport:
                for _ in range(runs):
                    name = f"volact-{secrets.token_hex(16)}"
                    await transport.run(SCRIPT, name=name, deadline_s=60)

        one = await trips(lambda: probe(1), delay_s)
        two = await trips(lambda: probe(2), delay_s)
        found = {
            "bare: connect and one command": await trips(bare, delay_s),
            "volact: connect and probe": one,
            "volact: an apply after it": two - one,
        }
        await relay.drained()
        line.close()
        await host.stop()
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--delay-ms", type=float, default=100.0)
    parser.add_argument("--json", action="store_true", help="for a program")
    wanted = parser.parse_args()
    counted = asyncio.run(main(wanted.delay_ms / 1000))
    if wanted.json:
        print(json.dumps({name: round(count, 1) for name, count in counted.items()}))
    else:
        for name, count in counted.items():
            print(f"{name:30} {count:5.1f} round trips")
