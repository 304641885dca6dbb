"""Rollouts: who is begun when, who never is, and a row for every server in any case."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

from hypothesis import given
from hypothesis import strategies as st
from virtual_time import now, virtual_time

from volact.errors import ErrorKind
from volact.fleet import Canary, Control, Finished, FleetEvent, Rate, Share, Started, Stopped
from volact.fleet.fleet_run import FleetRun, ItemAdapter
from volact.model.report import ErrorRow, ServerReport, Verdict
from volact.model.server import Address, Server
from volact.pipeline import Job, Notify

JOB = Job(mode="activate", deadline_s=60)
Work = Callable[[str, Job, Notify], Awaitable[ServerReport]]


def server(name: str) -> Server:
    return Server(name=name, address=Address(scheme="ssh", host=name))


def row(name: str, verdict: Verdict = "healthy", kind: ErrorKind | None = None) -> ServerReport:
    error = None if kind is None else ErrorRow(kind=kind, message="")
    return ServerReport(name=name, address=name, provider="", verdict=verdict, error=error)


VIEWS = ItemAdapter[str, ServerReport](
    server, lambda report: report, lambda _, report: report, lambda name: (name[0],)
)


class Run:
    """A rollout over servers of which only their end is known; what was reported of it."""

    def __init__(self, names: list[str], work: Work, **control: object) -> None:
        self.told: list[FleetEvent] = []
        given = {"on_event": self.told.append, **control}
        self._crew = FleetRun(VIEWS, work, JOB, Control(**given))  # type: ignore[arg-type]
        self._names = names
        self.rows: dict[str, ServerReport] = {}

    async def to_its_end(self) -> dict[str, ServerReport]:
        """Every row, by name; each server has one."""
        async for report in self._crew.run(self._names):
            assert report.name not in self.rows
            self.rows[report.name] = report
        assert set(self.rows) == set(self._names)
        return self.rows

    @property
    def begun(self) -> list[str]:
        """Who was begun, in order."""
        return [event.name for event in self.told if isinstance(event, Started)]

    @property
    def stops(self) -> list[str]:
        """Why it stopped, as often as that was reported."""
        return [event.stop.why for event in self.told if isinstance(event, Stopped)]

    def message(self, name: str) -> str:
        """The row's message of a server that was never begun."""
        error = self.rows[name].error
        assert error is not None
        assert error.kind == "not-begun"
        return error.message


def ending(verdicts: dict[str, Verdict] | None = None) -> Work:
    """Servers that end so after a moment, healthy by default."""
    ends = verdicts or {}

    async def work(name: str, job: Job, note: Notify) -> ServerReport:
        note(name, "probe")
        await asyncio.sleep(0)
        note(name, "apply")
        await asyncio.sleep(0)
        return row(name, ends.get(name, "healthy"))

    return work


def named(number: int, kinds: str = "ab") -> list[str]:
    return [f"{kinds[at % len(kinds)]}{at:03}" for at in range(number)]


@virtual_time
async def test_canaries_end_before_others_begin() -> None:
    run = Run(named(20), ending(), canary=Canary(Share(3)), concurrency=8)
    await run.to_its_end()
    ends = [event.report.name for event in run.told if isinstance(event, Finished)]
    first = run.begun[:3]
    assert {name[0] for name in first} == {"a", "b"}
    assert sorted(ends[:3]) == sorted(first)
    fourth = run.told.index(Started(run.begun[3]))
    assert sum(isinstance(event, Finished) for event in run.told[:fourth]) == 3
    assert run.stops == []


@virtual_time
async def test_a_canary_that_fails_keeps_all_others_from_their_turn() -> None:
    first = Run(named(20), ending(), canary=Canary(Share(2)))
    await first.to_its_end()
    bad = first.begun[0]
    run = Run(named(20), ending({bad: "failed"}), canary=Canary(Share(2)))
    rows = await run.to_its_end()
    assert len(run.begun) == 2
    assert run.stops == ["canary"]
    assert rows[bad].verdict == "failed"
    others = [name for name in rows if name not in run.begun]
    assert {run.message(name) for name in others} == {f"1 canary failed: {bad}"}


