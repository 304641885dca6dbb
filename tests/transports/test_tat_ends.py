"""Failed requests, tasks that end otherwise, callers that leave: what is reported, what goes on."""

from __future__ import annotations

import asyncio

import pytest
from cloud_lab import (
    GRACE_S,
    HELLO,
    QUICK_PAUSES,
    bad,
    bat,
    fault,
    good,
    ready_all,
    run_all,
    run_late,
)
from tencent_cloud import Cloud, cloud
from virtual_time import pass_time

from volact.cloud.tencent.run_command import LIMITS
from volact.transports.base import Raw
from volact.transports.run_command.transport import RunCommandTransport
from volact_lab.winrm.http import Reply

# requests that fail


async def test_a_command_that_was_turned_away_for_its_rate_is_sent_again() -> None:
    async with cloud(servers=2) as here:
        ids = here.some(2)
        here.fail("RunCommand", 2, fault("RequestLimitExceeded.UinLimitExceeded"))
        results = await run_all(here.region(), ids)
        assert all(isinstance(result, Raw) for result in results.values())
        assert here.front.calls["RunCommand"] == 3
        assert [here.executions(name) for name in ids] == [1, 1]


@pytest.mark.parametrize("code", ["InternalError", "FailedOperation", "RequestTimedOut"])
async def test_a_command_that_may_have_begun_is_not_sent_again(code: str) -> None:
    async with cloud(servers=2) as here:
        ids = here.some(2)
        here.fail("RunCommand", 1, fault(code))
        results = await run_all(here.region(), ids)
        assert {code in bad(result).message for result in results.values()} == {True}
        assert here.front.calls["RunCommand"] == 1


async def test_a_broken_answer_to_a_command_is_not_asked_for_again() -> None:
    async with cloud(servers=1) as here:
        ids = here.some(1)
        here.fail("RunCommand", 1, lambda: Reply(502, b"bad gateway"))
        error = bad((await run_all(here.region(), ids))[ids[0]])
        assert (error.kind, here.front.calls["RunCommand"]) == ("connect", 1)
        assert "ServerNetworkError: bad gateway" in error.message


@pytest.mark.parametrize(
    "trouble",
    [fault("InternalError"), fault("RequestLimitExceeded"), lambda: Reply(503, b"busy")],
    ids=["inside", "rate", "gateway"],
)
async def test_looks_are_repeated(trouble: object) -> None:
    async with cloud(servers=2) as here:
        assert callable(trouble)
        ids = here.some(2)
        region = here.region()
        here.fail("DescribeAutomationAgentStatus", 2, trouble)
        assert set((await ready_all(region, ids)).values()) == {None}
        here.fail("DescribeInvocationTasks", 7, trouble)
        results = await run_all(region, ids)
        assert all(isinstance(result, Raw) for result in results.values())


async def test_a_look_that_is_refused_for_good_ends_the_waiting_and_the_script() -> None:
    async with cloud("tencent", servers=40) as here:
        (instance,) = here.some(1, line="hang")
        here.fail("DescribeInvocationTasks", -1, fault("UnauthorizedOperation", "not yours"))
        error = bad((await run_all(here.region(), [instance]))[instance])
        assert (error.kind, "not yours" in error.message) == ("auth", True)
        assert here.front.calls["CancelInvocation"] == 1


async def test_a_deadline_tells_of_looks_that_failed() -> None:
    async with cloud(servers=1) as here:
        ids = here.some(1)
        here.fail("DescribeInvocationTasks", -1, fault("InternalError", "sorry"))
        run = asyncio.ensure_future(run_all(here.region(), ids, deadline_s=600))
        tries = len(QUICK_PAUSES) + 1
        while here.front.calls["DescribeInvocationTasks"] <= tries:  # the first look has failed
            await asyncio.sleep(0.01)
        pass_time(600)
        error = bad((await run)[ids[0]])
        assert error.kind == "timeout"
        assert "the last query failed: the API failed inside (InternalError: sorry)" in (
            error.message
        )


async def test_an_answer_that_is_not_as_agreed_is_a_protocol_error() -> None:
    async with cloud(servers=1) as here:
        ids = here.some(1)
        body = b'{"Response": {"RequestId": "x"}}'
        here.fail("RunCommand", 1, lambda: Reply(200, body, "application/json"))
        error = bad((await run_all(here.region(), ids))[ids[0]])
        assert error.kind == "protocol"


async def test_no_secret_is_in_a_message() -> None:
    async with cloud(servers=1) as here:
        ids, own = here.some(1), here.front.account
        words = f"{own.secret_id} and {own.secret_key} are wrong"
        here.fail("RunCommand", 1, fault("AuthFailure", words))
        error = bad((await run_all(here.region(), ids))[ids[0]])
        assert own.secret_id not in error.line()
        assert own.secret_key not in error.line()
        assert "*** and *** are wrong" in error.message


