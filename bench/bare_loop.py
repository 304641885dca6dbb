"""What volact is compared with: asyncssh in a loop, and nothing else.

    python bench/bare_loop.py lab.toml [--tuned] [--agent] [--wait]

Logs in, runs one trivial command, leaves; as asyncssh does it by itself, or
with ``--tuned`` with the options that volact gives it.  With ``--agent`` it
uploads and runs the agent instead of the trivial command and throws the answer
away: the least that any tool must do to learn what volact learns.  With
``--wait`` it sleeps before and after its command, as long as a visit takes when
servers are slow: what waking up for every packet costs by itself.
"""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import sys
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncssh
import uvloop

CONCURRENCY = 50
WAIT_S = 0.6
TRIVIAL = "exit 0"  # alike in cmd, PowerShell and bash

TUNED: dict[str, Any] = {
    "config": None,
    "agent_path": None,
    "client_keys": None,
    "preferred_auth": "password",
    "kex_algs": "^curve25519-sha256",
    "encryption_algs": "^aes128-gcm@openssh.com",
    "compression_algs": "none",
    "gss_host": None,
    "x509_trusted_certs": None,
}


async def trivial(connection: asyncssh.SSHClientConnection) -> None:
    """The cheapest command there is."""
    await connection.run(TRIVIAL, check=True)


class Waiting:
    """The cheapest command on a server that takes its time, which costs no CPU of its own."""

    def __init__(self) -> None:
        self._chance = random.Random(1)

    async def __call__(self, connection: asyncssh.SSHClientConnection) -> None:
        """Sleep, run it, sleep."""
        await asyncio.sleep(self._chance.uniform(0, WAIT_S))
        await trivial(connection)
        await asyncio.sleep(self._chance.uniform(0, WAIT_S))


class WithAgent:
    """Uploads and runs the agent, one and the same for every server."""

    def __init__(self) -> None:
        from volact.agent.render import render  # noqa: PLC0415  (not in the other loops)
        from volact.agent.request import new_request  # noqa: PLC0415
        from volact.knowledge.load import load_profile  # noqa: PLC0415

        profile = load_profile("tencent")
        self._script = render(new_request("probe", profile, id=secrets.token_hex(8)))

    async def __call__(self, connection: asyncssh.SSHClientConnection) -> None:
        """One upload, one execution."""
        name = f"{secrets.token_hex(16)}.bat"
        async with (
            connection.start_sftp_client() as sftp,
            sftp.open(f"AppData/Local/Temp/{name}", "wb") as file,
        ):
            await file.write(self._script)
        command = f'cmd.exe /c "AppData\\Local\\Temp\\{name}"'
        done = await connection.run(command, check=True)
        if "VOLACT1 " not in str(done.stdout):
            raise RuntimeError("no answer")


async def visit(
    server: dict[str, Any], shared: dict[str, Any], gate: asyncio.Semaphore, work: Any
) -> None:
    """One server: connect, run the command, close."""
    place = urlsplit(server["address"])
    async with (
        gate,
        asyncssh.connect(place.hostname or "", place.port or 22, **shared) as connection,
    ):
        await work(connection)


async def visit_all(servers: list[dict[str, Any]], shared: dict[str, Any], work: Any) -> None:
    """Every server, some at a time."""
    gate = asyncio.Semaphore(CONCURRENCY)
    await asyncio.gather(*(visit(server, shared, gate, work) for server in servers))


def places(path: Path, *, tuned: bool) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The servers of an inventory, and what asyncssh is given for all of them."""
    document = tomllib.loads(path.read_text("utf-8"))
    defaults = document["defaults"]
    shared: dict[str, Any] = {
        "username": defaults["user"],
        "password": _password(defaults, path.parent),
        # Once: given by its name, asyncssh would read the file for every server.
        "known_hosts": asyncssh.read_known_hosts(str(path.parent / defaults["known-hosts"])),
        **(TUNED if tuned else {}),
    }
    return document["server"], shared


def main(path: Path, words: list[str]) -> None:
    servers, shared = places(path, tuned="--tuned" in words)
    work: Any = WithAgent() if "--agent" in words else trivial
    uvloop.run(visit_all(servers, shared, Waiting() if "--wait" in words else work))


def _password(defaults: dict[str, Any], folder: Path) -> str:
    if "password-env" in defaults:
        return os.environ[str(defaults["password-env"])]
    return (folder / str(defaults["password-file"])).read_text("utf-8").splitlines()[0]


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