@virtual_time
async def test_canaries_that_are_unreachable_prove_nothing() -> None:
    async def work(name: str, job: Job, note: Notify) -> ServerReport:
        note(name, "connect")
        return row(name, "unreachable", "connect")

    run = Run(named(9), work, canary=Canary(Share(2)))
    await run.to_its_end()
    assert (len(run.begun), run.stops) == (2, ["unproven"])


@virtual_time
async def test_a_canary_may_fail_where_that_was_said() -> None:
    first = Run(named(20), ending(), canary=Canary(Share(3)))
    await first.to_its_end()
    run = Run(named(20), ending({first.begun[0]: "failed"}), canary=Canary(Share(3), 1))
    await run.to_its_end()
    assert (len(run.begun), run.stops) == (20, [])


@virtual_time
async def test_where_all_are_canaries_none_is_held_back() -> None:
    run = Run(named(4), ending(), canary=Canary(Share(100, percent=True)))
    await run.to_its_end()
    assert (len(run.begun), run.stops) == (4, [])


@given(
    verdicts=st.lists(
        st.sampled_from(["healthy", "failed", "attention", "unreachable"]), max_size=40
    ),
    canaries=st.integers(0, 5),
    allowed=st.integers(0, 6),
    concurrency=st.integers(1, 9),
    seed=st.integers(),
)
def test_every_server_has_a_row_always_and_few_are_begun_too_many(
    verdicts: list[Verdict], canaries: int, allowed: int, concurrency: int, seed: int
) -> None:
    rng = random.Random(seed)
    names = named(len(verdicts))
    ends = dict(zip(names, verdicts, strict=True))
    order: list[str] = []
    at_stop: list[int] = []

    async def work(name: str, job: Job, note: Notify) -> ServerReport:
        for _ in range(rng.randrange(4)):
            await asyncio.sleep(0)
        order.append(ends[name])
        if order.count("failed") == allowed + 1 and not at_stop:
            at_stop.append(len(run.begun))
        return row(name, ends[name])

    run = Run(
        names,
        work,
        canary=Canary(Share(canaries), 99) if canaries else None,
        max_failures=Share(allowed),
        concurrency=concurrency,
    )
    asyncio.run(run.to_its_end())
    assert len(run.begun) == len(set(run.begun))
    assert len(run.stops) <= 1
    if at_stop:
        assert len(run.begun) == at_stop[0], "no server was begun once too many had failed"
        assert order.count("failed") <= allowed + concurrency
    for name in names:
        if name not in run.begun:
            assert run.message(name)
        else:
            assert run.rows[name].error is None


@virtual_time
async def test_draining_finishes_what_runs_and_names_the_rest() -> None:
    drain, stop = asyncio.Event(), asyncio.Event()
    go_on = asyncio.Event()

    async def work(name: str, job: Job, note: Notify) -> ServerReport:
        note(name, "apply")
        if len(run.begun) == 3:
            drain.set()
            asyncio.get_running_loop().call_later(0.01, go_on.set)
        await go_on.wait()
        return row(name)

    run = Run(named(10), work, concurrency=3, drain=drain, stop=stop)
    rows = await run.to_its_end()
    assert [rows[name].verdict for name in run.begun] == ["healthy"] * 3
    assert run.message("b009") == "interrupted before it started"
    assert run.stops == ["interrupted"]


@virtual_time
async def test_what_is_still_running_after_a_drain_can_be_given_up() -> None:
    drain, stop = asyncio.Event(), asyncio.Event()

    async def work(name: str, job: Job, note: Notify) -> ServerReport:
        note(name, "apply")
        if len(run.begun) == 2:
            drain.set()
            asyncio.get_running_loop().call_later(0.01, stop.set)
        await asyncio.Event().wait()
        raise AssertionError

    run = Run(named(5), work, concurrency=2, drain=drain, stop=stop)
    rows = await run.to_its_end()
    for name in run.begun:
        error = rows[name].error
        assert error is not None
        assert (error.kind, error.message) == (
            "timeout",
            "interrupted while steps were applied: run check to see the result",
        )
    assert run.message("a004") == "interrupted before it started"


