"""A server that has just started, or where something happens between two calls."""

from __future__ import annotations

import pytest
from lab_world import Place, agent, step

from volact_lab.windows.releases import RELEASES

NOT_YET = (0x80080005, 0x800706BA, 0x800706BE, 0x80041033, 0x8004100A)
DENIED = 0x80070005


@pytest.mark.parametrize("code", NOT_YET)
async def test_a_first_connection_to_wmi_that_fails_is_made_again(here: Place, code: int) -> None:
    machine = here.machine()
    machine.not_yet = [code]
    answer = await agent(machine, step("start-service", name="Winmgmt"))
    assert answer.results[0].ok, answer.results
    assert answer.facts["os"]["caption"].startswith("Microsoft Windows Server 2016")


@pytest.mark.parametrize("codes", [[DENIED], [NOT_YET[0], NOT_YET[1]]])
async def test_what_stays_as_it_is_is_not_asked_again(here: Place, codes: list[int]) -> None:
    machine = here.machine()
    machine.not_yet = [*codes]
    facts = (await agent(machine)).facts
    assert facts["os"]["caption"] == {"!": codes[-1]}


@pytest.mark.parametrize("release", sorted(RELEASES))
async def test_a_text_of_the_registry_ends_where_it_ends(here: Place, release: str) -> None:
    facts = (await agent(here.machine(release=release))).facts
    assert facts["time"]["zone"] == "Singapore Standard Time"
