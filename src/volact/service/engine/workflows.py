"""The durable workflows: a run, and its batches of servers.

What DBOS stores of them are ids and names of servers.  A workflow that a dead worker left is
executed again: a run from its recorded steps, a batch from the rows of its servers.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from itertools import islice
from typing import Protocol

from dbos import DBOS, SetWorkflowID, WorkflowHandleAsync

from volact.fleet.machine_limits import MOST
from volact.service.engine.gate import BATCHES
from volact.service.engine.live_run import LiveRun
from volact.service.logs import context

RUN_QUEUE = "volact-runs"
_SERVER_QUEUE = "volact-servers"
BATCH_NAME = "volact.batch"
BROKEN = ("ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")  # what DBOS calls it
_BATCH = 50
_TAIL = 4  # the last batches have this part of what a worker has at work
_WINDOW = 16  # batches in the queue at a time, so that runs take turns
_MOST_IDLE = 20  # rounds that failed and finished no server
_POLL_S = 1.0


Batch = tuple[str, list[str]]  # its queue, and the names of its servers
NamedServer = tuple[str, str]  # its name, and the label of the workers that reach it


class RunWork(Protocol):
    """What the workflows ask of the worker that executes them."""

    def begin(self, run: str, attempt: int) -> bool:
        """Take the run out of the queue; whether this attempt works on it."""

    def left(self, run: str, attempt: int) -> tuple[list[NamedServer], int, int]:
        """The servers to work on next that workers reach, none where the run does not go on.

        And the number of workers, and of servers at a time on each.
        """

    def end(self, run: str, attempt: int) -> None:
        """Complete the run's state and its report, unless it waits for other workers."""

    def fail(self, run: str, attempt: int, why: str) -> None:
        """Record that volact itself failed."""

    async def join(self, run: str, attempt: int) -> LiveRun:
        """The run in this process."""

    def leave(self, live: LiveRun) -> None:
        """A batch of it has ended."""


_work: list[RunWork] = []
at_work: set[str] = set()  # the workflows that this process executes


def set_work(work: RunWork) -> None:
    """Name the worker of this process, before DBOS is launched."""
    _work[:] = [work]


def app_version(engine: int) -> str:
    """What DBOS calls the workflows of this engine: it executes no others."""
    return f"volact-{engine}"


def queue_of(label: str) -> str:
    """The queue of servers that only workers with this label reach."""
    return f"{_SERVER_QUEUE}:{label}" if label else _SERVER_QUEUE


def left_queue_of(queue: str) -> str:
    """The queue for what a dead worker took from this one, where it waits behind no batch."""
    return queue.replace(_SERVER_QUEUE, RUN_QUEUE, 1)


def queues_of(labels: Iterable[str]) -> set[str]:
    """The queues that workers with these labels read; ``""`` for those that all read."""
    queues = [*map(queue_of, labels)]
    return {*queues, *map(left_queue_of, queues)}


def workflow_id(run: str, attempt: int) -> str:
    """The id of a run's workflow: one for each attempt."""
    return f"{run}.{attempt}"


@contextmanager
def _at_work(run: str) -> Iterator[None]:
    name = DBOS.workflow_id or ""
    at_work.add(name)
    try:
        with context(run=run):
            yield
    finally:
        at_work.discard(name)


@DBOS.workflow(name="volact.run")
async def run_workflow(run: str, attempt: int) -> None:
    """Work on a run until its servers are finished, none is reached, or it does not go on.

    Where others wait for workers that reach them it ends, too: it would hold a place.
    """
    (work,) = _work
    with _at_work(run):
        try:
            await _wait_for_previous(run, attempt)
            if await DBOS.run_step_async({"name": "begin"}, work.begin, run, attempt):
                await _rounds(run, attempt)
            await DBOS.run_step_async({"name": "end"}, work.end, run, attempt)
        except Exception as error:
            why = f"{type(error).__name__}: {error}"
            await DBOS.run_step_async({"name": "fail"}, work.fail, run, attempt, why)
            raise