@virtual_time
async def test_a_drain_before_the_second_stage_begins_none_of_it() -> None:
    drain = asyncio.Event()

    async def work(name: str, job: Job, note: Notify) -> ServerReport:
        drain.set()
        return row(name)

    run = Run(named(8), work, canary=Canary(Share(2)), drain=drain, concurrency=2)
    await run.to_its_end()
    assert len(run.begun) <= 2
    assert run.stops == ["interrupted"]


@virtual_time
async def test_servers_begin_one_after_another_at_the_pace() -> None:
    rate = Rate.parse("200/s")
    loop = asyncio.get_running_loop()
    canary = Canary(Share(5))
    run = Run(named(20), ending(), pace=rate, rng=random.Random(3).random, canary=canary)
    begun = loop.time()
    await run.to_its_end()
    assert loop.time() - begun >= 18 * rate.slot_s
    assert len(run.begun) == 20


@virtual_time
async def test_a_pace_does_not_delay_the_end_of_an_interrupted_run() -> None:
    drain = asyncio.Event()

    async def work(name: str, job: Job, note: Notify) -> ServerReport:
        drain.set()
        return row(name)

    run = Run(named(500), work, pace=Rate.parse("1/m"), rng=lambda: 0.0, drain=drain)
    await run.to_its_end()
    assert now() == 0
    assert len(run.begun) == 1


def turning(inside: dict[str, int], most: dict[str, int]) -> Work:
    """Servers that take their turn at the KMS host of their kind."""

    async def work(name: str, job: Job, note: Notify) -> ServerReport:
        host = name[0]
        async with job.activation_slot(host):
            inside[host] = inside.get(host, 0) + 1
            most[host] = max(most.get(host, 0), inside[host])
            await asyncio.sleep(0.001)
            inside[host] -= 1
        return row(name)

    return work


@virtual_time
async def test_no_kms_host_has_more_at_a_time_than_allowed_and_each_has_that_many() -> None:
    most: dict[str, int] = {}
    run = Run(named(60, "abc"), turning({}, most), concurrency=40, kms_concurrency=4)
    await run.to_its_end()
    assert most == {"a": 4, "b": 4, "c": 4}


@virtual_time
async def test_a_server_that_waits_for_a_slot_is_let_go_when_the_rollout_stops() -> None:
    drain = asyncio.Event()

    async def work(name: str, job: Job, note: Notify) -> ServerReport:
        try:
            async with job.activation_slot("kms"):
                drain.set()
                await asyncio.sleep(0.01)
        except Exception as error:
            return row(name, "unreachable", error.kind)  # type: ignore[attr-defined]
        return row(name)

    run = Run(named(6), work, concurrency=6, kms_concurrency=2, drain=drain)
    rows = await run.to_its_end()
    kinds = [report.error.kind if report.error else "" for report in rows.values()]
    assert sorted(kinds) == ["", "", *["not-begun"] * 4]
    assert run.stops == ["interrupted"]


@virtual_time
async def test_a_slot_is_given_on_when_a_waiting_server_is_given_up() -> None:
    stop, waiting = asyncio.Event(), asyncio.Event()

    async def work(name: str, job: Job, note: Notify) -> ServerReport:
        async with job.activation_slot("kms"):
            await waiting.wait()
        return row(name)

    run = Run(named(3), work, concurrency=3, kms_concurrency=1, stop=stop)
    asyncio.get_running_loop().call_later(0.01, stop.set)
    rows = await run.to_its_end()
    assert {report.verdict for report in rows.values()} == {"not-started"}


@virtual_time
async def test_nothing_is_tried_again_once_the_rollout_stops() -> None:
    drain = asyncio.Event()
    asked: list[bool] = []

    async def work(name: str, job: Job, note: Notify) -> ServerReport:
        asked.append(job.retry.may_continue())
        drain.set()
        await asyncio.sleep(0.01)
        asked.append(job.retry.may_continue())
        return row(name)

    await Run(named(1), work, drain=drain).to_its_end()
    assert asked == [True, False]
