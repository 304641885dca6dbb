"""Exit codes and words of w32tm.exe and route.exe, beside what the lab's programs say.

The agent reads neither's words.  That w32tm ends with 0 although it did not resync was told
by users of real servers (https://github.com/puppetlabs-seteam/bolt-timesync); its words are
those of https://datahunter.org/w32tm and of Microsoft's pages.  slmgr.vbs is never read, and
``route.exe`` only by its exit code, of which no public output was found: the lab takes 1.
"""

from __future__ import annotations

import pytest
from lab_world import command

from volact_lab.windows.machine import Machine

SENDING = "Sending resync command to local computer"
DONE = "The command completed successfully."
NO_DATA = "The computer did not resync because no time data was available."


@pytest.mark.parametrize(("peer", "said"), [("", DONE), ("unknown.example", NO_DATA)])
async def test_the_lab_resyncs_in_the_words_of_w32tm(
    machine: Machine, peer: str, said: str
) -> None:
    if peer:
        await command(machine, f"w32tm /config /manualpeerlist:{peer} /update")
    result = await command(machine, "w32tm /resync /rediscover")
    assert result.exit_code == 0
    assert result.stdout.decode("ascii").split("\r\n") == [SENDING, said, ""]


async def test_the_lab_adds_a_route_in_the_words_of_route(machine: Machine) -> None:
    added = f"route -p add 10.99.0.0 mask 255.255.0.0 {machine.gateway}"
    result = await command(machine, added)
    assert (result.exit_code, result.stdout) == (0, b" OK!\r\n")
