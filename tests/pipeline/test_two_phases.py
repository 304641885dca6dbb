"""Plan first, apply what was agreed to: exactly those steps and no others."""

from __future__ import annotations

from scripted import HEALTHY, TENCENT, WRONG, Scripted, facts

from volact.errors import TransportError
from volact.pipeline import Job, apply_one, examine_one

JOB = Job(mode="activate", deadline_s=60)


async def test_the_steps_that_were_shown_are_the_steps_that_are_sent() -> None:
    way = Scripted(facts(**WRONG), facts(**HEALTHY))
    outcome = await examine_one(TENCENT, way, JOB)
    assert outcome.pending
    assert (outcome.report.verdict, outcome.report.executions) == ("attention", 1)
    report = await apply_one(outcome, way, JOB)
    assert (report.verdict, report.executions) == ("healthy", 2)
    assert [step["do"] for step in way.requests[1]["steps"]] == ["set-kms-host", "activate"]
    assert report.plan == outcome.report.plan
    assert way.opened == way.closed == 2


async def test_nothing_to_do_opens_nothing() -> None:
    way = Scripted(facts(**HEALTHY))
    outcome = await examine_one(TENCENT, way, JOB)
    assert not outcome.pending
    assert await apply_one(outcome, way, JOB) == outcome.report
    assert way.opened == 1


async def test_a_server_that_could_not_be_examined_is_not_pending() -> None:
    outcome = await examine_one(TENCENT, Scripted(opening=TransportError("auth", "no")), JOB)
    assert not outcome.pending
    assert outcome.examination is None
    assert outcome.report.verdict == "unreachable"


async def test_gone_between_plan_and_apply_keeps_what_was_seen() -> None:
    outcome = await examine_one(TENCENT, Scripted(facts(**WRONG)), JOB)
    way = Scripted(opening=TransportError("connect", "connection refused"))
    report = await apply_one(outcome, way, JOB)
    assert report.verdict == "unreachable"
    assert report.error is not None
    assert report.error.message == "connection refused"
    assert report.findings == outcome.report.findings
    assert report.executions == 1
