"""Many instances of one region, over the real SDK and an API that is as strict as the real one."""

from __future__ import annotations

import asyncio

import pytest
from cloud_lab import bad, bat, fault, good, ready_all, run_all
from tencent_cloud import cloud
from virtual_time import pass_time

from volact.cloud.base import PollInterval, Timing
from volact.transports.base import Raw
from volact_lab.tencent.signature import Account

# together


async def test_equal_scripts_go_out_in_one_call_and_each_gets_its_own_answer() -> None:
    async with cloud(servers=6) as here:
        results = await run_all(here.region(), here.some(6))
        assert here.front.calls["RunCommand"] == 1
        for instance, result in results.items():
            slot = here.front.estate.slot(instance)
            assert slot is not None
            raw = good(result)
            assert raw.stdout == f"VOLACT1 hello from {slot.machine.name}\r\n".encode()
            assert (raw.exit_status, slot.executions) == (0, 1)
            assert raw.asked <= raw.answered


async def test_different_scripts_are_different_calls() -> None:
    async with cloud(servers=4) as here:
        region, ids = here.region(), here.some(4)
        first, second = await asyncio.gather(
            run_all(region, ids[:3]), run_all(region, ids[3:], bat("exit 7"))
        )
        assert here.front.calls["RunCommand"] == 2
        assert {good(result).exit_status for result in first.values()} == {0}
        assert good(second[ids[3]]).exit_status == 7


async def test_one_instance_twice_is_asked_twice_and_not_in_one_call() -> None:
    async with cloud(servers=1) as here:
        region, (instance,) = here.region(), here.some(1)
        results = await asyncio.gather(*(run_all(region, [instance]) for _ in range(2)))
        assert all(good(result[instance]).exit_status == 0 for result in results)
        assert (here.front.calls["RunCommand"], here.executions(instance)) == (2, 2)


async def test_limits_of_a_call_are_kept_with_hundreds_of_instances() -> None:
    async with cloud(servers=410) as here:
        region, ids = here.region(), here.some(410)
        standing = await ready_all(region, ids)
        assert set(standing.values()) == {None}
        assert here.front.calls["DescribeAutomationAgentStatus"] == 5
        assert here.front.calls["DescribeInstances"] == 5
        results = await run_all(region, ids, bat("exit 0"))
        assert all(good(result).exit_status == 0 for result in results.values())
        assert here.front.calls["RunCommand"] == 3
        assert max(map(here.executions, ids)) == 1


async def test_what_has_ended_is_not_asked_for_again() -> None:
    slow = Timing(window_s=0.02, poll=PollInterval(first_s=60.0, growth=1.0, longest_s=60.0))
    async with cloud(servers=5) as here:
        every = run_all(here.region(timing=slow), here.some(5), deadline_s=1e9)
        run = asyncio.ensure_future(every)
        tasks = here.front.invocations.tasks
        while [task.status for task in tasks.values()] != ["SUCCESS"] * 5:
            await asyncio.sleep(0.01)
        while not run.done():  # the next look is due
            pass_time(60.0)
            await asyncio.sleep(0.01)
        assert {good(result).exit_status for result in (await run).values()} == {0}
        assert here.front.calls["DescribeInvocationTasks"] == 1


async def test_tasks_of_many_invocations_are_looked_at_together() -> None:
    async with cloud(servers=30) as here:
        region = here.region(timing=Timing(window_s=0.02, poll=PollInterval(first_s=0.3)))
        ids = here.some(30)
        scripts = {name: bat(f"rem {name}", "exit 0") for name in ids}
        await asyncio.gather(*(run_all(region, [name], scripts[name]) for name in ids))
        assert here.front.calls["RunCommand"] == 30
        assert here.front.calls["DescribeInvocationTasks"] < 30


