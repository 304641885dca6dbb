"""Real inputs to begin from: answers of the lab's servers, inventories, API answers.

Answers are recorded from a lab, the rest is written down here and in
``examples``.  What is made of them is ``mutate``'s.
"""

from __future__ import annotations

import asyncio
import json
import re
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from volact.cloud.account import open_account
from volact.cloud.registry import cloud_of_scheme
from volact.fleet import Control, run_fleet
from volact.inventory import Secrets, load_inventory
from volact.model.server import Server
from volact.pipeline import Job
from volact.transports.base import Raw, Transport
from volact.transports.connect import make_opener
from volact_lab.cloud import lab_clouds
from volact_lab.fleet import fleet
from volact_lab.lab import Lab
from volact_lab.scenario import load_scenario
from volact_lab.windows.spec import Spec
from volact_lab.winrm.http import Headers, Reply

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


SCHEMES = tuple(sorted(cloud.scheme for cloud in lab_clouds()))
# The act of servers whose own answers are given to others, too.
COPIED_FROM = "copied-from"


def cloud_servers(seed: int, each: int, schemes: Sequence[str] = SCHEMES) -> tuple[Spec, ...]:
    """Healthy servers, so many of each cloud, named for it."""
    drawn = fleet(load_scenario("healthy"), each * len(schemes), seed)
    return tuple(
        replace(spec, transport=schemes[n % len(schemes)], name=f"{schemes[n % len(schemes)]}-{n}")
        for n, spec in enumerate(drawn)
    )


def action_of(target: str, headers: Headers) -> str:
    """What a request to a cloud of the lab asks for, in the API's word."""
    for name in ("x-acs-action", "x-tc-action", "x-amz-target"):
        if name in headers:
            return headers[name].rpartition(".")[2]
    kinds = re.findall(r"/(runCommands|virtualMachines|networkInterfaces)\b", target)
    return f"{headers[':method']} {kinds[-1]}" if kinds else headers[":method"]


@cache
def cloud_answers() -> dict[tuple[str, str], tuple[bytes, ...]]:
    """What the lab's clouds answered to a check and a list, by scheme and action."""
    return asyncio.run(_cloud_answers())


async def _cloud_answers() -> dict[tuple[str, str], tuple[bytes, ...]]:
    heard: dict[tuple[str, str], tuple[bytes, ...]] = {}
    async with Lab("healthy", cloud_servers(3, 2), 3) as lab:
        for scheme, front in lab.clouds.items():

            def keep(target: str, headers: Headers, reply: Reply, scheme: str = scheme) -> Reply:
                name = (scheme, action_of(target, headers))
                heard[name] = (*heard.get(name, ()), reply.body)
                return reply

            front.tamper = keep  # type: ignore[attr-defined]  # of ``ApiFront``
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "lab.toml"
            lab.write_inventory(path)
            inventory = load_inventory(path)
            job = Job(mode="check", images=inventory.images)
            opener = make_opener(Secrets({}))
            async for _ in run_fleet(inventory.servers, opener, job, Control()):
                pass
            for server in inventory.servers:
                cloud = cloud_of_scheme(server.address.scheme)
                assert cloud is not None
                account = await open_account(cloud, server.account)
                scope = server.address.host.rpartition("/")[0]
                await account.list_servers(scope).list_servers({})
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
