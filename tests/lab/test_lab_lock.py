"""The lock on a simulated server: taken, seen, released, taken over."""

from __future__ import annotations

import time

import msgspec
import pytest
from lab_world import Place, agent, command, step

from volact.agent.answer import Answer, read_answer
from volact.agent.render import render
from volact.agent.request import Lock, new_request
from volact.errors import AnswerError
from volact.model.step import Step
from volact_lab.windows.machine import Machine

PATH = "C:\\Windows\\volact.lock"
START = step("start-service", name="sppsvc")
LIFE_MS = 240_000


def now() -> int:
    return int(time.time() * 1000)


async def apply(machine: Machine, *steps: Step, id: str = "0" * 16, since: int = 0) -> Answer:
    """Run steps under a lock of this run."""
    since = since or now()
    request = new_request("apply", machine.world.profile, steps, id=id)
    lock = Lock(run="run-1", who="ops@ctl", since=since, until=since + LIFE_MS)
    path = f"{machine.temp}\\locked.bat"
    machine.files.write(path, render(msgspec.structs.replace(request, lock=lock)))
    done = await command(machine, f'cmd.exe /c "{path}"')
    return read_answer(done.stdout, id)


def put(machine: Machine, *, age_ms: int = 0, id: str = "f" * 16, server_ms: int = 0) -> bytes:
    """A lock of another run, begun so long ago."""
    since, at = now() - age_ms, int(machine.clock.now() * 1000) - (server_ms or age_ms)
    text = f"VOLACTLOCK1 {id} run-2 {since} {since + LIFE_MS} {at} ops@other".encode()
    machine.files.write(PATH, text)
    return text


async def test_a_lock_is_gone_once_the_run_is_over(here: Place) -> None:
    machine = here.machine()
    answer = await apply(machine, START)
    assert answer.results[0].ok
    assert not machine.files.is_file(PATH)
    assert not machine.files.is_file(f"{PATH}.{'0' * 16}")
    assert here.errors == []


async def test_a_step_that_fails_keeps_no_lock(here: Place) -> None:
    machine = here.machine()
    answer = await apply(machine, step("start-service", name="nosuch"), step("nonsense"))
    assert [result.ok for result in answer.results] == [False, False]
    assert not machine.files.is_file(PATH)


async def test_a_held_lock_lets_no_other_run_in_and_changes_nothing(here: Place) -> None:
    machine = here.machine("kms-host-wrong")
    text = put(machine)
    before = machine.licensing.activations
    with pytest.raises(AnswerError, match="run run-2 by ops@other, until") as caught:
        await apply(machine, step("activate"))
    assert caught.value.kind == "busy"
    assert machine.licensing.activations == before
    assert machine.files.read(PATH) == text
    assert not machine.files.is_file(f"{PATH}.{'0' * 16}")


async def test_a_look_needs_no_lock(here: Place) -> None:
    machine = here.machine()
    put(machine)
    assert (await agent(machine)).results == ()


@pytest.mark.parametrize(
    "text", [b"", b"\0" * 90, b"VOLACTLOCK1 what"], ids=["empty", "zeros", "half"]
)
async def test_what_is_no_lock_is_taken_over(here: Place, text: bytes) -> None:
    machine = here.machine()
    machine.files.write(PATH, text)
    assert (await apply(machine, START)).results[0].ok
    assert not machine.files.is_file(PATH)


async def test_an_expired_lock_is_taken_over(here: Place) -> None:
    machine = here.machine()
    put(machine, age_ms=LIFE_MS + 1000)
    assert (await apply(machine, START)).results[0].ok
    assert not machine.files.is_file(PATH)


@pytest.mark.parametrize("jump_s", [-86_400, 86_400])
async def test_a_clock_set_under_the_lock_lets_no_other_run_in(here: Place, jump_s: int) -> None:
    machine = here.machine()
    put(machine)
    machine.clock.step(jump_s)
    with pytest.raises(AnswerError, match="another run"):
        await apply(machine, START)


async def test_a_clock_that_was_set_back_keeps_no_dead_lock(here: Place) -> None:
    machine = here.machine()
    put(machine, age_ms=LIFE_MS + 1000)
    machine.clock.step(-86_400)
    assert (await apply(machine, START)).results[0].ok


async def test_a_script_that_was_ended_leaves_its_lock_to_the_batch_part(here: Place) -> None:
    """A lock of this very request stands there when the batch part comes to its end."""
    machine = here.machine()
    put(machine, id="0" * 16)
    with pytest.raises(AnswerError, match="another run"):
        await apply(machine, START)
    assert not machine.files.is_file(PATH)


async def test_who_may_not_write_there_changes_nothing(here: Place) -> None:
    machine = here.machine()
    machine.elevated = False
    with pytest.raises(AnswerError, match="could not be locked") as caught:
        await apply(machine, START)
    assert caught.value.kind == "agent"
