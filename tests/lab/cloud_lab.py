"""A lab behind a cloud's API, whichever cloud, and volact's own ways to it, for tests."""

from __future__ import annotations

import asyncio
import itertools
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Generic, TypeVar

from virtual_time import pass_time

from volact.cloud.base import PollInterval, RunCommand, Timing
from volact.errors import TransportError
from volact.transports.base import Raw
from volact.transports.run_command.batcher import Batcher
from volact.transports.run_command.transport import RunCommandTransport
from volact_lab.instances.faults import ApiFault
from volact_lab.instances.front import ApiFront
from volact_lab.instances.tasks import Pace
from volact_lab.lab import Lab

F = TypeVar("F", bound=ApiFront)
L = TypeVar("L", bound="CloudLab[Any]")

FAST = Timing(window_s=0.02, poll=PollInterval(first_s=0.03, growth=1.5, longest_s=0.2))
QUICK_PAUSES = (0.01, 0.02, 0.04, 0.08)
GRACE_S = 600  # for cancelling: no machine is too slow for that


def bat(*lines: str) -> bytes:
    """A batch file, as its bytes travel."""
    return "\r\n".join(["@echo off", *lines, ""]).encode()


HELLO = bat("echo VOLACT1 hello from %COMPUTERNAME%", "exit 0")


class CloudLab(ABC, Generic[F]):
    """One lab, its API, and how it is asked."""

    home: str  # the region that is asked where none is named

    def __init__(self, lab: Lab, front: F) -> None:
        self.lab = lab
        self.front = front

    @abstractmethod
    def command(self, region: str) -> RunCommand:
        """The run-command of a region."""

    def region(self, name: str = "", timing: Timing = FAST) -> Batcher:
        return Batcher(self.command(name or self.home), timing)

    def some(self, count: int, *, line: str = "") -> list[str]:
        """Ids of servers of that region whose connection is in order, or bad in one way."""
        slots = self.lab.slots.values()
        ids = (s.spec.instance_id for s in slots if (s.line, s.spec.region) == (line, self.home))
        return list(ids)[:count]

    def executions(self, instance: str) -> int:
        slot = self.front.estate.slot(instance)
        assert slot is not None
        return slot.executions

    def fail(self, action: str, times: int, what: Callable[[], Any]) -> None:
        """Make the next requests of an action fail."""
        left = [times]

        def mischief(asked: str, _parameters: dict[str, Any]) -> Any:
            if asked != action or left[0] == 0:
                return None
            left[0] -= 1
            return what()

        self.front.mischief = mischief


@asynccontextmanager
async def checked(here: L) -> AsyncIterator[L]:
    """The lab; nothing may have gone wrong inside at the end.

    Its API sees one request a second: on a busy machine those of two seconds can come in one.
    What keeps the rates is tested in ``test_cloud_calls``, and a lab's refusals with
    a clock that stands still.
    """
    here.front.limits.clock = itertools.count().__next__
    yield here
    assert here.lab.errors == []
    assert here.front.limits.refused == 0


def fault(code: str, words: str = "because") -> Callable[[], ApiFault]:
    return lambda: ApiFault(code, words)


async def run_all(
    region: Batcher, instances: Sequence[str], script: bytes = HELLO, deadline_s: float = 120.0
) -> dict[str, Raw | TransportError]:
    """Run a script on every instance; what came of each."""

    async def one(instance: str) -> Raw | TransportError:
        transport = RunCommandTransport(region, instance, "salt", grace_s=GRACE_S)
        try:
            return await transport.run(script, name="volact-0123456789", deadline_s=deadline_s)
        except TransportError as error:
            return error

    results = await asyncio.gather(*(one(instance) for instance in instances))
    return dict(zip(instances, results, strict=True))


async def run_late(front: ApiFront, region: Batcher, instance: str) -> Raw | TransportError:
    """What comes of a script that hangs and is seen to run, when its ten minutes are over."""
    front.invocations.pace = Pace(hanging=10.0)  # the cloud itself would wait longer
    running = asyncio.ensure_future(run_all(region, [instance], deadline_s=600))
    while "RUNNING" not in {task.status for task in front.invocations.tasks.values()}:
        await asyncio.sleep(0.01)
    asked = front.calls.total()
    while front.calls.total() < asked + 6:  # looks among them, which are answered
        await asyncio.sleep(0.01)
    pass_time(600)
    return (await running)[instance]


async def ready_all(region: Batcher, instances: Sequence[str]) -> dict[str, TransportError | None]:
    """Whether every instance can be asked."""

    async def one(instance: str) -> TransportError | None:
        try:
            await region.ready(instance)
        except TransportError as error:
            return error
        return None

    results = await asyncio.gather(*(one(instance) for instance in instances))
    return dict(zip(instances, results, strict=True))


def good(result: Raw | TransportError) -> Raw:
    assert isinstance(result, Raw), result
    return result


def bad(result: Raw | TransportError | None) -> TransportError:
    assert isinstance(result, TransportError), result
    assert "\n" not in result.line()
    return result
