"""A slow line: carries bytes to ports of this machine, each half a round trip late.

    python bench/relay.py --delay-ms 100 PORT ...

As a program it prints the port that it listens on for each of those named, on
one line, and stays until its standard input ends.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
import time

import uvloop


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
    """Carry bytes one way, each chunk ``delay`` seconds late."""
    late: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def deliver() -> None:
        while True:
            due, data = await late.get()
            await asyncio.sleep(due - time.perf_counter())
            if data and not writer.is_closing():
                writer.write(data)
            if not data:
                writer.close()
                return

    delivery = asyncio.ensure_future(deliver())
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            late.put_nowait((time.perf_counter() + delay, data))
    late.put_nowait((time.perf_counter() + delay, b""))
    await delivery


class Relay:
    """A slow line to a port of this machine."""

    def __init__(self, port: int, delay: float) -> None:
        self._port = port
        self._delay = delay
        self._lines: set[asyncio.Task[None]] = set()

    async def start(self) -> asyncio.Server:
        """Listen on a free port."""
        return await asyncio.start_server(self._carry, "127.0.0.1", 0)

    async def drained(self) -> None:
        """Wait until every line is down."""
        for line in tuple(self._lines):
            await line

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._lines.add(task)
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._port)
            await asyncio.gather(
                pump(reader, far_writer, self._delay), pump(far_reader, writer, self._delay)
            )
        finally:
            self._lines.discard(task)


async def serve(ports: list[int], delay_s: float) -> None:
    """Carry until standard input ends."""
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), ended.set)
    lines = [await Relay(port, delay_s / 2).start() for port in ports]
    print(*(line.sockets[0].getsockname()[1] for line in lines), flush=True)
    await ended.wait()
    # What is still under way then is dropped, without a message.
    asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("ports", type=int, nargs="+")
    parser.add_argument("--delay-ms", type=float, default=100.0)
    wanted = parser.parse_args()
    uvloop.run(serve(wanted.ports, wanted.delay_ms / 1000))
