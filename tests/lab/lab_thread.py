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
    patience: float = 0.05,
) -> Iterator[Lab]:
    """Runs in a thread, so that the main one is free for a command line."""
    runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
    loop = runner.get_loop()
    thread = threading.Thread(target=_run, args=(runner,))
    thread.start()

    async def started() -> Lab:
        lab = Lab(scenario, servers, seed, patience=patience, transport=transport)
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


def _run(runner: asyncio.Runner) -> None:
    """Until it is stopped; a connection that was accepted last ends with it, and is no leak."""
    with runner:
        runner.get_loop().run_forever()


@contextmanager
def drawn_lab(scenario: str, servers: int, seed: int) -> Iterator[Path]:
    """As ``child_lab``, with no process: the inventory of a lab."""
    with (
        tempfile.TemporaryDirectory() as folder,
        lab_in_thread(scenario, servers, seed) as lab,
    ):
        lab.write_inventory(Path(folder) / "lab.toml")
        yield Path(folder) / "lab.toml"
