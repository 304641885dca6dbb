"""Gathering what is wanted at nearly the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from virtual_time import now, virtual_time

from volact.transports.run_command.gather import Gatherer, PendingResult

Item = PendingResult[int, int]


class Groups:
    """Takes groups down and doubles what is in them."""

    def __init__(self, *, window_s: float = 0.02, most: int = 5) -> None:
        self.seen: list[tuple[str, list[int]]] = []
        self.gatherer = Gatherer[str, Item](self.handle, window_s=window_s, most=most)

    async def handle(self, key: str, items: Sequence[Item]) -> None:
        self.seen.append((key, [item.value for item in items]))
        if key == "bad":
            raise ValueError("bad")
        for item in items:
            item.set(item.value * 2)

    async def ask(self, key: str, value: int) -> int:
        item = Item(value)
        self.gatherer.add(key, item)
        return await item.result()


@virtual_time
async def test_what_comes_together_is_handled_together_by_key() -> None:
    groups = Groups()
    results = await asyncio.gather(
        groups.ask("a", 1), groups.ask("b", 2), groups.ask("a", 3), groups.ask("a", 4)
    )
    assert list(results) == [2, 4, 6, 8]
    assert sorted(groups.seen) == [("a", [1, 3, 4]), ("b", [2])]


@virtual_time
async def test_a_full_group_does_not_wait() -> None:
    groups = Groups(window_s=60)
    results = await asyncio.gather(*(groups.ask("a", n) for n in range(5)))
    assert list(results) == [0, 2, 4, 6, 8]
    assert now() == 0


@virtual_time
async def test_late_ones_join_as_long_as_they_keep_coming_and_no_longer() -> None:
    groups = Groups(window_s=0.05, most=1000)
    asked: list[asyncio.Future[int]] = []
    while not groups.seen:
        asked.append(asyncio.ensure_future(groups.ask("a", len(asked))))
        await asyncio.sleep(0.01)
    assert 0.2 < now() < 2
    await asyncio.gather(*asked)
    assert len(groups.seen[0][1]) > 3


@virtual_time
async def test_one_that_leaves_takes_nothing_from_the_others() -> None:
    groups = Groups()
    leaves = asyncio.ensure_future(groups.ask("a", 1))
    stays = asyncio.ensure_future(groups.ask("a", 2))
    await asyncio.sleep(0)
    leaves.cancel()
    assert await stays == 4
    with pytest.raises(asyncio.CancelledError):
        await leaves


@virtual_time
async def test_an_error_of_the_handler_reaches_every_caller() -> None:
    groups = Groups()
    results = await asyncio.gather(
        groups.ask("bad", 1), groups.ask("bad", 2), return_exceptions=True
    )
    assert [str(result) for result in results] == ["bad", "bad"]
