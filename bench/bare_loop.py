"""The bare minimum beside which volact is measured: log in, run one command, leave.

    python bench/bare_loop.py lab.toml [--tuned]

As asyncssh does it by itself; with ``--tuned``, with the options that volact
gives it.  No agent, no upload, no facts.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncssh
import uvloop

CONCURRENCY = 50
COMMAND = "exit 0"  # alike in cmd, PowerShell and bash

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


async def visit(server: dict[str, Any], shared: dict[str, Any], gate: asyncio.Semaphore) -> None:
    """One server: connect, run the command, close."""
    place = urlsplit(server["address"])
    async with (
        gate,
        asyncssh.connect(place.hostname or "", place.port or 22, **shared) as connection,
    ):
        await connection.run(COMMAND, check=True)


async def visit_all(servers: list[dict[str, Any]], shared: dict[str, Any]) -> None:
    """Every server, some at a time."""
    gate = asyncio.Semaphore(CONCURRENCY)
    await asyncio.gather(*(visit(server, shared, gate) for server in servers))


def main(path: Path, tuned: bool) -> None:
    document = tomllib.loads(path.read_text("utf-8"))
    defaults = document["defaults"]
    known_hosts = str(path.parent / defaults["known-hosts"])
    shared: dict[str, Any] = {
        "username": defaults["user"],
        "password": _password(defaults, path.parent),
        "known_hosts": asyncssh.read_known_hosts(known_hosts) if tuned else known_hosts,
        **(TUNED if tuned else {}),
    }
    uvloop.run(visit_all(document["server"], shared))


def _password(defaults: dict[str, Any], folder: Path) -> str:
    if "password-env" in defaults:
        return os.environ[str(defaults["password-env"])]
    return (folder / str(defaults["password-file"])).read_text("utf-8").splitlines()[0]


if __name__ == "__main__":
    main(Path(sys.argv[1]), "--tuned" in sys.argv)
