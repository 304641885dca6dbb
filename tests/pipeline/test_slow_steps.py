"""Steps that take so long that the closing probe of the same execution has no time left."""

from __future__ import annotations

from scripted import HEALTHY, TENCENT, WRONG, Scripted, facts
from virtual_time import virtual_time

from volact.errors import TransportError
from volact.pipeline import Job, run_one

OVER = {"!": 0x800705B4}
SLOW = {"products": OVER, "licensing": OVER, "binary": OVER, "reach": OVER}


@virtual_time
async def test_the_server_is_asked_again_when_its_time_was_over() -> None:
    way = Scripted(facts(**WRONG), facts(**HEALTHY) | SLOW, facts(**HEALTHY))
    report = await run_one(TENCENT, way, Job(mode="activate", deadline_s=60))
    assert (report.verdict, report.executions) == ("healthy", 3)
    assert [result["do"] for result in report.results] == ["set-kms-host", "activate"]
    assert [request["mode"] for request in way.requests] == ["probe", "apply", "probe"]
    assert way.opened == 1


@virtual_time
async def test_there_must_be_time_for_it() -> None:
    way = Scripted(facts(**WRONG), facts(**HEALTHY) | SLOW)
    report = await run_one(TENCENT, way, Job(mode="activate", deadline_s=5.9))
    assert (report.verdict, report.executions) == ("failed", 2)
    assert "fact-unreadable" in {finding.id for finding in report.findings}


@virtual_time
async def test_other_facts_that_are_missing_are_no_reason() -> None:
    routes = {"routes": OVER, "dns": OVER, "products": {"!": 0x80041001}}
    way = Scripted(facts(**WRONG), facts(**HEALTHY) | routes)
    report = await run_one(TENCENT, way, Job(mode="activate", deadline_s=60))
    assert report.executions == 2


@virtual_time
async def test_what_the_steps_answered_is_kept_when_the_other_look_is_lost() -> None:
    gone = TransportError("connect", "the connection broke")
    way = Scripted(facts(**WRONG), facts(**HEALTHY) | SLOW, gone)
    report = await run_one(TENCENT, way, Job(mode="activate", deadline_s=60))
    assert (report.verdict, report.executions, report.error) == ("failed", 3, None)
    assert len(report.results) == 2