# one bad instance costs only itself


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"agent": "Offline"}, "ResourceUnavailable.AgentStatusNotOnline"),
        ({"agent": ""}, "ResourceUnavailable.AgentNotInstalled"),
        ({"state": "STOPPED"}, "ResourceUnavailable.InstanceStateNotRunning"),
    ],
)
async def test_a_bad_instance_costs_only_itself(change: dict[str, str], code: str) -> None:
    async with cloud(servers=20) as here:
        ids = here.some(20)
        here.front.estate.change(ids[7], **change)
        results = await run_all(here.region(), ids)
        error = bad(results.pop(ids[7]))
        assert error.kind == "connect"
        assert code in error.message
        assert all(good(result).exit_status == 0 for result in results.values())
        assert [here.executions(name) for name in ids] == [int(name != ids[7]) for name in ids]
        # The whole, then two halves for each time that twenty can be halved.
        assert here.front.calls["RunCommand"] <= 1 + 2 * 5


async def test_an_instance_that_does_not_exist_costs_only_itself() -> None:
    async with cloud(servers=3) as here:
        results = await run_all(here.region(), [*here.some(3), "ins-nowhere0"])
        error = bad(results.pop("ins-nowhere0"))
        assert (error.kind, "ResourceNotFound.InstanceNotFound" in error.message) == (
            "connect",
            True,
        )
        assert all(isinstance(result, Raw) for result in results.values())


async def test_cvm_and_lighthouse_are_never_mixed() -> None:
    async with cloud(servers=2) as here:
        results = await run_all(here.region(), [*here.some(2), "lhins-0aaaaaaa"])
        assert here.front.calls["RunCommand"] == 2
        assert "InstanceNotFound" in bad(results.pop("lhins-0aaaaaaa")).message


async def test_a_policy_that_forbids_one_instance_costs_only_it() -> None:
    async with cloud(servers=5) as here:
        ids = here.some(5)
        own = here.front.account
        here.front.accounts[own.secret_id] = Account(
            own.secret_id, own.secret_key, denied=frozenset({ids[0]})
        )
        results = await run_all(here.region(), ids)
        assert bad(results.pop(ids[0])).kind == "auth"
        assert all(isinstance(result, Raw) for result in results.values())


# before anything is sent


async def test_who_cannot_be_asked_is_told_before_anything_is_sent() -> None:
    async with cloud(servers=6) as here:
        ids = here.some(6)
        estate = here.front.estate
        estate.change(ids[1], agent="Offline")
        estate.change(ids[2], agent="")
        estate.change(ids[3], state="STOPPED", agent="Offline")
        linux = "ins-linux000"
        standing = await ready_all(here.region(), [*ids, linux, "ins-nowhere0"])
        assert standing[ids[0]] is None
        words = {
            ids[1]: ("connect", "the TAT agent is Offline (last heartbeat 2026-"),
            ids[2]: ("connect", "no TAT agent is known"),
            ids[3]: ("connect", "its state is STOPPED"),
            linux: ("agent", "is a Linux server"),
            "ins-nowhere0": ("connect", "no TAT agent is known"),
        }
        for name, (kind, text) in words.items():
            error = bad(standing[name])
            assert error.kind == kind
            assert text in error.message
        assert here.front.calls["RunCommand"] == 0


async def test_who_may_run_commands_need_not_be_allowed_to_list() -> None:
    async with cloud(servers=3) as here:
        own = here.front.account
        here.front.accounts[own.secret_id] = Account(
            own.secret_id, own.secret_key, denied=frozenset({"DescribeInstances"})
        )
        region, ids = here.region(), here.some(3)
        for _ in range(2):
            assert set((await ready_all(region, ids)).values()) == {None}
        assert here.front.calls["DescribeInstances"] == 1


@pytest.mark.parametrize("code", ["AuthFailure.SignatureFailure", "UnauthorizedOperation"])
async def test_credentials_that_are_refused_are_an_auth_error_for_all(code: str) -> None:
    async with cloud(servers=3) as here:
        here.fail("DescribeAutomationAgentStatus", -1, fault(code, "no, no"))
        standing = await ready_all(here.region(), here.some(3))
        for error in standing.values():
            assert bad(error).kind == "auth"
            assert f"{code}: no, no" in bad(error).message
        assert here.front.calls["DescribeAutomationAgentStatus"] == 1
