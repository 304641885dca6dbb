"""A way to a server whose answers are written down beforehand.

It stands where a transport stands: bytes of a script in, bytes of an answer
out.  The script is the real one; its request is read out of it.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from servers import server as facts_of

from volact.model.server import Address, Credential, Server
from volact.transports.base import Raw, Transport

TENCENT = Server(
    name="web-01",
    address=Address(scheme="ssh", host="10.0.0.5"),
    provider="tencent",
    credential=Credential(password_env="PW"),
)


def facts(*args: Any, skew_s: float = 0.0, **changes: Any) -> dict[str, Any]:
    """A server of ``tests/core`` that lives now."""
    raw = facts_of(*args, **changes)
    now = int(time.time() * 1000)
    raw["time"] |= {"utc": now + int(skew_s * 1000), "ref": now, "ref_at": now + int(skew_s * 1000)}
    return raw


HEALTHY: dict[str, Any] = {}
WRONG: dict[str, Any] = {"licensed": False, "kms": "kms.elsewhere.example"}

Turn = dict[str, Any] | BaseException | bytes


class Scripted:
    """One server: turns that are taken one after another."""

    def __init__(
        self,
        *turns: Turn,
        opening: BaseException | None = None,
        jumps_s: tuple[float, float] = (0, 0),
    ) -> None:
        self.turns = list(turns)
        self.opening = opening
        self.jumps_s = jumps_s  # of this computer's clock, when a question begins and ends
        self.opened = self.closed = 0
        self.requests: list[dict[str, Any]] = []
        self.names: list[str] = []
        self.deadlines: list[tuple[float, int]] = []

    @asynccontextmanager
    async def __call__(self, server: Server) -> AsyncIterator[Transport]:
        if self.opening is not None:
            raise self.opening
        self.opened += 1
        try:
            yield self
        finally:
            self.closed += 1

    async def run(self, script: bytes, *, name: str, deadline_s: float) -> Raw:
        request = request_of(script)
        self.requests.append(request)
        self.names.append(name)
        self.deadlines.append((deadline_s, int(_found(rb"//T:(\d+)", script))))
        asked = time.time() + self.jumps_s[0]
        turn = self.turns.pop(0)
        if isinstance(turn, asyncio.CancelledError):
            await asyncio.Event().wait()
        if isinstance(turn, BaseException):
            raise turn
        stdout = turn if isinstance(turn, bytes) else answer(request, turn)
        return Raw(stdout, b"", 0, asked, time.time() + self.jumps_s[1])

    async def close(self) -> None:
        raise AssertionError("its opener closes it")


def answer(request: dict[str, Any], said: dict[str, Any]) -> bytes:
    """The answer line to a request; every step is ``ok`` unless set otherwise."""
    results = said.pop("results", None)
    if results is None:
        results = [{"do": step["do"], "ok": True, "changed": True} for step in _steps(request)]
    mode = said.pop("mode", request["mode"])
    body = {"v": 1, "id": request["id"], "mode": mode, "ms": 1, "results": results, "facts": said}
    data = json.dumps(body).encode("ascii")
    return b"VOLACT1 %d %08x %s\r\n" % (len(data), zlib.crc32(data), data)


def _steps(request: dict[str, Any]) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = request.get("steps", [])
    return steps


def request_of(script: bytes) -> dict[str, Any]:
    """What a script asks."""
    literal = _found(rb"var REQUEST = (\{.*\});", script)
    request: dict[str, Any] = json.loads(literal.replace(b"*\\/", b"*/"))
    return request


def _found(pattern: bytes, script: bytes) -> bytes:
    match = re.search(pattern, script)
    assert match is not None
    return match[1]
