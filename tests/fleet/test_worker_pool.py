"""The stream of work: every item has a result, time is kept, nothing piles up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import pytest
from virtual_time import now, virtual_time

from volact.fleet.worker_pool import NoResult, PoolLimits, WorkerPool

Result = tuple[int, str]


def lost(item: int, loss: NoResult) -> Result:
    return item, f"{loss.cause}{'' if loss.begun else ' (not begun)'}"


def stream(
    items: Iterator[int] | range, work: Callable[[int], Awaitable[Result]], **limits: float
) -> WorkerPool[int, Result]:
    given = {"concurrency": 3, "item_s": 5.0, "run_s": None, **limits}
    return WorkerPool(items, work, lost, PoolLimits(**given))  # type: ignore[arg-type]


async def done(item: int) -> Result:
    await asyncio.sleep(0)
    return item, "done"


async def forever(item: int) -> Result:
    await asyncio.Event().wait()
    raise AssertionError


@virtual_time
async def test_every_item_once() -> None:
    results = [result async for result in stream(range(50), done).results()]
    assert sorted(results) == [(item, "done") for item in range(50)]


@virtual_time
async def test_no_items_no_results() -> None:
    assert [result async for result in stream(range(0), done).results()] == []


@virtual_time
async def test_never_more_at_once_than_allowed_and_that_many() -> None:
    now = most = 0

    async def work(item: int) -> Result:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.005)
        now -= 1
        return item, "done"

    assert len([r async for r in stream(range(20), work, concurrency=4).results()]) == 20
    assert most == 4


@virtual_time
async def test_results_come_as_they_finish() -> None:
    async def work(item: int) -> Result:
        await asyncio.sleep(0.2 if item == 0 else 0)
        return item, "done"

    results = [item async for item, _ in stream(range(5), work).results()]
    assert results[-1] == 0


@virtual_time
async def test_a_slow_caller_is_not_overrun() -> None:
    taken = 0

    def source() -> Iterator[int]:
        nonlocal taken
        for item in range(10_000):
            taken = item + 1
            yield item

    results = stream(source(), done).results()
    for _ in range(5):
        await anext(results)
        await asyncio.sleep(0.005)
    # What was handed out, what waits in the queue, and one in each worker's hands.
    assert taken <= 5 + 3 + 3
    await results.aclose()


@virtual_time
async def test_a_hang_costs_its_own_result_only() -> None:
    async def work(item: int) -> Result:
        return await (forever(item) if item == 1 else done(item))

    results = [result async for result in stream(range(6), work, item_s=0.2).results()]
    assert now() == 0.2
    assert sorted(results) == [(item, "deadline" if item == 1 else "done") for item in range(6)]


@virtual_time
async def test_a_defect_costs_its_own_result_only() -> None:
    async def work(item: int) -> Result:
        if item == 2:
            raise KeyError("x")
        if item == 3:
            raise TimeoutError  # its own, long before the deadline
        return await done(item)

    results = [result async for result in stream(range(5), work).results()]
    assert sorted(results) == [(item, "defect" if item in {2, 3} else "done") for item in range(5)]


@virtual_time
async def test_a_wait_that_others_cancel_costs_its_own_result_only() -> None:
    async def work(item: int) -> Result:
        if item % 2:
            shared = asyncio.get_running_loop().create_future()
            shared.cancel()
            await shared
        return await done(item)

    results = [result async for result in stream(range(8), work).results()]
    assert sorted(results) == [(item, "defect" if item % 2 else "done") for item in range(8)]


@virtual_time
async def test_the_run_ends_when_its_time_is_up() -> None:
    results = [result async for result in stream(range(5), forever, run_s=0.2).results()]
    assert now() == 0.2
    assert sorted(results) == [
        (item, "run-time" if item < 3 else "run-time (not begun)") for item in range(5)
    ]


@virtual_time
async def test_a_run_without_time_begins_nothing() -> None:
    begun: list[int] = []

    async def work(item: int) -> Result:
        begun.append(item)
        return item, "done"

    results = [result async for result in stream(range(3), work, run_s=0.0).results()]
    assert sorted(results) == [(item, "run-time (not begun)") for item in range(3)]
    assert begun == []


@virtual_time
async def test_stop_gives_up_what_runs_and_begins_nothing_more() -> None:
    async def work(item: int) -> Result:
        if item == 3:
            asyncio.get_running_loop().call_soon(many.cancel, "interrupted")
        return await (done(item) if item < 3 else forever(item))

    many = stream(range(9), work)
    results = [result async for result in many.results()]
    told = dict(results)
    assert len(results) == 9
    assert [told[item] for item in range(3)] == ["done"] * 3
    assert told[3] == "interrupted"
    assert told[8] == "interrupted (not begun)"


@virtual_time
async def test_closing_finishes_what_runs_and_begins_nothing_more() -> None:
    async def work(item: int) -> Result:
        if item == 3:
            many.close("stopped")
        return await done(item)

    many = stream(range(9), work)
    told = dict([result async for result in many.results()])
    assert [told[item] for item in range(4)] == ["done"] * 4
    assert told[8] == "stopped (not begun)"
    assert set(told) == set(range(9))


@virtual_time
async def test_what_runs_on_after_closing_can_still_be_given_up() -> None:
    async def work(item: int) -> Result:
        if item == 2:
            many.close("interrupted")
            asyncio.get_running_loop().call_soon(many.cancel, "interrupted")
        return await forever(item)

    many = stream(range(5), work)
    told = dict([result async for result in many.results()])
    assert [told[item] for item in range(5)] == ["interrupted"] * 3 + [
        "interrupted (not begun)"
    ] * 2


@virtual_time
async def test_waiting_for_others_costs_an_item_none_of_its_time() -> None:
    async def work(item: int) -> Result:
        if item == 0:
            with many.pause_deadline():
                await asyncio.sleep(0.1)
            await asyncio.sleep(0.01)
            return item, "done"
        return await forever(item)

    many = stream(range(2), work, item_s=0.05)
    assert dict([result async for result in many.results()]) == {0: "done", 1: "deadline"}


@virtual_time
async def test_work_that_is_given_up_may_tidy() -> None:
    tidied: list[int] = []

    async def work(item: int) -> Result:
        try:
            return await forever(item)
        finally:
            await asyncio.sleep(0.01)
            tidied.append(item)

    results = [result async for result in stream(range(3), work, item_s=0.05).results()]
    assert len(results) == 3
    assert sorted(tidied) == [0, 1, 2]


@virtual_time
async def test_leaving_early_ends_the_work() -> None:
    cancelled: list[int] = []

    async def work(item: int) -> Result:
        if item == 0:
            return await done(item)
        try:
            return await forever(item)
        except asyncio.CancelledError:
            cancelled.append(item)
            raise

    results = stream(range(3), work).results()
    assert await anext(results) == (0, "done")
    await asyncio.sleep(0.01)
    await results.aclose()
    assert sorted(cancelled) == [1, 2]


@virtual_time
async def test_leaving_early_with_full_hands_does_not_hang() -> None:
    results = stream(range(1000), done).results()
    assert await anext(results) is not None
    await asyncio.sleep(0.01)
    await asyncio.wait_for(results.aclose(), 1)


@virtual_time
async def test_cancelling_the_caller_passes_and_ends_the_work() -> None:
    begun = asyncio.Event()

    async def work(item: int) -> Result:
        begun.set()
        return await forever(item)

    async def consume() -> None:
        async for _ in stream(range(3), work).results():
            pass

    task = asyncio.ensure_future(consume())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@virtual_time
async def test_an_iterator_that_breaks_is_told() -> None:
    def source() -> Iterator[int]:
        yield 1
        raise OSError("disk")

    with pytest.raises(ExceptionGroup) as caught:
        async for _ in stream(source(), done).results():
            pass
    assert caught.group_contains(OSError)
