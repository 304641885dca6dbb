"""One server from start to end: executions, verdicts, lost answers, and never an exception."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from scripted import HEALTHY, TENCENT, WRONG, Scripted, Turn, answer, facts
from virtual_time import now, virtual_time

from volact.errors import AnswerError, TransportError
from volact.model.profile import Image
from volact.model.report import ServerReport
from volact.model.server import Address, Server
from volact.pipeline import Job, Mode, Phase, run_one
from volact.queries.history import history
from volact.report.run_counts import RunCounts
from volact.store.columns import row_columns
from volact.store.values import StoredRow

UNNAMED = Server(name="x", address=Address(scheme="ssh", host="10.0.0.6"))


async def run(way: Scripted, mode: Mode = "activate", server: Server = TENCENT) -> ServerReport:
    return await run_one(server, way, Job(mode=mode, deadline_s=60))


def ids(report: ServerReport) -> list[str]:
    return [finding.id for finding in report.findings if finding.severity == "error"]


@pytest.mark.parametrize("mode", ["check", "plan", "activate"])
@virtual_time
async def test_a_healthy_server_costs_one_execution(mode: Mode) -> None:
    way = Scripted(facts(**HEALTHY))
    report = await run(way, mode)
    assert (report.verdict, report.executions, report.plan) == ("healthy", 1, ())
    assert (report.name, report.address, report.provider) == ("web-01", "ssh://10.0.0.5", "tencent")
    assert (report.os.release, report.license.status) == ("2016", "licensed")
    assert report.error is None
    assert (way.opened, way.closed) == (1, 1)


@virtual_time
async def test_a_repaired_server_costs_two_on_one_connection() -> None:
    way = Scripted(facts(**WRONG), facts(**HEALTHY))
    report = await run(way)
    assert (report.verdict, report.executions, way.opened) == ("healthy", 2, 1)
    assert [step["do"] for step in report.plan] == ["set-kms-host", "activate"]
    assert [result["do"] for result in report.results] == ["set-kms-host", "activate"]
    assert set(report.resolved) >= {"not-licensed", "kms-host-wrong"}
    assert [step["do"] for step in way.requests[1]["steps"]] == ["set-kms-host", "activate"]
    assert "because" not in way.requests[1]["steps"][0]
    assert ids(report) == []


@virtual_time
async def test_what_no_step_changes_is_known_after_the_steps_too() -> None:
    told = {**facts(**WRONG), "wsh": {"vbscript": False}}
    after = {name: fact for name, fact in facts(**HEALTHY).items() if name != "wsh"}
    report = await run(Scripted(told, after))
    assert report.verdict == "healthy"
    assert [finding.id for finding in report.findings] == ["vbscript-missing"]


@virtual_time
async def test_check_changes_and_plans_nothing() -> None:
    way = Scripted(facts(**WRONG))
    report = await run(way, "check")
    assert (report.verdict, report.plan, report.executions) == ("attention", (), 1)
    assert "not-licensed" in ids(report)
    assert "steps" not in way.requests[0]


@virtual_time
async def test_plan_says_what_would_be_done() -> None:
    report = await run(Scripted(facts(**WRONG)), "plan")
    assert report.verdict == "attention"
    assert report.plan[0]["do"] == "set-kms-host"
    assert "kms-host-wrong" in report.plan[0]["because"]
    assert report.results == ()


@virtual_time
async def test_steps_that_say_ok_are_not_believed() -> None:
    report = await run(Scripted(facts(**WRONG), facts(**WRONG)))
    assert report.verdict == "failed"
    assert all(result["ok"] for result in report.results)
    assert "not-licensed" in ids(report)


DAY = 86_400.0


@pytest.mark.parametrize(
    "jumps_s",
    [(DAY, DAY), (-DAY, -DAY), (0, DAY), (0, -DAY)],
    ids=["ahead before", "back before", "ahead within", "back within"],
)
@virtual_time
async def test_a_clock_here_that_was_set_accuses_no_server(jumps_s: tuple[float, float]) -> None:
    healthy = facts(**HEALTHY)
    healthy["time"] |= {"ref": {"!": 1}, "ref_at": {"!": 1}}  # no other clock to compare with
    report = await run(Scripted(healthy, jumps_s=jumps_s))
    assert (report.verdict, report.plan) == ("healthy", ())
    assert not {"clock-skew", "clock-set-back"} & {finding.id for finding in report.findings}


@virtual_time
async def test_a_server_whose_clock_is_wrong_is_found_by_the_clock_here() -> None:
    wrong = facts(**HEALTHY, skew_s=DAY)
    wrong["time"] |= {"ref": {"!": 1}, "ref_at": {"!": 1}}
    assert "clock-skew" in ids(await run(Scripted(wrong), "check"))


@virtual_time
async def test_an_answer_of_another_server_or_time_is_none() -> None:
    """Each execution has an id of its own, which no answer to another one has."""
    first = Scripted(facts(**WRONG), facts(**HEALTHY))
    assert (await run(first)).verdict == "healthy"
    copied = [answer(request, facts(**HEALTHY)) for request in first.requests]
    for copy in copied:
        report = await run(Scripted(copy), "check")
        assert report.error is not None
        assert (report.error.kind, report.verdict) == ("protocol", "unreachable")
        assert "another request" in report.error.message
    # Its own answer from before the steps does not stand for one after them either.
    report = await run(Scripted(facts(**WRONG), copied[0], copied[1]))
    assert report.verdict != "healthy"
    assert report.error is not None
    assert "another request" in report.error.message
    assert len({request["id"] for request in first.requests}) == 2


LOST: list[Turn] = [
    TransportError("timeout", "no answer in time"),
    TransportError("connect", "the connection broke"),
    AnswerError("protocol", "the answer is truncated"),
    b"VOLACT1 100 00000000 {}\r\n",
]


@pytest.mark.parametrize("lost", LOST, ids=str)
@virtual_time
async def test_a_lost_answer_is_looked_into(lost: Turn) -> None:
    way = Scripted(facts(**WRONG), lost, facts(**HEALTHY))
    report = await run(way)
    assert (report.verdict, report.executions, way.opened) == ("healthy", 3, 2)
    assert [request["mode"] for request in way.requests] == ["probe", "apply", "probe"]
    assert report.results == ()
    assert "not-licensed" in report.resolved
    assert RunCounts([report]).changed == 1
    assert row_columns(report)["changed"] is True
    (look,) = history([StoredRow(run="r", at="", report=report)], {})
    assert look.changed


@virtual_time
async def test_a_lost_answer_and_a_server_that_is_as_before() -> None:
    report = await run(Scripted(facts(**WRONG), LOST[0], facts(**WRONG)))
    assert report.verdict == "failed"
    assert RunCounts([report]).changed == 0


@virtual_time
async def test_too_few_results_are_a_lost_answer() -> None:
    way = Scripted(facts(**WRONG), {**facts(**HEALTHY), "results": []}, facts(**HEALTHY))
    assert (await run(way)).executions == 3


@virtual_time
async def test_a_lost_answer_and_no_second_look_says_that_steps_were_sent() -> None:
    way = Scripted(facts(**WRONG), LOST[1], TransportError("connect", "connection refused"))
    report = await run(way)
    assert report.verdict == "unreachable"
    assert report.error is not None
    assert report.error.kind == "connect"
    assert "steps were sent" in report.error.message
    assert "connection refused" in report.error.message
    assert [step["do"] for step in report.plan] == ["set-kms-host", "activate"]


@virtual_time
async def test_one_step_that_was_sent_is_one() -> None:
    lost = TransportError("connect", "connection refused")
    unlicensed = {**HEALTHY, "licensed": False}
    way = Scripted(facts(**unlicensed), {**facts(**HEALTHY), "results": []}, lost)
    report = await run(way)
    assert [step["do"] for step in report.plan] == ["activate"]
    assert report.error is not None
    assert "(1 step was sent, 0 answered)" in report.error.message


@pytest.mark.parametrize("kind", ["auth", "connect", "timeout", "host-key", "protocol"])
@virtual_time
async def test_a_server_that_cannot_be_opened_is_a_row(kind: str) -> None:
    error = TransportError(kind, "it did not work", "try this")  # type: ignore[arg-type]
    report = await run(Scripted(opening=error))
    assert (report.verdict, report.executions) == ("unreachable", 0)
    assert report.error is not None
    assert (report.error.kind, report.error.message) == (kind, "it did not work (try this)")


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (b"", "agent"),
        (b"VOLACT0 not-started wsh\r\n", "agent"),
        (b"VOLACT1 9 00000000 {}\r\n", "protocol"),
        ({"os": {"build": "not a number"}}, "protocol"),
        ({"mode": "apply"}, "protocol"),
        ({"results": [{"do": 7}]}, "protocol"),
    ],
)
@virtual_time
async def test_a_server_that_lies_is_a_row(said: bytes | dict[str, object], kind: str) -> None:
    report = await run(Scripted(said), "check")
    assert report.verdict == "unreachable"
    assert report.error is not None
    assert report.error.kind == kind
    assert report.executions == 1


@virtual_time
async def test_the_provider_is_told_by_the_server_where_it_is_not_named() -> None:
    way = Scripted(facts(**HEALTHY), facts(**HEALTHY))
    report = await run(way, "check", UNNAMED)
    assert (report.provider, report.verdict, report.executions) == ("tencent", "healthy", 2)
    assert way.requests[0]["ask"]["kms"] == []
    assert "kms1.tencentyun.com:1688" in way.requests[1]["ask"]["kms"]


@virtual_time
async def test_a_server_of_no_known_cloud_is_said_to_be_so() -> None:
    changes: Any = {"os__bios": "SeaBIOS", "os__maker": "Home", "os__model": "Made"}
    report = await run(Scripted(facts(**HEALTHY, **changes)), "activate", UNNAMED)
    assert (report.provider, report.verdict, report.executions) == (None, "attention", 1)
    assert "--provider" in report.reason
    assert report.os.release == "2016"
    assert report.plan == ()


@virtual_time
async def test_the_option_rules_over_the_inventory() -> None:
    way = Scripted(facts(**HEALTHY))
    await run_one(TENCENT, way, Job(mode="check", provider="aws"))
    hosts = ["169.254.169.250:1688", "169.254.169.251:1688", "[fd00:ec2::250]:1688"]
    assert way.requests[0]["ask"]["kms"] == hosts


@virtual_time
async def test_what_the_operator_knows_of_images_decides() -> None:
    own: Any = {"metadata__image-id": "img-own"}
    way = Scripted(facts(**WRONG, **own))
    images = {"img-own": Image(type="PRIVATE_IMAGE", source="EXTERNAL_IMPORT")}
    report = await run_one(TENCENT, way, Job(mode="activate", images=images))
    assert "image-not-entitled" in ids(report)
    assert (report.verdict, report.results) == ("attention", ())


@virtual_time
async def test_cancelling_passes_and_the_connection_is_closed() -> None:
    way = Scripted(asyncio.CancelledError())
    task = asyncio.ensure_future(run(way))
    while not way.requests:
        await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert way.closed == 1


@virtual_time
async def test_a_connection_that_never_opens_ends_at_the_deadline() -> None:
    class Stuck(Scripted):
        def __call__(self, server: Server):  # type: ignore[no-untyped-def]
            return self

        async def __aenter__(self) -> None:
            await asyncio.Event().wait()

    report = await run_one(TENCENT, Stuck(), Job(mode="check", deadline_s=0.2))
    assert now() == 0.2
    assert report.error is not None
    assert report.error.kind == "timeout"


@virtual_time
async def test_time_is_shared_out_so_that_the_script_ends_first() -> None:
    way = Scripted(facts(**WRONG), LOST[0], facts(**HEALTHY))
    await run(way)
    (probe, probe_script), (apply, apply_script), (again, _) = way.deadlines
    assert probe == 60
    assert probe_script <= probe - 2
    # Some of it is kept for a new probe when the answer to an apply is lost.
    assert apply <= probe - 14
    assert apply_script <= apply - 2
    assert again == 60


@virtual_time
async def test_no_time_for_steps_sends_none() -> None:
    class Slow(Scripted):
        async def run(self, script: bytes, *, name: str, deadline_s: float):  # type: ignore[no-untyped-def]
            await asyncio.sleep(0.3)
            return await super().run(script, name=name, deadline_s=deadline_s)

    way = Slow(facts(**WRONG))
    report = await run_one(TENCENT, way, Job(mode="activate", deadline_s=2.2))
    assert len(way.requests) == 1
    assert report.error is not None
    assert report.error.kind == "timeout"
    assert "sent" not in report.error.message


@virtual_time
async def test_files_are_named_afresh_and_unguessably() -> None:
    way = Scripted(facts(**WRONG), facts(**HEALTHY))
    await run(way)
    assert len(set(way.names)) == 2
    assert all(len(name) == len("volact-") + 32 for name in way.names)
    assert way.requests[0]["id"] != way.requests[1]["id"]
    assert way.requests[0]["id"] not in way.names[0]


@virtual_time
async def test_phases_are_told() -> None:
    told: list[tuple[str, Phase]] = []
    way = Scripted(facts(**WRONG), LOST[0], facts(**HEALTHY))
    await run_one(TENCENT, way, Job(mode="activate"), lambda *phase: told.append(phase))
    assert [phase for _, phase in told] == ["connect", "probe", "apply", "connect", "verify"]
    assert {name for name, _ in told} == {"web-01"}
