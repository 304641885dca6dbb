"""Servers that can be given one script together are asked by one script."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from scripted import HEALTHY, TENCENT, WRONG, Scripted, facts

from volact.errors import TransportError
from volact.model.server import Server
from volact.pipeline import Job, run_one
from volact.transports.base import Raw, SharedScript, Transport

JOB = Job(mode="activate", deadline_s=60)


class Sharing(Scripted, SharedScript):
    """A scripted server behind a transport that can share."""

    def __init__(self, salt: str, *turns: dict[str, object] | BaseException | bytes) -> None:
        super().__init__(*turns)
        self.salt = salt
        self.scripts: list[bytes] = []

    @asynccontextmanager
    async def __call__(self, server: Server) -> AsyncIterator[Transport]:
        yield self

    async def run(self, script: bytes, *, name: str, deadline_s: float) -> Raw:
        self.scripts.append(script)
        return await super().run(script, name=name, deadline_s=deadline_s)


async def test_two_servers_get_the_same_bytes_and_are_both_believed() -> None:
    ways = [Sharing("run", facts(**WRONG), facts(**HEALTHY)) for _ in range(2)]
    for way in ways:
        assert (await run_one(TENCENT, way, JOB)).verdict == "healthy"
    assert ways[0].scripts == ways[1].scripts
    assert ways[0].scripts[0] != ways[0].scripts[1]


async def test_another_run_puts_its_questions_under_another_id() -> None:
    ways = [Sharing(salt, facts(**HEALTHY)) for salt in ("one", "two")]
    for way in ways:
        await run_one(TENCENT, way, JOB)
    assert ways[0].requests[0]["id"] != ways[1].requests[0]["id"]


async def test_a_second_look_does_not_take_the_first_ones_answer_for_its_own() -> None:
    lost = TransportError("connect", "gone")
    way = Sharing("run", facts(**WRONG), lost, facts(**HEALTHY))
    assert (await run_one(TENCENT, way, JOB)).verdict == "healthy"
    assert len({request["id"] for request in way.requests}) == 3


async def test_other_transports_are_asked_one_by_one() -> None:
    ways = [Scripted(facts(**HEALTHY)) for _ in range(2)]
    for way in ways:
        await run_one(TENCENT, way, JOB)
    assert ways[0].requests[0]["id"] != ways[1].requests[0]["id"]
