"""Servers that can be given one script together are asked by one script."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from msgspec.structs import replace
from scripted import HEALTHY, TENCENT, WRONG, Scripted, answer, facts
from virtual_time import virtual_time

from volact.errors import TransportError
from volact.model.server import Server
from volact.pipeline import Job, run_one
from volact.pipeline.job import RunAnswers
from volact.transports.base import Raw, SharedScript, Transport

JOB = Job(mode="activate", deadline_s=60)


class Sharing(Scripted, SharedScript):
    """A scripted server behind a transport that can share."""

    def __init__(
        self, salt: str, *turns: dict[str, object] | BaseException | bytes, instance: str = ""
    ) -> None:
        super().__init__(*turns)
        self.salt = salt
        self.instance = instance
        self.scripts: list[bytes] = []

    @asynccontextmanager
    async def __call__(self, server: Server) -> AsyncIterator[Transport]:
        yield self

    async def run(self, script: bytes, *, name: str, deadline_s: float) -> Raw:
        self.scripts.append(script)
        return await super().run(script, name=name, deadline_s=deadline_s)


@virtual_time
async def test_two_servers_get_the_same_bytes_and_are_both_believed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    moment = time.time()
    monkeypatch.setattr(time, "time", lambda: moment)  # both are asked in the same five minutes
    ways = [Sharing("run", facts(**WRONG), facts(**HEALTHY)) for _ in range(2)]
    for way in ways:
        assert (await run_one(TENCENT, way, JOB)).verdict == "healthy"
    assert ways[0].scripts == ways[1].scripts
    assert ways[0].scripts[0] != ways[0].scripts[1]


@virtual_time
async def test_another_run_puts_its_questions_under_another_id() -> None:
    ways = [Sharing(salt, facts(**HEALTHY)) for salt in ("one", "two")]
    for way in ways:
        await run_one(TENCENT, way, JOB)
    assert ways[0].requests[0]["id"] != ways[1].requests[0]["id"]


@virtual_time
async def test_a_second_look_does_not_take_the_first_ones_answer_for_its_own() -> None:
    lost = TransportError("connect", "gone")
    way = Sharing("run", facts(**WRONG), lost, facts(**HEALTHY))
    assert (await run_one(TENCENT, way, JOB)).verdict == "healthy"
    assert len({request["id"] for request in way.requests}) == 3


@virtual_time
async def test_other_transports_are_asked_one_by_one() -> None:
    ways = [Scripted(facts(**HEALTHY)) for _ in range(2)]
    for way in ways:
        await run_one(TENCENT, way, JOB)
    assert ways[0].requests[0]["id"] != ways[1].requests[0]["id"]


def of_instance(instance: object) -> dict[str, object]:
    """A healthy server whose metadata service says this of its instance."""
    return facts(**HEALTHY, metadata={"instance-id": instance})


async def told(job: Job, name: str, instance: str, *turns: dict[str, object] | bytes) -> str:
    """What becomes of the answers that come for an instance: the verdict, or the error."""
    server = replace(TENCENT, name=name)
    report = await run_one(server, Sharing("run", *turns, instance=instance), job)
    return report.error.message if report.error else report.verdict


@virtual_time
async def test_an_answer_that_names_another_instance_is_not_taken() -> None:
    """Exchanged, copied, or for one of them only: each server is asked who it is."""
    job = replace(JOB, answers=RunAnswers())
    one, two = of_instance("ins-1"), of_instance("ins-2")
    assert "another server (ins-2)" in await told(job, "a", "ins-1", two)
    assert "another server (ins-1)" in await told(job, "b", "ins-2", one)
    assert await told(job, "a", "ins-1", one) == "healthy"
    assert "another server (ins-1)" in await told(job, "b", "ins-2", one)


@virtual_time
async def test_clones_are_each_told_their_own_instance() -> None:
    """All that an image has is equal; what the metadata service says is not of the image."""
    job = replace(JOB, answers=RunAnswers())
    for number in ("1", "2"):
        assert await told(job, number, f"ins-{number}", of_instance(f"ins-{number}")) == "healthy"


@pytest.mark.parametrize("unread", [None, {"!": -2147012867}], ids=["none there", "unreadable"])
@virtual_time
async def test_without_metadata_one_answer_is_still_not_taken_twice(unread: object) -> None:
    job = replace(JOB, answers=RunAnswers())
    way = Sharing("run", of_instance(unread), instance="ins-1")
    await run_one(TENCENT, way, job)
    said = answer(way.requests[0], of_instance(unread))
    assert await told(job, "a", "ins-1", said) == "healthy"
    assert "the same answer came for another server (a)" in await told(job, "b", "ins-2", said)
    assert await told(job, "a", "ins-1", said) == "healthy"  # the same server, asked again


@virtual_time
async def test_steps_whose_answer_is_another_servers_are_verified() -> None:
    job = replace(JOB, answers=RunAnswers())
    wrong = facts(**WRONG, metadata={"instance-id": "ins-1"})
    turns = (wrong, of_instance("ins-2"), of_instance("ins-1"))
    assert await told(job, "a", "ins-1", *turns) == "healthy"
    turns = (wrong, of_instance("ins-2"), wrong)
    assert await told(job, "a", "ins-1", *turns) == "failed"
