"""Progress of runs as events: one poller a run, slow readers, scopes, Last-Event-ID."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from service_parts import NOW, actor, api, fill, put_run, run_info, served_store
from store_samples import end, row, store_writer

from volact.client.answers import RunProgress
from volact.client.wire import RunInfo, RunSpec, RunState
from volact.service.database.tables import RUN_SERVERS
from volact.service.run_feed import RunFeed, RunFeeds
from volact.service.run_waves import last_servers, waves_of
from volact.store.clock import CLOCKS_DIFFER, moment
from volact.store.engine import writing
from volact.store.store import Store

V1 = "/api/v1"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with served_store(tmp_path) as opened:
        fill(opened)
        yield opened


def events(text: str) -> list[tuple[str, str, RunProgress]]:
    found = []
    for block in text.strip().split("\n\n"):
        parts = dict(line.split(": ", 1) for line in block.split("\n"))
        progress = msgspec.json.decode(parts["data"], type=RunProgress)
        found.append((parts["event"], parts.get("id", ""), progress))
    return found


def test_a_run_that_is_over_ends_its_stream(store: Store) -> None:
    with api(store, actor("viewer")) as http:
        answer = http.get(f"{V1}/runs/bb22/events")
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["x-accel-buffering"] == "no"
        found = events(answer.text)
        assert [name for name, _, _ in found][-1] == "end"
        assert {progress.run.state for _, _, progress in found} == {"done"}
        assert http.get(f"{V1}/runs/none/events").status_code == 404


def test_rows_since_the_last_event(store: Store) -> None:
    with api(store, actor("viewer")) as http:
        last = {"Last-Event-ID": "2026-01-01T00:00:00.000Z"}
        name, id, progress = events(http.get(f"{V1}/runs/bb22/events", headers=last).text)[0]
        assert name == "progress"
        assert {row.name for row in progress.rows} == {"web-01", "web-02", "db-01", "a/b?c"}
        assert id == max(row.at for row in progress.rows)
        wrong = http.get(f"{V1}/runs/bb22/events", headers={"Last-Event-ID": "soon"})
        assert wrong.status_code == 400


def test_the_first_event_has_an_id_from_which_a_new_connection_goes_on(store: Store) -> None:
    put_run(store.engine, run_info("cc33", state="done"))
    with api(store, actor("viewer")) as http:
        last = {"Last-Event-ID": "2026-01-01T00:00:00.000Z"}
        _, _, all_rows = events(http.get(f"{V1}/runs/bb22/events", headers=last).text)[0]
        _, id, progress = events(http.get(f"{V1}/runs/bb22/events").text)[0]
        assert (id, progress.rows) == (max(row.at for row in all_rows.rows), ())
        _, id, _ = events(http.get(f"{V1}/runs/cc33/events").text)[0]
        assert id == moment(NOW - CLOCKS_DIFFER)  # it has no row yet


def test_a_scope_narrows_the_stream(store: Store) -> None:
    with api(store, actor("viewer", "tag:web", name="eve")) as http:
        last = {"Last-Event-ID": "2026-01-01T00:00:00.000Z"}
        found = events(http.get(f"{V1}/runs/bb22/events", headers=last).text)
        assert {row.name for _, _, each in found for row in each.rows} == {"web-01", "web-02"}
        assert {each.run.servers for _, _, each in found} == {2}


def put_canaries(store: Store, run: RunInfo, *servers: tuple[str, bool, str]) -> RunInfo:
    """A run and its servers: name, whether it is a canary, verdict."""
    with writing(store.engine).begin() as connection:
        connection.execute(sa.delete(RUN_SERVERS))
    put_run(store.engine, run)
    rows = [
        {"run": run.id, "server": name, "position": at, "canary": canary, "verdict": verdict}
        for at, (name, canary, verdict) in enumerate(servers)
    ]
    with writing(store.engine).begin() as connection:
        connection.execute(sa.insert(RUN_SERVERS), rows)
    return run


def with_canaries(id: str, state: RunState, canary: str = "2") -> RunInfo:
    spec = RunSpec(verb="activate", inventory="main", canary=canary)
    return run_info(id, state=state, spec=spec)


# State of the run; verdicts of the canaries and of the others; what the waves say.
WAVES: list[tuple[RunState, str, str, list[tuple[str, int, dict[str, int]]]]] = [
    ("queued", " , ", " , ", [("waiting", 0, {}), ("waiting", 0, {})]),
    ("running", "healthy, ", " , ", [("running", 1, {"healthy": 1}), ("waiting", 0, {})]),
    ("running", "healthy,failed", " ,healthy",
     [("done", 2, {"healthy": 1, "failed": 1}), ("running", 1, {"healthy": 1})]),
    ("stopped", "failed, ", " , ", [("halted", 1, {"failed": 1}), ("halted", 0, {})]),
    ("paused", "healthy,healthy", " ,healthy",
     [("done", 2, {"healthy": 2}), ("halted", 1, {"healthy": 1})]),
    ("done", "healthy,healthy", "failed,healthy",
     [("done", 2, {"healthy": 2}), ("done", 2, {"failed": 1, "healthy": 1})]),
]  # fmt: skip


@pytest.mark.parametrize("case", WAVES)
def test_the_waves_of_a_run_say_how_far_they_are(
    store: Store, case: tuple[RunState, str, str, list[Any]]
) -> None:
    state, canaries, others, expected = case
    verdicts = [(True, word.strip()) for word in canaries.split(",")]
    verdicts += [(False, word.strip()) for word in others.split(",")]
    servers = [(f"s{number}", *each) for number, each in enumerate(verdicts)]
    found = waves_of(store, put_canaries(store, with_canaries("cc33", state), *servers))
    assert [(wave.canaries, wave.servers) for wave in found] == [(True, 2), (False, 2)]
    assert [(wave.state, wave.done, wave.counts) for wave in found] == expected


@pytest.mark.parametrize(
    ("state", "servers", "scopes", "expected"),
    [
        ("running", 3, None, ["web-02", "db-01"]), ("running", 3, ("tag:web",), ["web-02"]),
        ("paused", 3, None, []), ("running", 30, None, []), ("running", 1, None, []),
    ],
)  # fmt: skip
def test_the_last_servers_of_a_run_have_names(
    store: Store, state: RunState, servers: int, scopes: Any, expected: list[str]
) -> None:
    run = put_canaries(
        store, run_info("cc33", state=state, servers=servers, done=1),
        ("web-01", False, "healthy"), ("web-02", False, ""), ("db-01", False, ""),
    )  # fmt: skip
    assert last_servers(store, run, scopes) == expected


@pytest.mark.parametrize("canary", ["", "5"])  # if all were canaries, none is
def test_a_run_without_canaries_has_no_waves(store: Store, canary: str) -> None:
    run = put_canaries(store, with_canaries("cc33", "running", canary), ("web-01", False, ""))
    assert waves_of(store, run) == ()


@pytest.mark.parametrize(
    ("scopes", "servers"), [((), [1, 2]), (("tag:web",), [2]), (("tag:db",), [1])]
)
def test_the_waves_come_with_the_progress_as_far_as_the_caller_sees(
    store: Store, scopes: tuple[str, ...], servers: list[int]
) -> None:
    put_canaries(
        store, with_canaries("bb22", "done"),
        ("db-01", True, "healthy"), ("web-01", False, "healthy"), ("web-02", False, "failed"),
    )  # fmt: skip
    with api(store, actor("viewer", *scopes, name="eve")) as http:
        found = events(http.get(f"{V1}/runs/bb22/events").text)
        assert len(found) >= 2
        for _, _, each in found:
            assert [wave.servers for wave in each.waves] == servers


async def _reading(feed: Any, told: list[RunProgress], begun: asyncio.Event) -> None:
    async with aclosing(feed) as found:
        async for progress in found:
            if progress is not None:
                told.append(progress)
                begun.set()


async def test_many_readers_share_one_poller(store: Store) -> None:
    put_run(store.engine, run_info("cc33", state="running", done=1))
    feed = RunFeed(store, "cc33", poll_s=0.01)
    told: list[list[RunProgress]] = [[] for _ in range(50)]
    begun = [asyncio.Event() for _ in told]
    reading = [
        asyncio.create_task(_reading(feed.read(), *pair)) for pair in zip(told, begun, strict=True)
    ]
    for each in begun:
        await each.wait()
    await asyncio.to_thread(put_run, store.engine, run_info("cc33", state="done", done=2))
    await asyncio.gather(*reading)
    assert all(each[-1].run.state == "done" for each in told)
    assert feed.readers == 0


def put_row(store: Store, run: str, name: str) -> None:
    writer = store_writer(str(store.address.file), run)
    writer.row(row(name))
    writer.finish(end(run, servers=1))


async def test_rows_that_come_while_the_first_event_is_sent_are_told(store: Store) -> None:
    put_run(store.engine, run_info("cc33", state="running"))
    feeds = RunFeeds(store)
    async with (
        aclosing(feeds.read("cc33")) as polled,
        aclosing(feeds.read("cc33")) as other,
    ):
        for feed in (polled, other):
            first = await anext(feed)
            assert first is not None
            assert first.rows == ()
        await asyncio.to_thread(put_row, store, "cc33", "web-01")
        assert [await names_of(feed) for feed in (polled, other)] == [["web-01"], ["web-01"]]
        await asyncio.to_thread(put_row, store, "cc33", "web-02")
        assert await names_of(polled) == ["web-02"]  # told, while the other waits to send
        assert await names_of(other) == ["web-02"]


async def names_of(feed: Any) -> list[str]:
    async for progress in feed:
        assert progress is not None
        if progress.rows:
            return [row.name for row in progress.rows]
    return []


async def test_a_reader_that_comes_while_the_last_one_leaves_is_told(store: Store) -> None:
    put_run(store.engine, run_info("cc33", state="running"))
    feeds = RunFeeds(store)
    left = feeds.read("cc33")
    assert await anext(left) is not None
    leaving = asyncio.create_task(left.aclose())
    await asyncio.sleep(0)
    async with aclosing(feeds.read("cc33")) as found:
        assert await anext(found) is not None
        await leaving
        await asyncio.to_thread(put_run, store.engine, run_info("cc33", state="done"))
        told = [progress async for progress in found]
    assert [progress.run.state for progress in told if progress] == ["done"]


async def test_a_reader_that_is_too_slow_is_told_what_it_missed(store: Store) -> None:
    put_run(store.engine, run_info("cc33", state="running", done=0))
    feed = RunFeed(store, "cc33", poll_s=0.001)
    quick: list[RunProgress] = []
    async with aclosing(feed.read()) as slow:
        assert await anext(slow) is not None
        reading = asyncio.create_task(_reading(feed.read(), quick, asyncio.Event()))
        for done in range(1, 80):
            put_run(store.engine, run_info("cc33", state="running", done=done))
            while not quick or quick[-1].run.done < done:
                await asyncio.sleep(0)
        first = await anext(slow)
        assert first is not None
        assert (first.missed, first.run.done) == (True, 16)
        put_run(store.engine, run_info("cc33", state="done", done=80))
        await reading
    assert not any(progress.missed for progress in quick)


async def test_a_run_without_readers_is_not_polled(store: Store) -> None:
    put_run(store.engine, run_info("cc33", state="running"))
    feeds = RunFeeds(store)
    async with aclosing(feeds.read("cc33")) as found:
        assert await anext(found) is not None
    before = {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}
    assert not before