async def _wait_for_previous(run: str, attempt: int) -> None:
    """Servers under way in the attempt before are finished first."""
    before = workflow_id(run, attempt - 1)
    if attempt > 1 and await DBOS.get_workflow_status_async(before) is not None:
        await _failure(await DBOS.retrieve_workflow_async(before))


async def _rounds(run: str, attempt: int) -> None:
    (work,) = _work
    number = idle = 0
    before: list[NamedServer] = []
    while True:
        left, *among = await DBOS.run_step_async({"name": "left"}, work.left, run, attempt)
        if not left:
            return
        idle = idle + 1 if left == before else 0
        before = left
        number, failure = await _dispatch(run, attempt, number, _batches(left, *among))
        if failure and idle >= _MOST_IDLE:
            raise RuntimeError(failure)


def batch_sizes(servers: int, workers: int, concurrency: int) -> Iterator[int]:
    """Sizes of batches: each worker's share of what is left, so that all end together.

    Where the load decides on the concurrency (0), it may be a batch at first and ``MOST`` later.
    """
    least, most = -(-(concurrency or _BATCH) // _TAIL), max(_BATCH, concurrency or MOST)
    while servers > 0:
        size = min(servers, most, max(least, -(-servers // (BATCHES * max(1, workers)))))
        yield size
        servers -= size


async def _dispatch(
    run: str, attempt: int, number: int, batches: Iterable[Batch]
) -> tuple[int, str]:
    """Give these servers to workers in batches, and wait for them.

    Returns the next batch's number, and why a batch failed, ``""`` if none did.
    """
    waiting: deque[WorkflowHandleAsync[None]] = deque()
    failures: list[str] = []
    for queue, names in batches:
        if len(waiting) >= _WINDOW:
            failures.append(await _failure(waiting.popleft()))
        with SetWorkflowID(f"{workflow_id(run, attempt)}.{number}"):
            waiting.append(
                await DBOS.enqueue_workflow_async(queue, batch_workflow, run, attempt, names)
            )
        number += 1
    failures += [await _failure(handle) for handle in waiting]
    return number, max(failures)


def _batches(servers: list[NamedServer], workers: int, concurrency: int) -> Iterator[Batch]:
    for label in dict.fromkeys(label for _, label in servers):
        names = iter([name for name, of in servers if of == label])
        left = sum(of == label for _, of in servers)
        for size in batch_sizes(left, workers, concurrency):
            yield queue_of(label), [*islice(names, size)]


async def _failure(handle: WorkflowHandleAsync[None]) -> str:
    """Wait for a workflow; why it failed, ``""`` if it did not.

    What a batch that failed left undone is given out in the next round.
    """
    try:
        await handle.get_result(polling_interval_sec=_POLL_S)
    except Exception as error:  # of any kind: it was raised in another process
        return str(error) or type(error).__name__
    return ""


@DBOS.workflow(name=BATCH_NAME)
async def batch_workflow(run: str, attempt: int, names: list[str]) -> None:
    """Work on some servers of a run; those not begun are left to the run."""
    with _at_work(run):
        await _work_on(run, attempt, names)


async def _work_on(run: str, attempt: int, names: list[str]) -> None:
    (work,) = _work
    number = int((DBOS.workflow_id or "0").rpartition(".")[2])
    live = await work.join(run, attempt)
    try:
        done = await live.finished_before(names)
        tasks = [_server(live, name, number) for name in names if name not in done]
        results = await asyncio.gather(*tasks, return_exceptions=True)
        await live.written(one for one in results if not isinstance(one, BaseException))
        for result in results:
            if isinstance(result, BaseException):
                raise result
    finally:
        work.leave(live)


async def _server(live: LiveRun, name: str, batch: int) -> Future[bool] | None:
    async with live.gate.place(batch):
        if live.open:
            await live.pace()
        if live.open:
            with context(server=name):
                return await live.visit(name)
    return None
