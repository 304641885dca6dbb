"""A port between volact and a WinRM service."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from volact_lab.winrm.identity import Authority


@asynccontextmanager
async def relay(port: int, folder: Path, *, opens_tls: bool) -> AsyncIterator[int]:
    """A port between volact and a server; it shows a certificate of its own for TLS."""
    signed = Authority("relay").server()
    (folder / "relay.pem").write_bytes(signed.pem + signed.key_pem)
    shown = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    shown.load_cert_chain(folder / "relay.pem")
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    ends: list[asyncio.Future[None]] = []

    async def passed(source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                to.write(data)
                await to.drain()
        to.close()
        with contextlib.suppress(OSError):
            await to.wait_closed()

    async def carried(near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        ends.append(asyncio.get_running_loop().create_future())
        end, tls = ends[-1], trusting if opens_tls else None
        far, on = await asyncio.open_connection("127.0.0.1", port, ssl=tls)
        await asyncio.gather(passed(near, on), passed(far, back))
        end.set_result(None)

    tls = shown if opens_tls else None
    async with await asyncio.start_server(carried, "127.0.0.1", 0, ssl=tls) as server:
        yield server.sockets[0].getsockname()[1]
        await asyncio.gather(*ends)
