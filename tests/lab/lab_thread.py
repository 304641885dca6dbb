"""A lab of chosen servers beside tests that call volact in their own process."""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from volact_lab.lab import Lab
from volact_lab.windows.spec import Spec, TransportName


@contextmanager
def lab_in_thread(
    scenario: str,
    servers: int | tuple[Spec, ...],
    seed: int,
    transport: TransportName | None = None,
) -> Iterator[Lab]:
    """Runs in a thread, so that the main one is free for a command line."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def started() -> Lab:
        lab = Lab(scenario, servers, seed, transport=transport)
        await lab.start()
        return lab

    try:
        lab = asyncio.run_coroutine_threadsafe(started(), loop).result()
        try:
            yield lab
        finally:
            asyncio.run_coroutine_threadsafe(lab.stop(), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contextmanager
def drawn_lab(scenario: str, servers: int, seed: int) -> Iterator[Path]:
    """As ``child_lab``, with no process: the inventory of a lab."""
    with (
        tempfile.TemporaryDirectory() as folder,
        lab_in_thread(scenario, servers, seed) as lab,
    ):
        lab.write_inventory(Path(folder) / "lab.toml")
        yield Path(folder) / "lab.toml"
