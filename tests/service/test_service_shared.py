"""Answers that are shared: by those who asked before the asking began, and by no others."""

import asyncio
import threading
from collections.abc import Set

import pytest

from volact.errors import InputError
from volact.model.text import say
from volact.service.shared import SharedAnswers


class Work:
    """Work that counts, and that goes on when it is let."""

    def __init__(self) -> None:
        self.times = 0
        self.begun = threading.Semaphore(0)
        self.go_on = threading.Semaphore(0)

    def __call__(self) -> int:
        self.times += 1
        times = self.times
        self.begun.release()
        self.go_on.acquire()
        return times

    async def begins(self) -> None:
        await asyncio.to_thread(self.begun.acquire)


async def test_who_asks_while_it_is_asked_gets_the_next_answer_and_all_of_those_one() -> None:
    shared, work = SharedAnswers(), Work()
    first = asyncio.create_task(shared.ask("q", work))
    await work.begins()
    later = [asyncio.create_task(shared.ask("q", work)) for _ in range(50)]
    work.go_on.release(2)
    assert await first == 1
    assert await asyncio.gather(*later) == [2] * 50
    work.go_on.release()
    assert await shared.ask("q", work) == 3  # nothing is kept


async def test_another_question_has_an_answer_of_its_own() -> None:
    shared, work = SharedAnswers(), Work()
    slow = asyncio.create_task(shared.ask(("servers", "tag:web"), work))
    await work.begins()
    assert await shared.ask(("servers", "tag:db"), lambda: "db") == "db"
    work.go_on.release()
    assert await slow == 1


async def test_keys_that_are_asked_for_at_the_same_time_are_looked_up_together() -> None:
    shared, work, asked = SharedAnswers(), Work(), []

    def find(keys: Set[str]) -> dict[str, str]:
        asked.append(set(keys))
        work()
        return {key: key.upper() for key in keys if key != "unknown"}

    first = asyncio.create_task(shared.look_up("token", "a", find))
    await work.begins()
    later = [shared.look_up("token", key, find) for key in ("b", "c", "unknown", "b")]
    work.go_on.release(2)
    assert await asyncio.gather(first, *later) == ["A", "B", "C", None, "B"]
    assert asked == [{"a"}, {"b", "c", "unknown"}]


async def test_who_goes_away_takes_the_answer_from_no_other() -> None:
    shared, work = SharedAnswers(), Work()
    leaving, staying = (asyncio.create_task(shared.ask("q", work)) for _ in range(2))
    await work.begins()
    leaving.cancel()
    work.go_on.release()
    assert await staying == 1
    with pytest.raises(asyncio.CancelledError):
        await leaving


async def test_a_failure_is_of_those_who_asked_and_not_of_the_next() -> None:
    def fails() -> str:
        raise InputError(say("there is no such server"))

    shared = SharedAnswers()
    asked = [asyncio.create_task(shared.ask("q", fails)) for _ in range(2)]
    for each in asked:
        with pytest.raises(InputError):
            await each
    assert await shared.ask("q", lambda: "answer") == "answer"
