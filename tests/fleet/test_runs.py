"""Runs over a fleet: a row for every server, in every case."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest
from scripted import HEALTHY, TENCENT, WRONG, Scripted, facts
from virtual_time import now, virtual_time

from volact.errors import TransportError
from volact.fleet import (
    Control,
    Ended,
    Entered,
    Finished,
    FleetEvent,
    Share,
    Started,
    Stopped,
    apply_fleet,
    plan_fleet,
    run_fleet,
)
from volact.model.server import Server
from volact.pipeline import Job, Retry
from volact.transports.base import Transport

JOB = Job(mode="activate", deadline_s=60)
BUSY = b"VOLACT0 busy run-2 1795000000000 ops@other\r\n"
CROWDED = TransportError("connect", "the server refused a session", passing="refused")


def named(name: str) -> Server:
    return msgspec.structs.replace(TENCENT, name=name)


class Fleet:
    """Opens each server by its name."""

    def __init__(self, **ways: Scripted) -> None:
        self.ways = ways
        self.servers = [named(name) for name in ways]

    @asynccontextmanager
    async def __call__(self, server: Server) -> AsyncIterator[Transport]:
        async with self.ways[server.name](server) as transport:
            yield transport


class Once(Scripted):
    """A server that can be connected to once."""

    @asynccontextmanager
    async def __call__(self, server: Server) -> AsyncIterator[Transport]:
        if self.opened:
            raise TransportError("connect", "connection refused", passing="unsent")
        async with super().__call__(server) as transport:
            yield transport


def mixed() -> Fleet:
    return Fleet(
        good=Scripted(facts(**HEALTHY)),
        wrong=Scripted(facts(**WRONG), facts(**HEALTHY)),
        stuck=Scripted(facts(**WRONG), facts(**WRONG)),
        locked=Scripted(opening=TransportError("auth", "the login was refused")),
        liar=Scripted(b"VOLACT1 what"),
    )


@virtual_time
async def test_every_server_has_its_row() -> None:
    fleet = mixed()
    rows = {row.name: row async for row in run_fleet(fleet.servers, fleet, JOB)}
    assert {name: row.verdict for name, row in rows.items()} == {
        "good": "healthy",
        "wrong": "healthy",
        "stuck": "failed",
        "locked": "unreachable",
        "liar": "unreachable",
    }


@virtual_time
async def test_events_tell_the_way() -> None:
    fleet = Fleet(wrong=Scripted(facts(**WRONG), facts(**HEALTHY)))
    told: list[FleetEvent] = []
    rows = [
        row async for row in run_fleet(fleet.servers, fleet, JOB, Control(on_event=told.append))
    ]
    assert told == [
        Started("wrong"),
        Entered("wrong", "connect"),
        Entered("wrong", "probe"),
        Entered("wrong", "apply"),
        Finished(rows[0]),
        Ended(None),
    ]


@virtual_time
async def test_plan_ask_apply() -> None:
    fleet = mixed()
    outcomes = [outcome async for outcome in plan_fleet(fleet.servers, fleet, JOB)]
    pending = [outcome for outcome in outcomes if outcome.pending]
    assert sorted(outcome.server.name for outcome in pending) == ["stuck", "wrong"]
    agreed = [outcome for outcome in pending if outcome.server.name == "wrong"]
    rows = [row async for row in apply_fleet(agreed, fleet, JOB)]
    assert [(row.name, row.verdict, row.executions) for row in rows] == [("wrong", "healthy", 2)]
    assert len(fleet.ways["stuck"].requests) == 1


@virtual_time
async def test_an_interrupt_gives_rows_that_say_what_was_going_on() -> None:
    fleet = Fleet(
        probing=Scripted(asyncio.CancelledError()),
        applying=Scripted(facts(**WRONG), asyncio.CancelledError()),
        waiting=Scripted(facts(**HEALTHY)),
    )
    stop = asyncio.Event()

    def halt(event: FleetEvent) -> None:
        if event == Entered("applying", "apply"):
            stop.set()

    control = Control(concurrency=2, on_event=halt, stop=stop)
    rows = {row.name: row async for row in run_fleet(fleet.servers, fleet, JOB, control)}
    messages = {name: row.error.message for name, row in rows.items() if row.error}
    assert messages == {
        "probing": "interrupted during the check",
        "applying": "interrupted while steps were applied: run check to see the result",
        "waiting": "interrupted before it started",
    }
    verdicts = {name: row.verdict for name, row in rows.items()}
    assert verdicts == {
        "probing": "not-started",
        "applying": "unreachable",
        "waiting": "not-started",
    }
    assert all(fleet.ways[name].closed for name in ("probing", "applying"))


@virtual_time
async def test_an_interrupted_apply_keeps_what_the_plan_had_seen() -> None:
    fleet = Fleet(wrong=Scripted(facts(**WRONG), asyncio.CancelledError()))
    outcomes = [outcome async for outcome in plan_fleet(fleet.servers, fleet, JOB)]
    control = Control(run_s=0.05)
    (row,) = [row async for row in apply_fleet(outcomes, fleet, JOB, control)]
    assert row.verdict == "unreachable"
    assert row.findings == outcomes[0].report.findings
    assert row.error is not None
    assert "the run's time limit was reached while steps were applied" in row.error.message


@virtual_time
async def test_the_run_ends_when_its_time_is_up() -> None:
    fleet = Fleet(
        **{f"s{n}": Scripted(asyncio.CancelledError()) for n in range(5)},
    )
    control = Control(concurrency=2, run_s=0.1)
    rows = [row async for row in run_fleet(fleet.servers, fleet, JOB, control)]
    assert now() == 0.1
    assert len(rows) == 5
    errors = [row.error for row in rows if row.error]
    assert [error.kind for error in errors] == ["not-begun"] * 5, "nothing is known of any"
    assert len([e for e in errors if "before it started" not in e.message]) == 2


@virtual_time
async def test_a_defect_costs_its_own_row_and_says_so() -> None:
    fleet = Fleet(odd=Scripted(KeyError("colour")), good=Scripted(facts(**HEALTHY)))
    rows = {row.name: row async for row in run_fleet(fleet.servers, fleet, JOB)}
    assert rows["good"].verdict == "healthy"
    error = rows["odd"].error
    assert error is not None
    assert error.message == "a bug in volact, please report it: KeyError: 'colour'"


@pytest.mark.parametrize("count", [1, 200])
@virtual_time
async def test_many_servers_few_at_a_time(count: int) -> None:
    fleet = Fleet(**{f"s{n}": Scripted(facts(**HEALTHY)) for n in range(count)})
    rows = [row async for row in run_fleet(fleet.servers, fleet, JOB, Control(concurrency=20))]
    assert len({row.name for row in rows}) == count
    assert {row.verdict for row in rows} == {"healthy"}


@pytest.mark.parametrize(
    ("way", "retries"),
    [(Scripted(facts(**WRONG), CROWDED), 0), (Once(facts(**WRONG), BUSY), 1)],
    ids=["refused", "unreachable at the retry"],
)
@virtual_time
async def test_a_server_that_certainly_ran_nothing_is_no_failure(
    way: Scripted, retries: int
) -> None:
    fleet = Fleet(first=way, second=Scripted(facts(**WRONG), facts(**HEALTHY)))
    job = msgspec.structs.replace(JOB, retry=Retry(times=retries))
    told: list[FleetEvent] = []
    control = Control(concurrency=1, max_failures=Share(0), on_event=told.append)
    rows = [row async for row in run_fleet(fleet.servers, fleet, job, control)]
    assert [row.verdict for row in rows] == ["unreachable", "healthy"]
    assert not [event for event in told if isinstance(event, Stopped)]


@virtual_time
async def test_an_interrupt_before_a_retry_says_that_nothing_was_applied() -> None:
    fleet = Fleet(busy=Scripted(facts(**WRONG), BUSY))
    job = msgspec.structs.replace(JOB, retry=Retry(times=1, first_s=3))
    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(1, stop.set)
    (row,) = [row async for row in run_fleet(fleet.servers, fleet, job, Control(stop=stop))]
    assert row.error is not None
    assert (row.verdict, row.error.message) == ("not-started", "interrupted during the check")
