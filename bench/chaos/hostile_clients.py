"""Clients that mean harm to ``volact serve``, beside good ones, in 512 MB.

    python bench/chaos/hostile_clients.py [--idle 10000]

None of them is signed in.  While each kind is at work, good clients ask; each of their
requests has to be answered, and the service has to stay within its memory.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import resource
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

sys.path[:0] = [str(Path(__file__).parent)]

from hostile_check import print_found  # noqa: E402  (after the path)
from memory_limit import limited  # noqa: E402

MOST_MB, _FLAT_MB = 512, 480
_PATIENCE_S = 300.0  # a hang
_ROUNDS = 3  # of good requests, while each kind is at work
_HEAD = b"POST /sign-in HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n"
_DOCUMENT = b"GET /api/v1/openapi.json HTTP/1.1\r\nHost: a\r\n\r\n"
_UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)

# What such a client sends, again and again until its connection ends.
Act = Callable[[asyncio.StreamWriter], Coroutine[None, None, None]]


async def _nothing(_writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


def _sends(first: bytes, again: bytes, pause_s: float = 0.0) -> Act:
    async def act(writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        while True:
            await asyncio.sleep(pause_s)
            writer.write(again)
            await writer.drain()

    return act


def acts(idle: int) -> dict[str, tuple[int, Act]]:
    """Kinds of clients, and how many of each are at work at once."""
    chunked = _HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    api = b"POST /api/v1/inventories HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000000\r\n\r\n"
    return {
        "idle": (idle, _nothing),
        "slow heads": (min(idle, 1000), _sends(b"GET / HTTP/1.1\r\n", b"x: y\r\n", 0.5)),
        "slow bodies": (
            min(idle, 1000),
            _sends(_HEAD + b"Content-Length: 60000\r\n\r\n", b"a", 0.5),
        ),
        "endless heads": (20, _sends(b"GET / HTTP/1.1\r\nx: ", b"x" * 65536)),
        "many headers": (20, _sends(b"GET / HTTP/1.1\r\n", b"x: y\r\n" * 10_000)),
        "endless bodies": (20, _sends(chunked, b"10000\r\n" + b"x" * 65536 + b"\r\n")),
        "enormous uploads": (20, _sends(api, b"x" * 65536)),
        "answers unread": (min(idle, 300), _sends(b"", _DOCUMENT * 100)),
        "websockets": (min(idle, 300), _sends(_UPGRADE, b"\x81\xff" + b"\x7f" * 8 + b"x" * 1000)),
    }


@dataclass
class Found:
    """What a run showed: by kind the clients, the good requests and the slowest of them."""

    kinds: dict[str, tuple[int, int, float]] = field(default_factory=dict)
    alone_mb: int = 0
    peak_mb: int = 0
    wrong: list[str] = field(default_factory=list)


@asynccontextmanager
async def _at_work(port: int, count: int, act: Act) -> AsyncIterator[None]:
    """So many clients; one whose connection ends connects again."""
    connected, all_ = 0, asyncio.Event()

    async def client() -> None:
        nonlocal connected
        first = True
        while True:
            with suppress(OSError):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                connected += first
                first = False
                if connected == count:
                    all_.set()
                ended = asyncio.create_task(_ended(reader, act))
                acting = asyncio.create_task(act(writer))
                try:
                    await asyncio.wait((ended, acting), return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for task in (ended, acting):
                        task.cancel()
                    await asyncio.gather(ended, acting, return_exceptions=True)
                    writer.transport.abort()
            await asyncio.sleep(1)

    clients = [asyncio.create_task(client()) for _ in range(count)]
    try:
        await all_.wait()
        yield
    finally:
        for task in clients:
            task.cancel()
        await asyncio.gather(*clients, return_exceptions=True)


async def _ended(reader: asyncio.StreamReader, act: Act) -> None:
    """The end of a connection, whose answers are read by none of those that leave them unread."""
    if act is _nothing:
        with suppress(OSError):
            await reader.read()
        return
    await asyncio.Event().wait()


async def _good(url: str, found: Found, name: str, count: int) -> None:
    """Good clients' requests, one after another."""
    slowest, answered = 0.0, 0
    for number in range(_ROUNDS):
        headers = {"origin": url}
        async with httpx.AsyncClient(base_url=url, timeout=_PATIENCE_S, headers=headers) as client:
            for path in ("/healthz", "/readyz", "/sign-in", "/api/v1/openapi.json"):
                begun = time.monotonic()
                try:
                    status = (await client.get(path)).status_code
                except httpx.HTTPError as error:
                    status = repr(error)  # type: ignore[assignment]
                slowest = max(slowest, time.monotonic() - begun)
                answered += status == 200
                if status != 200:
                    found.wrong.append(f"{name}, round {number}: {path} is {status}")
    found.kinds[name] = (count, answered, slowest)


async def _meet(url: str, peak: Callable[[], int], idle: int) -> Found:
    found, port = Found(), int(url.rpartition(":")[2])
    await _good(url, found, "none", 0)
    found.alone_mb = peak()
    for name, (count, act) in acts(idle).items():
        async with _at_work(port, count, act):
            await _good(url, found, name, count)
    found.peak_mb = peak()
    return found


def meet(idle: int) -> Found:
    """Every kind of client, one after another, against one service."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, "-m", "volact", "serve", "--listen", "127.0.0.1:0"]
        words += ["--workers", "0", "--database", f"{folder}/volact.db"]
        with limited(words, MOST_MB) as (process, peak):
            assert process.stderr is not None
            told = process.stderr.readline()
            url = re.search(r"https?://\S+(?=;)", told)
            assert url, told + process.stderr.read()
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, idle + 2000), hard))
            try:
                found = asyncio.run(_meet(url[0], peak, idle))
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            if process.poll() is not None:
                found.wrong.append(f"the service ended: {process.stderr.read()[-500:]}")
    if found.peak_mb > _FLAT_MB:
        found.wrong.append(f"{found.peak_mb} MB")
    return found


def table(found: Found) -> str:
    """The kinds of clients, as Markdown."""
    lines = [
        "| hostile clients | at once | good requests answered | slowest of them, s |",
        "|---|---|---|---|",
    ]
    for name, (count, answered, slowest) in found.kinds.items():
        lines.append(f"| {name} | {count:,} | {answered} | {slowest:.2f} |")
    lines.append(
        f"\nMemory of the service at most {found.peak_mb} MB of {MOST_MB}; before the first of "
        f"them {found.alone_mb} MB. Wrong: {len(found.wrong)}."
    )
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--idle", type=int, default=10_000)
    found = meet(parser.parse_args().idle)
    return print_found(table(found), found.wrong)


if __name__ == "__main__":
    sys.exit(main())
