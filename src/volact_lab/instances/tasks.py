"""Invocations and the life of their tasks.

    PENDING -> DELIVERING -> RUNNING -> SUCCESS | FAILED | TIMEOUT

Cancelled before it runs a task is CANCELLED, while it runs TERMINATED.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from volact_lab.instances.agent import Ran, Runner
from volact_lab.ssh.pool import Pool
from volact_lab.ssh.slot import Slot
from volact_lab.ssh.tamper import tamper

_GRACE_S = 5.0
# What a chatty start-up script prints before anything of ours.
_NOISE = b"REM this server says a lot before it does anything\r\n" * 460

UNSTARTED = frozenset({"PENDING", "DELIVERING", "DELIVER_DELAYED"})


@dataclass
class Task:
    """One instance's part of an invocation."""

    id: str
    invocation: str
    instance: str
    status: str = "PENDING"
    error: str = ""
    exit_code: int | None = None
    output: bytes = b""
    errors: bytes = b""
    dropped: int = 0
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True, slots=True)
class Order:
    """What was ordered for all instances of an invocation."""

    script: bytes
    timeout_s: int


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a task waits for its delivery and for its start, in seconds.

    ``hanging`` is the part of its time that a script which hangs takes.
    """

    pending_s: float = 0.02
    delivering_s: float = 0.02
    hanging: float = 1.0


class Invocations:
    """Every invocation of a lab, oldest first.

    Args:
        pool: where scripts run.
        pace: of tasks.
        runner: has the cloud's agent run a script.
        keeps: the bytes that are kept of an output, below zero the last ones.
        new_id: the id of an invocation, by its number.
    """

    def __init__(
        self,
        pool: Pool,
        pace: Pace,
        runner: Runner,
        keeps: int,
        new_id: Callable[[int], str] = "inv-{:08x}".format,
    ) -> None:
        self.runner = runner
        self._keeps = keeps
        self._new_id = new_id
        self.tasks: dict[str, Task] = {}
        self.orders: dict[str, Order] = {}
        self._pool = pool
        self.pace = pace
        self._numbers = itertools.count(1)
        self._members: defaultdict[str, list[Task]] = defaultdict(list)
        self._alive: set[asyncio.Task[None]] = set()
        # A test's way to end a task as the cloud does on a bad day.
        self.fate: Callable[[Task], tuple[str, str] | None] = lambda _task: None

    def start(self, order: Order, targets: dict[str, Slot | None]) -> str:
        """Begin an invocation; its id."""
        invocation = self._new_id(next(self._numbers))
        self.orders[invocation] = order
        for instance, slot in targets.items():
            task = Task(f"invt-{next(self._numbers):08x}", invocation, instance)
            self.tasks[task.id] = task
            self._members[invocation].append(task)
            life = asyncio.get_running_loop().create_task(self._live(task, order, slot))
            self._alive.add(life)
            life.add_done_callback(self._alive.discard)
        return invocation

    def of(self, invocation: str) -> list[Task]:
        """The tasks of an invocation."""
        return self._members.get(invocation, [])

    def chosen(self, ids: Sequence[str], invocations: Sequence[str] | None) -> list[Task]:
        """The tasks of these ids, else of these invocations, else all."""
        if ids:
            return [self.tasks[name] for name in ids if name in self.tasks]
        if invocations is not None:
            return [task for name in invocations for task in self.of(name)]
        return list(self.tasks.values())

    async def stop(self) -> None:
        """End everything that lives."""
        for life in tuple(self._alive):
            life.cancel()
        await asyncio.gather(*self._alive, return_exceptions=True)

    async def _live(self, task: Task, order: Order, slot: Slot | None) -> None:
        for pause, following in (
            (self.pace.pending_s, "DELIVERING"),
            (self.pace.delivering_s, "RUNNING"),
        ):
            if await _within(task.cancelled, pause):
                task.status = "CANCELLED"
                return
            task.status = following
        fate = self.fate(task)
        if fate is not None:
            task.status, task.error = fate
        elif slot is None:
            task.status, task.error = "START_FAILED", "TaskSpawnFailed"
        else:
            await self._run(task, order, slot)

    async def _run(self, task: Task, order: Order, slot: Slot) -> None:
        slot.executions += 1
        if slot.line == "hang":
            ended = await _within(task.cancelled, order.timeout_s * self.pace.hanging)
            task.status = "TERMINATED" if ended else "TIMEOUT"
            return
        machine = slot.machine
        work = asyncio.ensure_future(
            self._pool.run(
                lambda: self.runner(machine, task.id, order.script, order.timeout_s),
                order.timeout_s + _GRACE_S,
            )
        )
        cancelled = asyncio.ensure_future(task.cancelled.wait())
        await asyncio.wait({work, cancelled}, return_when=asyncio.FIRST_COMPLETED)
        if cancelled.done():
            machine.stop_at = 0.0
        cancelled.cancel()
        ran = await work
        self._finish(task, ran, slot)

    def _finish(self, task: Task, ran: Ran, slot: Slot) -> None:
        chance = random.Random(f"{slot.spec.seed}/{slot.spec.index}/{slot.executions}")
        noise = _NOISE if slot.line == "truncated" else b""
        said = tamper(ran.output, "garbled", chance) if slot.line == "garbled" else ran.output
        last = self._keeps < 0
        output = said + noise if last else noise + said
        # The agent takes output in any code page for UTF-8.
        output = output.decode("utf-8", "replace").encode()
        kept = output[self._keeps :] if last else output[: self._keeps]
        task.output, task.dropped = kept, len(output) - len(kept)
        task.exit_code, task.errors = ran.exit_code, ran.errors
        if task.cancelled.is_set():
            task.status = "TERMINATED"
        elif ran.timed_out:
            task.status = "TIMEOUT"
        else:
            task.status = "FAILED" if ran.exit_code else "SUCCESS"


async def _within(event: asyncio.Event, seconds: float) -> bool:
    """Whether the event came in time."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
