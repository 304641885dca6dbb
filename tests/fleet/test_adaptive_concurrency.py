"""The number of servers at a time follows the load, within its bounds."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from virtual_time import virtual_time

from volact.fleet.adaptive_concurrency import START, AdaptiveConcurrency, Sample
from volact.fleet.machine_limits import MOST, most_at_a_time
from volact.fleet.worker_pool import NoResult, PoolLimits, WorkerPool


def idle(limit: AdaptiveConcurrency, **more: int) -> int:
    return limit.observe(Sample(late_s=0.001, busy=limit.limit, **more))


def test_it_grows_to_its_ceiling_while_the_loop_is_idle() -> None:
    limit = AdaptiveConcurrency(300)
    assert [idle(limit) for _ in range(6)] == [76, 115, 173, 260, 300, 300]


def test_it_stays_where_places_are_free() -> None:
    limit = AdaptiveConcurrency(300)
    assert limit.observe(Sample(late_s=0.0, busy=START - 1)) == START


def test_it_stays_while_the_loop_is_busy_and_shrinks_while_it_is_late() -> None:
    limit = AdaptiveConcurrency(300)
    for _ in range(5):
        idle(limit)
    assert limit.observe(Sample(late_s=0.2, busy=300)) == 300
    assert limit.observe(Sample(late_s=0.6, busy=300)) == 210
    assert [limit.observe(Sample(late_s=9.0, busy=300)) for _ in range(9)][-1] == START


def test_a_ceiling_below_the_beginning_is_kept() -> None:
    limit = AdaptiveConcurrency(8)
    assert limit.limit == 8
    assert idle(limit) == 8
    assert limit.observe(Sample(late_s=9.0, busy=8)) == 8


def test_it_is_halved_where_many_connections_fail_and_grows_when_that_helped() -> None:
    limit = AdaptiveConcurrency(300)
    for _ in range(5):
        idle(limit)
    assert idle(limit, finished=60, unconnected=30) == 150
    assert idle(limit) == 150  # not before the result is known
    assert idle(limit, finished=60, unconnected=2) == 226


def test_failures_that_fewer_places_do_not_help_are_the_servers_own() -> None:
    limit = AdaptiveConcurrency(300)
    for _ in range(5):
        idle(limit)
    assert idle(limit, finished=60, unconnected=30) == 150
    assert idle(limit, finished=60, unconnected=31) == 226
    assert [idle(limit, finished=60, unconnected=60) for _ in range(2)] == [300, 300]


@given(
    ceiling=st.integers(1, 2000),
    seen=st.lists(
        st.builds(
            Sample,
            late_s=st.floats(0, 100),
            busy=st.integers(0, 2000),
            finished=st.integers(0, 500),
            unconnected=st.integers(0, 500),
        )
    ),
)
def test_it_never_leaves_its_bounds(ceiling: int, seen: list[Sample]) -> None:
    limit = AdaptiveConcurrency(ceiling)
    assert all(min(START, ceiling) <= limit.observe(one) <= ceiling for one in seen)


def test_the_machine_has_room_for_some() -> None:
    assert 10 <= most_at_a_time() <= MOST


@virtual_time
async def test_a_pool_takes_more_at_a_time_when_it_may_and_fewer_later() -> None:
    most = 0
    seen: list[int] = []

    async def work(item: int) -> int:
        nonlocal most
        most = max(most, pool.busy)
        await asyncio.sleep(1)
        return item

    def no_result(item: int, why: NoResult) -> int:
        raise AssertionError((item, why))

    pool = WorkerPool(range(90), work, no_result, PoolLimits(concurrency=30, start=5))
    async for result in pool.results():
        seen.append(result)
        if len(seen) == 5:
            assert most == 5
            await pool.set_concurrency(30)
        if len(seen) == 20:
            assert most == 30
            await pool.set_concurrency(2)
        if len(seen) == 70:  # what had begun before is over
            most = 0
    assert sorted(seen) == [*range(90)]
    assert most == 2


@pytest.mark.parametrize("start", [1, 3, 30])
@virtual_time
async def test_a_pool_that_is_closed_while_workers_wait_ends(start: int) -> None:
    async def work(item: int) -> str:
        await asyncio.sleep(1)
        return "done"

    pool = WorkerPool(
        range(40), work, lambda item, why: why.cause, PoolLimits(concurrency=30, start=start)
    )
    found: list[str] = []
    async for result in pool.results():
        found.append(result)
        pool.close("stopped")
    assert len(found) == 40
    assert set(found) == {"done", "stopped"}
