"""The clock is set only where the time service says so: w32tm ends with 0 either way.

Most providers have no second clock to measure by.  What the service says of itself is read by
its numbers, in any language of Windows.
"""

from __future__ import annotations

import msgspec
import pytest
from lab_world import Place, command, step

from volact.agent.answer import Answer, read_answer
from volact.agent.render import render
from volact.agent.request import new_request
from volact.model.step import Step, StepResult
from volact_lab.windows.language import LANGUAGES
from volact_lab.windows.machine import Machine
from volact_lab.windows.w32time import SERVICE

FIVE_HOURS = 5 * 3600.0
TWENTY_HOURS = 20 * 3600.0  # more than the phase limits of a server outside of a domain
UNSET = "the Windows Time service has not synchronised"
SYNC = step("sync-clock", within_s=60, raise_limits=False)
# Languages of Windows, and what w32tm ends with where nothing was set.
FORMS = [*((language, 0) for language in sorted(LANGUAGES)), ("en", 1)]


async def without_second_clock(machine: Machine, *steps: Step) -> Answer:
    """Run steps where nothing on the network tells the time."""
    request = new_request("apply", machine.world.profile, steps, id="00112233445566aa")
    ask = msgspec.structs.replace(request.ask, date="")
    request = msgspec.structs.replace(request, ask=ask)
    machine.files.write(f"{machine.temp}\\agent.bat", render(request, deadline_s=900))
    done = await command(machine, f'cmd.exe /c "{machine.temp}\\agent.bat"')
    return read_answer(done.stdout, request.id)


async def synced(machine: Machine) -> StepResult:
    """The result of setting the clock."""
    (result,) = (await without_second_clock(machine, SYNC)).results
    return result


def outcome(result: StepResult) -> tuple[bool, bool, str]:
    """Whether it worked, whether it changed anything, and what it says."""
    return result.ok, result.changed, result.note


def with_clock(here: Place, off_s: float, language: str = "en") -> Machine:
    machine = here.machine(language=language)
    machine.clock.offset = off_s
    return machine


@pytest.mark.parametrize(("language", "refused"), FORMS)
async def test_a_service_that_never_has_time_data_has_not_set_the_clock(
    here: Place, language: str, refused: int
) -> None:
    machine = with_clock(here, FIVE_HOURS, language)
    machine.time.early, machine.time.refused = 99, refused
    activate = step("activate", unless_failed=["sync-clock"])
    first, second = (await without_second_clock(machine, SYNC, activate)).results
    assert outcome(first) == (False, False, UNSET)
    assert second.note == "skipped: sync-clock failed"
    assert machine.time.early == 99 - 6  # it waited as long as it may
    assert here.errors == []


@pytest.mark.parametrize(("language", "refused"), FORMS)
async def test_a_service_that_has_just_started_is_waited_for(
    here: Place, language: str, refused: int
) -> None:
    machine = with_clock(here, FIVE_HOURS, language)
    machine.services.stop(SERVICE)
    machine.time.early, machine.time.refused = 3, refused
    start = step("start-service", name=SERVICE)
    _started, first = (await without_second_clock(machine, start, SYNC)).results
    assert outcome(first) == (True, True, "")
    assert (machine.time.early, first.hresult) == (0, None)
    assert abs(machine.clock.offset) < 60


@pytest.mark.parametrize("refused", [0, 1])
async def test_a_change_that_is_too_big_sets_nothing(here: Place, refused: int) -> None:
    machine = with_clock(here, TWENTY_HOURS)
    machine.time.refused = refused
    assert outcome(await synced(machine)) == (False, False, UNSET)
    assert machine.clock.offset == TWENTY_HOURS


async def test_what_was_synchronised_before_counts_for_nothing(here: Place) -> None:
    machine = here.machine()
    await command(machine, "w32tm /resync")
    machine.clock.offset, machine.time.stale = FIVE_HOURS, 99
    assert outcome(await synced(machine)) == (False, False, UNSET)
    assert machine.clock.offset == FIVE_HOURS


@pytest.mark.parametrize(("language", "refused"), FORMS)
async def test_a_service_that_sets_the_clock_by_itself_meanwhile_has_set_it(
    here: Place, language: str, refused: int
) -> None:
    """What it then has is stale for every further resync."""
    machine = with_clock(here, FIVE_HOURS, language)
    machine.time.early, machine.time.stale, machine.time.polls = 1, 99, True
    machine.time.refused = refused
    assert outcome(await synced(machine)) == (True, True, "")
    assert abs(machine.clock.offset) < 60


async def test_a_status_that_cannot_be_read_is_no_success(here: Place) -> None:
    machine = with_clock(here, FIVE_HOURS)
    machine.services.stop(SERVICE)
    result = await synced(machine)
    assert (*outcome(result), result.hresult) == (False, False, UNSET, 0x80070426)