# how a task ends


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        ("DELIVER_FAILED", "connect", "could not be delivered"),
        ("START_FAILED", "agent", "could not start"),
        ("TIMEOUT", "timeout", "did not end in time"),
        ("TASK_TIMEOUT", "timeout", "fell silent"),
        ("CANCELLED", "connect", "cancelled"),
        ("TERMINATED", "agent", "the script was ended"),
        ("SOMETHING_NEW", "protocol", "SOMETHING_NEW"),
    ],
)
async def test_every_end_of_a_task_has_its_kind(status: str, kind: str, words: str) -> None:
    async with cloud(servers=1) as here:
        ids = here.some(1)
        here.front.invocations.fate = lambda _task: (status, "as the API says it")
        error = bad((await run_all(here.region(), ids))[ids[0]])
        assert error.kind == kind
        assert words in error.message
        if kind != "protocol":
            assert f"({status}: as the API says it)" in error.message


async def test_an_exit_code_is_not_an_error_of_the_transport() -> None:
    async with cloud(servers=1) as here:
        ids = here.some(1)
        raw = good((await run_all(here.region(), ids, bat("echo said", "exit 3")))[ids[0]])
        assert (raw.exit_status, raw.stdout) == (3, b"said\r\n")


async def test_output_that_was_dropped_is_noticed() -> None:
    async with cloud(servers=1) as here:
        ids = here.some(1)
        much = bat(f"for /L %%i in (1,1,300) do echo {'x' * 98}", "exit 0")
        error = bad((await run_all(here.region(), ids, much))[ids[0]])
        assert error.kind == "protocol"
        assert error.message == (
            "the answer is truncated: TAT keeps 24 KB of output and dropped 5424 bytes"
        )


async def test_output_just_within_the_limit_is_whole() -> None:
    async with cloud(servers=1) as here:
        ids = here.some(1)
        much = bat(f"for /L %%i in (1,1,240) do echo {'x' * 98}", "exit 0")
        raw = good((await run_all(here.region(), ids, much))[ids[0]])
        assert len(raw.stdout) == 24_000


async def test_a_script_that_is_too_long_is_not_sent() -> None:
    async with cloud(servers=1) as here:
        ids = here.some(1)
        largest = HELLO + b"\r\nrem " + b"x" * (48 * 1024 - len(HELLO) - 6)
        good((await run_all(here.region(), ids, largest))[ids[0]])
        error = bad((await run_all(here.region(), ids, largest + b"x"))[ids[0]])
        assert (error.kind, here.front.calls["RunCommand"]) == ("protocol", 1)


# giving up


async def hanging(here: Cloud) -> str:
    return here.some(1, line="hang")[0]


async def ends(here: Cloud) -> list[str]:
    """How the tasks of the cloud end."""
    tasks = here.front.invocations.tasks.values()
    while any(task.status in {"PENDING", "DELIVERING", "RUNNING"} for task in tasks):
        await asyncio.sleep(0.01)
    return [task.status for task in tasks]


async def test_a_deadline_cancels_the_task_and_says_where_it_stood() -> None:
    async with cloud("tencent", servers=40) as here:
        instance = await hanging(here)
        error = bad(await run_late(here.front, here.region(), instance))
        assert error.kind == "timeout"
        assert "within 600 s (the task is RUNNING)" in error.message
        assert here.front.calls["CancelInvocation"] == 1
        assert await ends(here) == ["TERMINATED"]


async def test_the_cloud_is_told_how_long_it_may_take() -> None:
    async with cloud(servers=1) as here:
        await run_all(here.region(), here.some(1), deadline_s=7333.2)
        (order,) = here.front.invocations.orders.values()
        assert 7000 < order.timeout_s <= 7334


async def run_one(here: Cloud, instance: str) -> Raw:
    transport = RunCommandTransport(here.region(), instance, "salt", grace_s=GRACE_S)
    return await transport.run(HELLO, name="volact-0123456789", deadline_s=120)


async def test_leaving_before_anything_was_sent_sends_nothing() -> None:
    async with cloud(servers=1) as here:
        task = asyncio.ensure_future(run_one(here, here.some(1)[0]))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert here.front.calls["RunCommand"] == 0


async def test_those_who_leave_together_are_cancelled_in_one_call_and_the_others_stay() -> None:
    async with cloud("tencent", servers=40) as here:
        region, ids = here.region(), here.some(4)
        transports = [RunCommandTransport(region, name, "salt", grace_s=GRACE_S) for name in ids]
        runs = [
            asyncio.ensure_future(way.run(HELLO, name="volact-0123456789", deadline_s=120))
            for way in transports
        ]
        while not here.front.invocations.tasks:
            await asyncio.sleep(0.005)
        for run in runs[:3]:
            run.cancel()
        ends = await asyncio.gather(*runs, return_exceptions=True)
        assert [isinstance(end, asyncio.CancelledError) for end in ends] == [True] * 3 + [False]
        assert here.front.calls["CancelInvocation"] == 1
        assert here.front.calls["RunCommand"] == 1
        assert good(ends[3]).exit_status == 0  # type: ignore[arg-type]


async def test_leaving_while_the_command_is_being_sent_cancels_it_afterwards() -> None:
    async with cloud("tencent", servers=40) as here:
        instance = await hanging(here)
        run = asyncio.ensure_future(run_one(here, instance))
        while not here.front.calls["RunCommand"]:
            await asyncio.sleep(0.001)
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        assert set(await ends(here)) <= {"CANCELLED", "TERMINATED"}


def test_the_timing_that_people_get_is_within_the_limits() -> None:
    timing = LIMITS.timing
    assert timing.poll.first_s >= 0.3
    assert timing.poll.longest_s <= 5
    assert 0.1 <= timing.window_s < 1
