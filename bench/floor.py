"""What a visit costs the controller piece by piece: no tool can spend less.

    python bench/floor.py lab.toml [--rounds N]

Prints one JSON object: CPU milliseconds a server.  The pieces of the
connection are differences between loops over the same lab; those of the answer
are measured on an answer of it, over and over.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
import statistics
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncssh
import uvloop

import bare_loop
from volact.agent.answer import read_answer
from volact.agent.render import render
from volact.agent.request import new_request
from volact.core.assessment import assess
from volact.core.context import Context
from volact.core.facts import read_facts
from volact.core.findings import diagnose
from volact.knowledge.load import knowledge_for, load_profile, profile_names
from volact.model.facts import Clock
from volact.transports.ssh import SshTransport

_ID = "0" * 16
_TIMES = 300
Work = Callable[[asyncssh.SSHClientConnection], Awaitable[None]]


async def nothing(_connection: asyncssh.SSHClientConnection) -> None:
    """Only the login."""


async def twice(connection: asyncssh.SSHClientConnection) -> None:
    """Two trivial commands: one more than the bare loop."""
    await bare_loop.trivial(connection)
    await bare_loop.trivial(connection)


class Upload:
    """The script carried there and nothing run."""

    def __init__(self) -> None:
        self._script = _script()

    async def __call__(self, connection: asyncssh.SSHClientConnection) -> None:
        """As the transport does it."""
        await SshTransport(connection).upload(self._script, f"{_name()}.bat")


class Keep:
    """The agent run as the transport runs it; the last output stays."""

    def __init__(self) -> None:
        self._script = _script()
        self.output = b""

    async def __call__(self, connection: asyncssh.SSHClientConnection) -> None:
        """Upload, run, take the output."""
        raw = await SshTransport(connection).run(self._script, name=_name(), deadline_s=60)
        self.output = raw.stdout


def _name() -> str:
    return f"bench-{secrets.token_hex(16)}"


def _script() -> bytes:
    return render(new_request("probe", load_profile("tencent"), id=_ID))


def loops(path: Path, rounds: int) -> tuple[dict[str, float], bytes]:
    """The loops over the lab, each by the median of its rounds."""
    servers, shared = bare_loop.places(path, tuned=True)
    keep = Keep()
    works: dict[str, Work] = {
        "login": nothing,
        "one": bare_loop.trivial,
        "two": twice,
        "upload": Upload(),
        "agent": keep,
    }
    spent: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds + 1):
        for name, work in works.items():
            begun = time.process_time()
            uvloop.run(bare_loop.visit_all(servers, shared, work))
            spent[name].append((time.process_time() - begun) * 1000 / len(servers))
    return {name: statistics.median(found[1:]) for name, found in spent.items()}, keep.output


def answer_pieces(output: bytes) -> dict[str, float]:
    """What volact does with one answer."""
    knowledge = knowledge_for("tencent")
    ctx = Context(
        knowledge=knowledge,
        clouds=tuple(map(load_profile, profile_names())),
        now=datetime.now(UTC),
    )
    clock = Clock(time.time(), time.time() + 1)
    answer = read_answer(output, _ID)
    facts = read_facts(answer.facts, clock)
    request = new_request("probe", knowledge.profile, id=_ID)
    return {
        "making the script": _ms(lambda: render(request)),
        "reading the answer": _ms(lambda: read_answer(output, _ID)),
        "facts out of it": _ms(lambda: read_facts(answer.facts, clock)),
        "diagnosing": _ms(lambda: diagnose(assess(facts, ctx))),
    }


def _ms(work: Callable[[], Any]) -> float:
    work()
    begun = time.process_time()
    for _ in range(_TIMES):
        work()
    return (time.process_time() - begun) * 1000 / _TIMES


def pieces(path: Path, rounds: int) -> dict[str, float]:
    """Every piece, named."""
    loop, output = loops(path, rounds)
    run = loop["two"] - loop["one"]
    return {
        "connect: key exchange and login": loop["login"],
        "one command": run,
        "upload of the script by SFTP": loop["upload"] - loop["login"],
        "waiting for the agent: waking for each of its packets": max(
            0.0, loop["agent"] - loop["upload"] - run
        ),
        **answer_pieces(output),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("inventory", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    asyncssh.set_log_level("ERROR")
    found = pieces(asked.inventory, asked.rounds)
    print(json.dumps({name: round(ms, 3) for name, ms in found.items()}))
    asyncio.set_event_loop(None)
