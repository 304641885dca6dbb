"""Names, routes and what a try at a port shows."""

from __future__ import annotations

import time

import pytest
from lab_world import Place, printed

from volact_lab.windows.machine import Machine
from volact_lab.windows.network import REFUSED, SILENT, NetFault

REACH = """(function () {
  var http = new ActiveXObject('WinHttp.WinHttpRequest.5.1');
  http.SetTimeouts(100, 100, 100, 100);
  http.Open('GET', 'http://%s/', false);
  http.Send();
  return http.Status;
})()"""

TAKES = """(function () {
  var http = new ActiveXObject('WinHttp.WinHttpRequest.5.1'), begun = new Date().getTime();
  http.SetTimeouts(100, 100, 100, 100);
  http.Open('GET', 'http://%s/', false);
  try {
    http.Send();
  } catch (error) {
    return new Date().getTime() - begun;
  }
})()"""
SLEEPS = """(function () {
  var begun = new Date().getTime();
  WScript.Sleep(50);
  return new Date().getTime() - begun;
})()"""


async def reach(machine: Machine, host: str) -> int:
    text = await printed(machine, REACH % host)
    return int(text.lstrip("!"))


async def test_a_try_at_a_port_tells_what_is_there(machine: Machine) -> None:
    name = "kms.tencentyun.com"
    address = machine.world.addresses[name]
    machine.network.own[address, 1] = REFUSED
    machine.network.own[address, 2] = SILENT
    assert await reach(machine, f"{name}:1688") == 0x80072EFE  # it is there, and no HTTP
    assert await reach(machine, f"{name}:1") == 0x80072EFD
    assert await reach(machine, f"{name}:2") == 0x80072EE2
    assert await reach(machine, "no.such.name:1688") == 0x80072EE7
    assert await reach(machine, "metadata.tencentyun.com") == 404
    assert await reach(machine, "[2001:db8::1]:1688") == 0x80072EE2


async def test_a_time_out_takes_what_windows_takes_however_busy_the_machine_is(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait = time.sleep
    monkeypatch.setattr(time, "sleep", lambda seconds: wait(seconds + 0.4))
    machine.network.own[machine.world.addresses["kms.tencentyun.com"], 2] = SILENT
    assert await printed(machine, TAKES % "kms.tencentyun.com:2") == "100"


async def test_what_a_script_waits_for_otherwise_takes_real_time(machine: Machine) -> None:
    machine.network.patience = 1.0
    assert int(await printed(machine, SLEEPS)) >= 50


async def test_the_providers_names_are_known_to_its_own_dns_servers_only(here: Place) -> None:
    machine = here.machine("kms-name")
    assert await reach(machine, "kms.tencentyun.com:1688") == 0x80072EE7
    machine.network.dns[:] = [machine.world.profile.dns[0]]
    assert await reach(machine, "kms.tencentyun.com:1688") == 0x80072EFE
    machine.network.dns.clear()
    with pytest.raises(NetFault):
        machine.network.resolve("kms.tencentyun.com")


async def test_without_the_providers_route_its_addresses_are_silent(machine: Machine) -> None:
    routes = machine.network.routes
    routes[:] = [r for r in routes if r.destination != "169.254.0.0"]
    assert await reach(machine, "kms.tencentyun.com:1688") == 0x80072EE2
    assert await reach(machine, "metadata.tencentyun.com") == 0x80072EE2


def test_an_old_host_is_gone_on_some_servers_of_2016_only(here: Place) -> None:
    hosts = {
        release: {
            here.machine(release=release, index=index).licensing.machine() for index in range(12)
        }
        for release in ("2016", "2019")
    }
    assert hosts["2016"] == {"kms1.tencentyun.com", "kms.tencentyun.com"}
    assert hosts["2019"] == {"kms.tencentyun.com"}
