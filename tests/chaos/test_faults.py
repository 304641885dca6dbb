"""Every fault of a line, once, on a small fleet; and outages in the middle of a rollout.

The quick form of ``bench/chaos``: same code, one seed.
"""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Iterator

import pytest
from fault_cases import cases
from fault_run import run, table
from outage_run import OUTAGES, meet

SEED = 1


def test_there_is_a_fault_for_every_stage_and_act() -> None:
    found = cases(SEED)
    assert len({case.name for case in found}) == len(found) > 130
    assert {case.act for case in found} == {"drop", "hang", "garbage", "slow", "flood", "deny"}
    assert len({(case.way, case.stage) for case in found}) == 17


# urllib3 leaves it to the garbage collector to close a connection whose handshake hangs.
UNCLOSED = "ignore:Exception ignored in. <(ssl.SSLSocket|socket.socket)"
pytestmark = pytest.mark.filterwarnings(UNCLOSED, "ignore:unclosed <s:ResourceWarning")


@pytest.fixture(autouse=True)
def collected_here() -> Iterator[None]:
    """Such connections are collected where they are expected, in no other test."""
    yield
    gc.collect()


def _threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name.startswith("winrm ")}


async def _threads_end(before: set[threading.Thread]) -> None:
    """Requests that hang end by themselves, and their threads with them."""
    while not _threads() <= before:
        await asyncio.sleep(0.05)


@pytest.mark.xdist_group("chaos")
async def test_every_fault_has_its_row_and_costs_no_other_server() -> None:
    before = _threads()
    found = await run(SEED)
    await _threads_end(before)
    assert found.all_wrong == []
    assert "| ssh, probe | sftp-open |" in table([found])


@pytest.mark.xdist_group("chaos")
async def test_the_next_connection_removes_what_a_broken_one_left() -> None:
    stages = ("sftp-open", "sftp-write", "sftp-close")
    repairs = [case for case in cases(SEED) if (case.phase, case.act) == ("repair", "drop")]
    found = await run(SEED, [case for case in repairs if case.stage in stages])
    assert found.all_wrong == []
    assert [(one.left, one.outcome) for one in found.judged] == [(0, "failed")] * 3


@pytest.mark.xdist_group("chaos")
@pytest.mark.parametrize("name", OUTAGES)
async def test_a_rollout_comes_through_an_outage(name: str) -> None:
    outage = await meet(name, 10, SEED)
    assert outage.wrong == []
    assert sum(outage.during.values()) == sum(outage.after.values()) == 10
    assert set(outage.during) != {"healthy"}, "the outage touched no server"
