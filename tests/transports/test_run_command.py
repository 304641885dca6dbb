"""The run-command transport over a cloud of other manners: one machine at a time, little output."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest
from msgspec.structs import replace
from virtual_time import virtual_time

from volact.cloud.account import RegionAccount
from volact.cloud.base import (
    Account,
    ApiError,
    Cloud,
    CommandLimits,
    ListServers,
    PollInterval,
    TaskOutput,
    TaskState,
    Timing,
)
from volact.errors import TransportError
from volact.model.server import AccountSettings, Address, Server
from volact.transports.base import Raw
from volact.transports.run_command.batcher import Batcher
from volact.transports.run_command.transport import RunCommandService, RunCommandTransport

LIMITS = CommandLimits(
    service="the run-command",
    start_batch=1,
    readiness_batch=3,
    cancel_batch=1,
    invocations_per_poll=1,
    script_bytes=100,
    output_bytes=4096,
    longest_s=600,
    timing=Timing(window_s=0.001, poll=PollInterval(first_s=0.001, longest_s=0.01)),
)


class OneAtATime:
    """Starts one script a call, lists one invocation a call, and gives tasks no ids."""

    limits = LIMITS

    def __init__(self) -> None:
        self.started: list[tuple[str, ...]] = []
        self.asked: list[tuple[str, ...]] = []
        self.polls: list[Mapping[str, Sequence[str]]] = []
        self.cancelled: list[str] = []
        self.output: dict[str, TaskOutput] = {}
        self.bad: set[str] = set()
        self.endless: set[str] = set()

    def group(self, instance: str) -> str:
        return instance[0]

    async def readiness(self, instances: Sequence[str]) -> Mapping[str, TransportError | None]:
        self.asked.append(tuple(instances))
        if self.bad & set(instances):
            raise ApiError("connect", "one is not there", code="NotThere", about_one=True)
        return dict.fromkeys(instances)

    async def start(
        self, instances: Sequence[str], script: bytes, *, name: str, timeout_s: int
    ) -> str:
        self.started.append(tuple(instances))
        return f"inv-{len(self.started)}"

    async def tasks_of(self, open_tasks: Mapping[str, Sequence[str]]) -> Sequence[TaskState]:
        self.polls.append(open_tasks)
        return [
            TaskState(
                invocation=invocation,
                instance=name,
                status="Running" if name in self.endless else "Done",
                result=None if name in self.endless else self.output.get(name, TaskOutput(b"ok")),
            )
            for invocation, names in open_tasks.items()
            for name in names
        ]

    async def tasks(self, ids: Sequence[str]) -> Sequence[TaskState]:
        raise AssertionError("tasks have no ids here")

    async def cancel(self, invocation: str, instances: Sequence[str]) -> None:
        self.cancelled.append(invocation)


async def run(command: OneAtATime, name: str, script: bytes = b"exit", s: float = 120) -> Raw:
    transport = RunCommandTransport(Batcher(command), name, "salt")
    return await transport.run(script, name="volact-0", deadline_s=s)


async def test_each_machine_is_started_and_polled_by_itself() -> None:
    command = OneAtATime()
    batcher = Batcher(command)
    raws = await asyncio.gather(
        *(
            RunCommandTransport(batcher, name, "salt").run(b"exit", name="volact-0", deadline_s=120)
            for name in ("a1", "a2", "b1")
        )
    )
    assert [raw.stdout for raw in raws] == [b"ok"] * 3
    assert sorted(command.started) == [("a1",), ("a2",), ("b1",)]
    assert {len(poll) for poll in command.polls} == {1}


async def test_the_clouds_own_limits_are_told() -> None:
    command = OneAtATime()
    command.output["a1"] = TaskOutput(b"x" * 4097)
    with pytest.raises(TransportError, match="the run-command keeps 4 KB of output"):
        await run(command, "a1")
    with pytest.raises(TransportError, match="the script is 101 bytes, more than"):
        await run(command, "a2", b"x" * 101)
    assert ("a2",) not in command.started


async def test_both_pipes_and_an_unknown_exit_code_arrive() -> None:
    command = OneAtATime()
    command.output["a1"] = TaskOutput(b"out", b"err", None)
    raw = await run(command, "a1")
    assert (raw.stdout, raw.stderr, raw.exit_status) == (b"out", b"err", None)


async def test_a_machine_that_is_not_ready_costs_only_itself() -> None:
    command = OneAtATime()
    command.bad = {"a2"}
    batcher = Batcher(command)
    ready = await asyncio.gather(
        *(batcher.ready(name) for name in ("a1", "a2", "a3")), return_exceptions=True
    )
    assert [type(item) for item in ready] == [type(None), ApiError, type(None)]
    assert command.asked[0] == ("a1", "a2", "a3")


@virtual_time
async def test_what_is_no_longer_awaited_is_cancelled() -> None:
    command = OneAtATime()
    command.endless = {"a1"}
    with pytest.raises(TransportError, match=r"the task is Running") as caught:
        await run(command, "a1", s=0.1)
    assert caught.value.kind == "timeout"
    assert command.cancelled == ["inv-1"]


async def test_a_machine_whose_question_takes_long_holds_up_no_other() -> None:
    """What a cloud has to tidy up of one machine may take as long as that machine's time."""
    stuck, answered = asyncio.Event(), asyncio.Event()

    class Slow(OneAtATime):
        async def tasks_of(self, open_tasks: Mapping[str, Sequence[str]]) -> Sequence[TaskState]:
            if ("a1",) in map(tuple, open_tasks.values()):
                stuck.set()
                await answered.wait()
            return await super().tasks_of(open_tasks)

    batcher = Batcher(Slow())
    first, second = (RunCommandTransport(batcher, name, "salt") for name in ("a1", "b1"))
    slow = asyncio.create_task(first.run(b"exit", name="volact-0", deadline_s=600))
    await stuck.wait()
    assert (await second.run(b"exit", name="volact-0", deadline_s=600)).stdout == b"ok"
    assert not slow.done()
    answered.set()
    assert (await slow).stdout == b"ok"


