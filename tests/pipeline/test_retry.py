"""Trying again: only what passes by itself, only with a fresh probe, only in time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted import HEALTHY, TENCENT, WRONG, Scripted, Turn, facts
from virtual_time import virtual_time

from volact.agent.request import lock_lease
from volact.errors import AnswerError, Passing, TransportError
from volact.model.server import Server
from volact.model.step import Intent
from volact.pipeline import Job, Retry, apply_one, examine_one, run_one
from volact.pipeline.job import activation_host
from volact.pipeline.retry import is_transient
from volact.transports.base import Transport

RETRY = Retry(times=2, first_s=0.001, most_s=0.001)
JOB = Job(mode="activate", deadline_s=60, retry=RETRY, run="run-1", who="ops@ctl")
BUSY = b"VOLACT0 busy run-2 1795000000000 ops@other\r\n"
REFUSED = TransportError("connect", "connection refused", passing="unsent")
CROWDED = TransportError("connect", "the server refused a session", passing="refused")


class Door:
    """A way whose opening fails a few times."""

    def __init__(self, way: Scripted, *failures: TransportError) -> None:
        self.way = way
        self.failures = list(failures)
        self.knocked = 0

    @asynccontextmanager
    async def __call__(self, server: Server) -> AsyncIterator[Transport]:
        self.knocked += 1
        if self.failures:
            raise self.failures.pop(0)
        async with self.way(server) as transport:
            yield transport


@pytest.mark.parametrize("failures", [1, 2])
@virtual_time
async def test_what_passes_is_tried_again(failures: int) -> None:
    door = Door(Scripted(facts(**HEALTHY)), *[REFUSED] * failures)
    row = await run_one(TENCENT, door, JOB)
    assert (row.verdict, door.knocked) == ("healthy", failures + 1)


@virtual_time
async def test_no_more_often_than_allowed() -> None:
    door = Door(Scripted(facts(**HEALTHY)), *[REFUSED] * 3)
    row = await run_one(TENCENT, door, JOB)
    assert (row.verdict, door.knocked) == ("unreachable", 3)
    assert row.error is not None
    assert row.error.message == "connection refused"


@pytest.mark.parametrize("kind", ["auth", "host-key", "protocol", "connect", "timeout"])
@virtual_time
async def test_what_does_not_pass_is_not_tried_again(kind: str) -> None:
    door = Door(Scripted(), TransportError(kind, "no"))  # type: ignore[arg-type]
    await run_one(TENCENT, door, JOB)
    assert door.knocked == 1


@virtual_time
async def test_a_short_deadline_is_no_time_for_another_try() -> None:
    door = Door(Scripted(facts(**HEALTHY)), REFUSED)
    row = await run_one(TENCENT, door, Job(mode="check", deadline_s=2.5, retry=RETRY))
    assert (row.verdict, door.knocked) == ("unreachable", 1)


@virtual_time
async def test_a_connection_that_breaks_once_something_was_sent_is_not_tried_again() -> None:
    lost = TransportError("connect", "the connection broke", passing="unsent")
    way = Scripted(lost)
    row = await run_one(TENCENT, way, JOB)
    assert (row.verdict, len(way.requests)) == ("unreachable", 1)


@virtual_time
async def test_a_session_that_is_refused_is_tried_again() -> None:
    way = Scripted(CROWDED, facts(**HEALTHY))
    assert (await run_one(TENCENT, way, JOB)).verdict == "healthy"
    assert (
        await examine_one(TENCENT, Scripted(CROWDED, facts(**HEALTHY)), JOB)
    ).examination is not None


def modes(way: Scripted) -> list[str]:
    return [request["mode"] for request in way.requests]


@pytest.mark.parametrize("turn", [BUSY, CROWDED], ids=["busy", "crowded"])
@virtual_time
async def test_steps_that_were_not_taken_are_sent_again_after_a_fresh_look(
    turn: bytes | TransportError,
) -> None:
    way = Scripted(facts(**WRONG), turn, facts(**WRONG), facts(**HEALTHY))
    row = await run_one(TENCENT, way, JOB)
    assert row.verdict == "healthy"
    assert modes(way) == ["probe", "apply", "probe", "apply"]


@virtual_time
async def test_what_the_other_run_has_mended_is_left_alone() -> None:
    way = Scripted(facts(**WRONG), BUSY, facts(**HEALTHY))
    row = await run_one(TENCENT, way, JOB)
    assert (row.verdict, row.results) == ("healthy", ())
    assert modes(way) == ["probe", "apply", "probe"]


class Notes:
    """Keeps what may have reached a server."""

    def __init__(self) -> None:
        self.sent: list[Intent] = []

    def seen(self, server: str, look: Literal["first", "closing"], facts: dict[str, Any]) -> None:
        """Not of interest here."""

    async def sending(self, intent: Intent) -> None:
        self.sent.append(intent)

    def withdrawn(self, intent: Intent) -> None:
        self.sent.remove(intent)


LOST = TransportError("connect", "the connection broke", passing="unsent")


@pytest.mark.parametrize(
    ("turns", "left"),
    [
        ((BUSY, facts(**HEALTHY)), 0),  # the other run did the same: nothing of it is ours
        ((CROWDED, facts(**HEALTHY)), 0),
        ((BUSY, facts(**WRONG), facts(**HEALTHY)), 1),
        ((LOST, facts(**HEALTHY)), 1),  # it may have run
    ],
)
@virtual_time
async def test_only_what_may_have_run_stays_written_down(
    turns: tuple[Turn, ...], left: int
) -> None:
    notes = Notes()
    job = msgspec.structs.replace(JOB, recorder=notes)
    row = await run_one(TENCENT, Scripted(facts(**WRONG), *turns), job)
    assert row.verdict == "healthy"
    assert len(notes.sent) == left


@virtual_time
async def test_a_server_that_stays_busy_says_whose_run_it_is() -> None:
    turns: list[Turn] = [facts(**WRONG), BUSY]
    way = Scripted(*turns * 50)
    retry = Retry(times=2, first_s=0.01, most_s=0.01)
    job = Job(mode="activate", deadline_s=3.05, retry=retry)
    row = await run_one(TENCENT, way, job)
    assert row.error is not None
    assert row.error.kind == "busy"
    assert "run run-2 by ops@other" in row.error.message
    assert row.results == ()
    assert [step["do"] for step in row.plan] == ["set-kms-host", "activate"], "what was seen stays"


@virtual_time
async def test_an_apply_whose_answer_was_lost_is_never_sent_twice() -> None:
    lost = TransportError("connect", "the connection broke", passing="unsent")
    way = Scripted(facts(**WRONG), lost, facts(**WRONG))
    row = await run_one(TENCENT, way, JOB)
    assert row.verdict == "failed"
    assert modes(way) == ["probe", "apply", "probe"]


@virtual_time
async def test_only_what_was_agreed_to_is_applied_when_it_is_tried_again() -> None:
    seen = await examine_one(TENCENT, Scripted(facts(**WRONG)), JOB)
    way = Scripted(BUSY, facts(**WRONG), facts(**HEALTHY))
    assert (await apply_one(seen, way, JOB)).verdict == "healthy"
    assert modes(way) == ["apply", "probe", "apply"]
    way = Scripted(BUSY, facts(licensed=False))
    row = await apply_one(seen, way, JOB)
    assert (row.verdict, row.results) == ("attention", ())
    assert modes(way) == ["apply", "probe"]


@virtual_time
async def test_steps_are_sent_under_a_lock_and_looks_are_not() -> None:
    way = Scripted(facts(**WRONG), facts(**HEALTHY))
    await run_one(TENCENT, way, JOB)
    look, steps = way.requests
    assert "lock" not in look
    assert (steps["lock"]["run"], steps["lock"]["who"]) == ("run-1", "ops@ctl")
    script_s = way.deadlines[1][1]
    assert steps["lock"]["until"] - steps["lock"]["since"] > 2000 * script_s


@given(tried=st.integers(1, 100), rng=st.floats(0, 0.999))
def test_pauses_grow_and_stay_bounded(tried: int, rng: float) -> None:
    retry = Retry(times=1, first_s=0.5, most_s=8.0, rng=lambda: rng)
    assert 0.25 <= retry.pause(tried) <= 12.0
    assert retry.pause(tried) <= retry.pause(tried + 1)


@given(sent=st.integers(0, 3), passing=st.sampled_from(["never", "unsent", "refused"]))
def test_nothing_that_may_have_been_done_is_done_again(sent: int, passing: Passing) -> None:
    error = TransportError("connect", "x", passing=passing)
    assert is_transient(error, sent) == (
        passing == "refused" or (passing == "unsent" and sent == 0)
    )
    assert not is_transient(AnswerError("protocol", "x"), sent)
    for lasting in ("auth", "host-key", "host-key-changed"):  # a wrong password locks an account
        assert not is_transient(TransportError(lasting, "x", passing=passing), sent)


@given(run=st.text(max_size=99), who=st.text(max_size=99), now=st.floats(1e9, 4e9))
def test_a_lock_is_a_line_of_plain_words(run: str, who: str, now: float) -> None:
    lock = lock_lease(run, who, now, 90, shared=False)
    assert lock.run
    assert " " not in lock.run
    assert (lock.run + lock.who).isascii()
    assert (lock.run + lock.who).isprintable()
    assert lock.until - lock.since == pytest.approx(195_000, abs=1)
    shared = lock_lease(run, who, now, 90, shared=True)
    assert shared.since <= now * 1000 < shared.until


@virtual_time
async def test_an_activation_goes_to_the_host_that_the_plan_sets_or_the_server_has() -> None:
    wrong = await examine_one(TENCENT, Scripted(facts(**WRONG)), JOB)
    unlicensed = await examine_one(TENCENT, Scripted(facts(licensed=False)), JOB)
    healthy = await examine_one(TENCENT, Scripted(facts(**HEALTHY)), JOB)
    hosts = [
        activation_host(outcome.examination.plan, outcome.examination.assessment)
        for outcome in (wrong, unlicensed, healthy)
        if outcome.examination is not None
    ]
    assert hosts == ["kms1.tencentyun.com:1688", "kms1.tencentyun.com:1688", None]
