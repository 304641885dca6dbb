"""The durable workflows: a run, and its batches of servers with a step for each.

What DBOS stores of them are ids and names of servers.  A workflow that a dead worker left is
executed again from its recorded steps; what a batch had not finished is probed anew.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Protocol

from dbos import DBOS, SetWorkflowID, StepReservation, WorkflowHandleAsync

from volact.service.engine.live_run import LiveRun
from volact.service.logs import context

RUN_QUEUE = "volact-runs"
BATCH_NAME = "volact.batch"
_BATCH = 50
BATCHES = 2  # of one worker at a time: one at work, one whose servers follow
_WINDOW = 16  # batches in the queue at a time, so that runs take turns
_MOST_IDLE = 20  # rounds that failed and finished no server
_POLL_S = 0.25


Batch = tuple[str, list[str]]  # its queue, and the names of its servers
NamedServer = tuple[str, str]  # its name, and the label of the workers that reach it


class RunWork(Protocol):
    """What the workflows ask of the worker that executes them."""

    def begin(self, run: str, attempt: int) -> bool:
        """Take the run out of the queue; whether this attempt works on it."""

    def left(self, run: str, attempt: int) -> tuple[list[NamedServer], int]:
        """The servers to work on next, none where the run does not go on; and the workers."""

    def end(self, run: str, attempt: int) -> None:
        """Complete the run's state and its report."""

    def fail(self, run: str, attempt: int, why: str) -> None:
        """Record that volact itself failed."""

    async def join(self, run: str, attempt: int) -> LiveRun:
        """The run in this process."""

    def leave(self, live: LiveRun) -> None:
        """A batch of it has ended."""


_work: list[RunWork] = []


def set_work(work: RunWork) -> None:
    """Name the worker of this process, before DBOS is launched."""
    _work[:] = [work]


def queue_of(label: str) -> str:
    """The queue of servers that only workers with this label reach."""
    return f"volact-servers:{label}" if label else "volact-servers"


def workflow_id(run: str, attempt: int) -> str:
    """The id of a run's workflow: one for each attempt."""
    return f"{run}.{attempt}"


@DBOS.workflow(name="volact.run")
async def run_workflow(run: str, attempt: int) -> None:
    """Work on a run until its servers are finished or it does not go on."""
    (work,) = _work
    with context(run=run):
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
        left, workers = await DBOS.run_step_async({"name": "left"}, work.left, run, attempt)
        if not left:
            return
        idle = idle + 1 if left == before else 0
        before = left
        batches = _batches(left, batch_size(len(left), workers))
        number, failure = await _dispatch(run, attempt, number, batches)
        if failure and idle >= _MOST_IDLE:
            raise RuntimeError(failure)


def batch_size(servers: int, workers: int) -> int:
    """Servers of a batch: every worker gets as many batches as it has at work at a time."""
    return max(1, min(_BATCH, -(-servers // (BATCHES * max(1, workers)))))


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


def _batches(servers: list[NamedServer], size: int) -> Iterator[Batch]:
    for label in dict.fromkeys(label for _, label in servers):
        names = [name for name, of in servers if of == label]
        for at in range(0, len(names), size):
            yield queue_of(label), names[at : at + size]


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
    """Work on some servers of a run, each a step; those not begun are left to the run."""
    with context(run=run):
        await _work_on(run, attempt, names)


async def _work_on(run: str, attempt: int, names: list[str]) -> None:
    (work,) = _work
    steps = [DBOS.reserve_step() for _ in names]
    live = await work.join(run, attempt)
    try:
        done = await live.finished_before(names)
        pairs = zip(names, steps, strict=True)
        tasks = [_server(live, name, step) for name, step in pairs if name not in done]
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, BaseException):
                raise result
    finally:
        work.leave(live)


async def _server(live: LiveRun, name: str, step: StepReservation) -> None:
    async with live.gate:
        if live.open:
            await live.pace()
        if live.open:
            with context(server=name):
                await step.run_async({"name": "server"}, live.visit, name)