async def test_a_question_that_breaks_fails_what_it_asked_for_alone() -> None:
    class Broken(OneAtATime):
        async def tasks_of(self, open_tasks: Mapping[str, Sequence[str]]) -> Sequence[TaskState]:
            if ("a1",) in map(tuple, open_tasks.values()):
                raise ZeroDivisionError
            return await super().tasks_of(open_tasks)

    batcher = Batcher(Broken())
    transports = [RunCommandTransport(batcher, name, "salt") for name in ("a1", "b1")]
    done = await asyncio.gather(
        *(one.run(b"exit", name="volact-0", deadline_s=600) for one in transports),
        return_exceptions=True,
    )
    assert isinstance(done[0], ZeroDivisionError)
    assert isinstance(done[1], Raw)


class Liar(OneAtATime):
    """Says one id for every start, and tells of tasks that were not started, again and again."""

    def __init__(self, *, same_id: bool) -> None:
        super().__init__()
        self._same_id = same_id

    async def start(
        self, instances: Sequence[str], script: bytes, *, name: str, timeout_s: int
    ) -> str:
        own = await super().start(instances, script, name=name, timeout_s=timeout_s)
        return "inv-1" if self._same_id else own

    async def tasks_of(self, open_tasks: Mapping[str, Sequence[str]]) -> Sequence[TaskState]:
        own = await super().tasks_of(open_tasks)
        true = [replace(state, result=TaskOutput(state.instance.encode())) for state in own]
        lie = TaskOutput(b"a lie")
        foreign = [replace(state, instance="z9", result=lie) for state in true]
        unknown = [replace(state, invocation="inv-99", result=lie) for state in true]
        again = [replace(state, result=lie) for state in true]
        return [*foreign, *unknown, *true, *again]


async def test_an_api_that_tells_of_other_tasks_gives_none_an_answer_of_another() -> None:
    batcher = Batcher(Liar(same_id=False))
    names = ("a1", "a2", "b1")
    transports = [RunCommandTransport(batcher, name, "salt") for name in names]
    raws = await asyncio.gather(
        *(one.run(b"exit", name="volact-0", deadline_s=120) for one in transports)
    )
    assert [raw.stdout.decode() for raw in raws] == [*names]


@virtual_time
async def test_an_api_that_gives_one_id_twice_costs_time_only() -> None:
    batcher = Batcher(Liar(same_id=True))
    transports = [RunCommandTransport(batcher, name, "salt") for name in ("a1", "b1")]
    done = await asyncio.gather(
        *(one.run(b"exit", name="volact-0", deadline_s=0.5) for one in transports),
        return_exceptions=True,
    )
    for name, one in zip(("a1", "b1"), done, strict=True):
        told = one.stdout.decode() if isinstance(one, Raw) else getattr(one, "kind", one)
        assert told in (name, "timeout")


async def test_an_account_whose_keys_do_not_come_holds_up_no_other() -> None:
    """Keys are sought for one account at a time; another account's are none of its business."""
    sought, settings = asyncio.Event(), AccountSettings()

    async def open_account(cloud: Cloud, _settings: AccountSettings) -> Account:
        if cloud.scheme == "ssm":
            sought.set()
            await asyncio.Event().wait()
        return RegionAccount(lambda _scope: None, lambda _: OneAtATime(), no_list)

    def no_list(_calls: None) -> ListServers:
        pytest.fail("nothing is listed")

    service = RunCommandService(accounts=open_account)

    async def reached(scheme: str) -> bool:
        address = Address(scheme=scheme, host="region/a1", port=None, user="")
        async with service.open(Server(name=scheme, address=address, account=settings)):
            return True

    stuck = asyncio.create_task(reached("ssm"))
    await sought.wait()
    assert await reached("ecs")
    stuck.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stuck
