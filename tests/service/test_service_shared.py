"""Answers that are shared: by those who asked before it began, or while nothing changes."""

import asyncio
import threading
from collections.abc import Iterator, Set
from contextlib import closing
from functools import partial
from itertools import count
from pathlib import Path
from secrets import token_hex
from sqlite3 import connect

import pytest
import sqlalchemy as sa
from migrated_store import migrated_store
from service_identity import Clock

from volact.errors import InputError
from volact.model.text import say
from volact.service.database.tables import TASKS
from volact.service.shared import SharedAnswers
from volact.store.statements import mark_changed
from volact.store.store import Store


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


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[tuple[Store, Clock]]:
    with migrated_store(tmp_path / "volact.db") as store:
        yield store, Clock()


def commit(store: Store) -> None:
    store.change(lambda it: it.execute(sa.insert(TASKS).values(name=token_hex(8), at="x")))


async def test_an_answer_is_kept_until_servers_change(parts: tuple[Store, Clock]) -> None:
    store, clock = parts
    shared, answers = SharedAnswers(store, clock), count(1)
    assert await shared.kept("q") is None
    for expected in (1, 2):
        assert [await shared.ask("q", lambda: next(answers)) for _ in range(3)] == [expected] * 3
        assert (await shared.kept("q"), await shared.kept("another")) == (expected, None)
        commit(store)
        assert await shared.kept("q") == expected
        store.change(mark_changed)
        assert await shared.kept("q") is None


async def test_an_answer_is_kept_for_ten_seconds_at_most(parts: tuple[Store, Clock]) -> None:
    store, clock = parts
    shared, answers = SharedAnswers(store, clock), count(1)
    assert await shared.ask("q", lambda: next(answers)) == 1
    clock.advance(seconds=9.5)
    assert await shared.ask("q", lambda: next(answers)) == 1
    clock.advance(seconds=0.5)
    assert await shared.ask("q", lambda: next(answers)) == 2


async def test_an_answer_from_before_a_commit_is_not_kept(parts: tuple[Store, Clock]) -> None:
    store, clock = parts
    shared, work = SharedAnswers(store, clock), Work()
    first = asyncio.create_task(shared.ask("q", work))
    await work.begins()
    store.change(mark_changed)
    assert await shared.ask("another", lambda: "answer") == "answer"
    work.go_on.release(2)
    assert await first == 1
    assert await shared.ask("q", work) == 2
    assert await shared.ask("q", work) == 2


async def test_keys_that_were_found_are_kept_and_others_not(parts: tuple[Store, Clock]) -> None:
    store, clock = parts
    shared, asked = SharedAnswers(store, clock), []

    def find(keys: Set[str]) -> dict[str, str]:
        asked.append({*keys})
        return {key: key.upper() for key in keys if key != "unknown"}

    keys = ("a", "unknown", "a", "unknown")
    found = [await shared.look_up("token", key, find) for key in keys]
    assert (found, asked) == (["A", None, "A", None], [{"a"}, {"unknown"}, {"unknown"}])
    commit(store)
    assert (await shared.look_up("token", "a", find), len(asked)) == ("A", 4)


async def test_the_number_of_answers_that_are_kept_is_bounded(parts: tuple[Store, Clock]) -> None:
    store, clock = parts
    shared = SharedAnswers(store, clock)
    for number in range(100):
        assert await shared.ask(number, partial(str, number)) == str(number)
    kept = [number for number in range(100) if await shared.kept(number)]
    assert 1 <= len(kept) < 100


async def test_where_the_version_is_not_known_nothing_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "volact.db"
    with migrated_store(file) as store, closing(connect(file, isolation_level=None)) as other:
        shared, answers = SharedAnswers(store, Clock()), count(1)
        other.execute("ALTER TABLE revisions RENAME TO elsewhere")
        assert [await shared.ask("q", lambda: next(answers)) for _ in range(2)] == [1, 2]
        other.execute("ALTER TABLE elsewhere RENAME TO revisions")
        assert [await shared.ask("q", lambda: next(answers)) for _ in range(2)] == [3, 3]


async def test_who_asks_in_the_same_version_joins_what_has_begun(
    parts: tuple[Store, Clock],
) -> None:
    store, clock = parts
    shared, work = SharedAnswers(store, clock), Work()
    first = asyncio.create_task(shared.ask("q", work))
    await work.begins()
    later = [asyncio.create_task(shared.ask("q", work)) for _ in range(5)]
    await asyncio.sleep(0)  # they have asked for the version
    store.change(mark_changed)
    newer = asyncio.create_task(shared.ask("q", work))
    work.go_on.release(2)
    assert await asyncio.gather(first, *later) == [1] * 6
    assert await newer == 2
