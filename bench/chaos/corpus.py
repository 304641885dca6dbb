"""Real inputs to begin from: answers of the lab's servers, inventories, API answers.

Answers are recorded from a lab, the rest is written down here and in
``examples``.  What is made of them is ``mutate``'s.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

from volact.fleet import Control, run_fleet
from volact.inventory import Secrets, load_inventory
from volact.model.server import Server
from volact.pipeline import Job
from volact.transports.base import Raw, Transport
from volact.transports.connect import make_opener
from volact_lab.lab import Lab

EXAMPLES = Path(__file__).parents[2] / "examples"


@cache
def recorded(servers: int = 40, scenario: str = "hard", seed: int = 11) -> tuple[bytes, ...]:
    """The outputs of the agent on a lab's servers, of probes and of repairs."""
    return tuple(asyncio.run(_record(servers, scenario, seed)))


async def _record(servers: int, scenario: str, seed: int) -> list[bytes]:
    heard: list[bytes] = []
    async with Lab(scenario, servers, seed, transport="ssh") as lab:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "lab.toml"
            lab.write_inventory(path)
            inventory = load_inventory(path)
            inner = make_opener(Secrets({}))

            @asynccontextmanager
            async def opener(server: Server) -> AsyncIterator[Transport]:
                async with inner(server) as transport:
                    yield _Tap(transport, heard)

            job = Job(mode="activate", images=inventory.images)
            async for _ in run_fleet(inventory.servers, opener, job, Control()):
                pass
    return heard


class _Tap:
    """A transport that remembers what servers wrote."""

    def __init__(self, inner: Transport, heard: list[bytes]) -> None:
        self._inner = inner
        self._heard = heard

    async def run(self, script: bytes, *, name: str, deadline_s: float) -> Raw:
        raw = await self._inner.run(script, name=name, deadline_s=deadline_s)
        self._heard.append(raw.stdout)
        return raw

    async def close(self) -> None:
        await self._inner.close()


def bodies(outputs: Sequence[bytes]) -> tuple[bytes, ...]:
    """The JSON of the answers in some outputs."""
    found = []
    for output in outputs:
        start = output.find(b"VOLACT1 ")
        if start >= 0:
            line = output[start:].split(b"\r\n")[0]
            found.append(line[line.index(b"{") :])
    return tuple(found)


def examples(*suffixes: str) -> list[bytes]:
    """The example inventories of some kinds."""
    return [path.read_bytes() for path in sorted(EXAMPLES.iterdir()) if path.suffix in suffixes]


def as_json(value: Any) -> bytes:
    """A value as the bytes of a document."""
    return json.dumps(value).encode("ascii")
