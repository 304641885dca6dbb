"""The steps that put settings back, on simulated servers.

Each: done and recorded, nothing to do the second time, refused where the setting
was changed since, and honest when Windows refuses.
"""

from __future__ import annotations

from typing import Any

import pytest
from lab_world import FORMS, Place, agent, step

from volact.model.step import StepResult
from volact_lab.windows import acl, adapter
from volact_lab.windows.licensing import NAME, PORT
from volact_lab.windows.machine import Machine
from volact_lab.windows.network import Route
from volact_lab.windows.protection import SERVICE_SDDL
from volact_lab.windows.restart import restart
from volact_lab.windows.services import IFEO
from volact_lab.windows.w32time import DOMAIN, KEY, NETWORK, TRIGGERS, write_triggers

REFUSED = 0x80070032
OURS = "kms1.tencentyun.com:1688"

SCHEDULE = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\Schedule"


async def one(machine: Machine, do: str, **params: Any) -> StepResult:
    """The result of one step."""
    (result,) = (await agent(machine, step(do, **params))).results
    return result


async def twice(machine: Machine, do: str, **params: Any) -> StepResult:
    """The result of a step that must work, and then find nothing to do."""
    first = await one(machine, do, **params)
    assert (first.ok, first.changed, first.hresult) == (True, True, None), first
    again = await one(machine, do, **params)
    assert (again.ok, again.changed) == (True, False), again
    assert again.before == first.after
    return first


async def refused(machine: Machine, do: str, **params: Any) -> None:
    """A step that meets a later change by others."""
    result = await one(machine, do, **params)
    assert (result.ok, result.changed, result.hresult) == (False, False, REFUSED), result
    assert "changed since" in result.note


# KMS hosts


def host_of(machine: Machine) -> tuple[str | None, int]:
    return machine.licensing.machine(), machine.licensing.port()


@pytest.mark.parametrize("release", ["2008", "2019"])
async def test_a_host_comes_back_as_it_was_spelt_reachable_or_not(
    here: Place, release: str
) -> None:
    machine = here.machine(release=release)
    present = ":".join(map(str, host_of(machine)))
    params = {"layer": "service", "expect": [present], "host": "kms.corp.example:1688"}
    await twice(machine, "restore-kms-host", **params, name="KMS.Corp.Example", port=None)
    assert host_of(machine) == ("KMS.Corp.Example", 0)
    assert here.errors == []


async def test_no_host_at_all_comes_back_too(here: Place) -> None:
    machine = here.machine(release="2019")
    present = ":".join(map(str, host_of(machine)))
    await twice(
        machine, "restore-kms-host", layer="service", expect=[present], host=None, port=1690
    )
    assert host_of(machine) == (None, 1690)


@pytest.mark.parametrize("shown", [1688, 0])
async def test_where_no_port_was_set_none_is_set_again(here: Place, shown: int) -> None:
    """Of a port that is not set WMI may say 1688."""
    machine = here.machine("kms-silent", forms=(("kms-silent", 0), ("no-port", int(not shown))))
    for value in (NAME, PORT):
        machine.licensing.clear(value)
    assert (await agent(machine)).facts["licensing"]["port"] == shown
    answer = await agent(
        machine,
        step("set-kms-host", layer="service", hosts=[OURS], unproven=True),
        step("activate"),
        step("put-back-kms-host", layer="service", if_failed=["activate"]),
    )
    trial, _, back = answer.results
    assert (trial.before, back.after) == ({"host": None}, {"host": None})
    assert machine.registry.text(machine.release.licensing_key, PORT) is None
    assert here.errors == []


async def test_the_host_of_a_product_comes_back(here: Place) -> None:
    machine = here.machine(release="2019")
    product = machine.licensing.products[0]
    params = {"layer": "product", "product": product.id, "expect": [None]}
    await twice(machine, "restore-kms-host", **params, host="kms.other.example:1689", port=1689)
    assert machine.licensing.machine(product) == "kms.other.example"
    assert machine.licensing.port(product) == 1689


async def test_another_host_than_the_one_that_was_left_stays(here: Place) -> None:
    machine = here.machine(release="2019")
    machine.licensing.set_machine("by.hand.example")
    params = {"layer": "service", "expect": [OURS], "host": "kms.corp.example:1688", "port": 1688}
    await refused(machine, "restore-kms-host", **params)
    assert machine.licensing.machine() == "by.hand.example"


# services


async def test_a_start_mode_comes_back(here: Place) -> None:
    machine = here.machine()
    params = {"name": "W32Time", "expect": ["Auto"], "start": "disabled"}
    await twice(machine, "restore-start-mode", **params)
    assert machine.services.get("W32Time").start == "Disabled"
    assert machine.services.get("W32Time").state == "Running"
    machine.services.configure("W32Time", "Manual")
    await refused(machine, "restore-start-mode", **params)


async def test_since_2012_the_licensing_services_mode_comes_back_with_the_restart(
    here: Place,
) -> None:
    machine = here.machine(release="2019")
    await agent(machine)  # asking alone starts the service
    params = {"name": "sppsvc", "expect": ["Auto"], "start": "disabled", "delayed": None}
    result = await twice(machine, "restore-start-mode", **params)
    assert result.after["start"] == "Disabled"
    assert machine.services.get("sppsvc").start == "Auto"
    assert (await agent(machine)).facts["restart"] == "restore-start-mode"
    restart(machine)
    assert machine.services.get("sppsvc").start == "Disabled"
    assert (await agent(machine)).facts["restart"] is None


async def test_only_the_system_configures_schedule_so_its_key_is_written(here: Place) -> None:
    machine = here.machine(release="2019")
    machine.services.configure("Schedule", "Disabled")
    restart(machine)
    assert machine.services.get("Schedule").state == "Stopped"
    enable = {"do": "enable-service", "name": "Schedule", "start": "auto"}
    result = await one(machine, **enable)
    assert (result.ok, result.changed) == (True, True)
    assert (await one(machine, **enable)).changed is False
    assert result.before["registry"] == 4
    assert result.after["via"] == "registry"
    assert result.note == "it takes effect when the server is restarted"
    assert (await one(machine, "start-service", name="Schedule")).note == (
        "possible after a restart of the server"
    )
    facts = (await agent(machine)).facts
    assert (facts["services"]["Schedule"], facts["restart"]) == (["Stopped", "Auto"], None)
    assert machine.services.get("Schedule").start == "Disabled"
    assert (await one(machine, "activate")).ok, "activation does not wait for the restart"
    params = {"name": "Schedule", "expect": ["Auto"], "start": "disabled"}
    await twice(machine, "restore-start-mode", **params)
    assert machine.registry.number(SCHEDULE, "Start") == 4
    assert (await one(machine, **enable)).changed is True
    restart(machine)
    assert machine.services.get("Schedule").state == "Running"
    assert machine.registry.find(SCHEDULE, "DelayedAutoStart") is None
    await twice(machine, "restore-start-mode", **params)
    assert (await agent(machine)).facts["services"]["Schedule"] == ["Running", "Disabled"]
    restart(machine)
    assert machine.services.get("Schedule").state == "Stopped"
    assert here.errors == []


async def test_where_administrators_may_configure_schedule_it_starts_at_once(here: Place) -> None:
    machine = here.machine(release="2019")
    machine.services.get("Schedule").sddl = SERVICE_SDDL
    machine.services.configure("Schedule", "Disabled")
    restart(machine)
    result = await twice(machine, "enable-service", name="Schedule", start="auto")
    assert (result.note, "via" in result.after) == ("", False)
    assert (await one(machine, "start-service", name="Schedule")).changed is True
    assert machine.services.get("Schedule").state == "Running"


async def test_what_waits_for_another_restart_is_not_disturbed(here: Place) -> None:
    machine = here.machine(release="2019")
    assert (await one(machine, "rearm")).ok
    params = {"name": "sppsvc", "expect": ["Auto"], "start": "disabled"}
    result = await one(machine, "restore-start-mode", **params)
    assert (result.ok, result.hresult) == (False, REFUSED)
    assert (await agent(machine)).facts["restart"] == "rearm"


# Windows Time


async def test_a_time_source_comes_back_exactly(here: Place) -> None:
    machine = here.machine()
    now = {"type": "NTP", "peers": machine.registry.text(f"{KEY}\\Parameters", "NtpServer")}
    result = await twice(
        machine, "restore-time-source", expect=[now], type="NoSync", peers="time.windows.com,0x9"
    )
    assert result.before == now
    assert machine.registry.text(f"{KEY}\\Parameters", "Type") == "NoSync"
    assert machine.time.running.peers == ("time.windows.com",), "the running service is told"
    await refused(machine, "restore-time-source", expect=[now], type="NT5DS", peers=None)


async def test_time_is_the_domains(here: Place) -> None:
    machine = here.machine(domain="corp.example")
    source = await one(machine, "restore-time-source", expect=[], type="NTP", peers="a")
    trigger = await one(machine, "restore-time-trigger", expect=[], triggers=None)
    assert [(r.ok, r.hresult) for r in (source, trigger)] == [(False, REFUSED)] * 2
    assert machine.registry.text(f"{KEY}\\Parameters", "Type") == "NT5DS"


async def test_what_starts_windows_time_comes_back(here: Place) -> None:
    machine = here.machine(release="2019")
    write_triggers(machine.registry, NETWORK)
    params = {"expect": ["2/1 2/2"], "triggers": "3/1 3/2"}
    await twice(machine, "restore-time-trigger", **params)
    assert machine.registry.number(f"{TRIGGERS}\\0", "Type") == DOMAIN[0][0]
    await twice(machine, "restore-time-trigger", expect=["3/1 3/2"], triggers=None)
    assert not machine.registry.has_key(TRIGGERS)
    await refused(machine, "restore-time-trigger", **params)
    odd = await one(machine, "restore-time-trigger", expect=[None], triggers="4/1")
    assert (odd.ok, odd.hresult) == (False, 0x80070057)


# the licensing program


@pytest.mark.parametrize("owner", [acl.ADMINISTRATORS, acl.TRUSTED_INSTALLER])
async def test_a_dacl_comes_back_and_the_owner_stays(here: Place, owner: str) -> None:
    machine = here.machine()
    path = machine.licensing_file().path
    machine.files.change(path, owner=owner)
    now = machine.licensing_file().dacl.sddl()
    before = "D:PAI(D;;FX;;;NS)(A;;FA;;;SY)(A;;FR;;;BA)"
    await twice(machine, "restore-acl", expect=[now], sddl=before)
    assert machine.licensing_file().dacl.sddl() == before
    assert machine.licensing_file().owner == owner
    await refused(machine, "restore-acl", expect=[now], sddl=now)
    machine.audit = "S:AI(AU;SAFA;DCLCRPCRSDWDWO;;;WD)"
    await twice(machine, "restore-acl", expect=[before], sddl=now)
    assert machine.licensing_file().dacl.sddl() == now
    bad = await one(machine, "restore-acl", expect=[before], sddl='D:(A;;FA;;;SY)" /grant x')
    assert (bad.ok, bad.hresult) == (False, 0x80070057)
    assert here.errors == []


async def test_a_debugger_comes_back_where_there_is_none(here: Place) -> None:
    machine = here.machine()
    await twice(machine, "restore-debugger", debugger="C:\\other.exe")
    assert machine.registry.text(f"{IFEO}\\sppsvc.exe", "Debugger") == "C:\\other.exe"
    await refused(machine, "restore-debugger", debugger="C:\\third.exe")


# the network


async def test_name_servers_come_back_set_by_hand_or_by_dhcp(here: Place) -> None:
    machine = here.machine()
    dhcp = list(machine.network.dns)
    adapter.set_by_hand(machine, ["9.9.9.9", *dhcp])
    here_now = {"adapter": "7", "expect": [["9.9.9.9", *dhcp]]}
    await twice(machine, "restore-dns", **here_now, servers=None)
    assert machine.network.dns == dhcp
    assert machine.registry.text(adapter.KEY, "NameServer") == ""
    await twice(machine, "restore-dns", adapter="7", expect=[dhcp], servers=["8.8.8.8"])
    assert machine.network.dns == ["8.8.8.8"]
    await refused(machine, "restore-dns", **here_now, servers=["1.1.1.1"])
    gone = await one(machine, "restore-dns", adapter="8", expect=[[]], servers=None)
    assert (gone.ok, gone.hresult) == (False, 0x80070002)
    assert here.errors == []


async def test_a_route_goes_and_another_to_the_same_network_stays(here: Place) -> None:
    machine = here.machine()
    ours = Route("198.51.100.0", "255.255.255.0", machine.gateway)
    machine.network.routes.append(ours)
    to = {"destination": "198.51.100.0", "mask": "255.255.255.0"}
    await twice(machine, "remove-route", **to, gateway=machine.gateway)
    assert ours not in machine.network.routes


@pytest.mark.parametrize("shown", [0, 1])
async def test_a_route_by_its_own_address_goes_whichever_way_it_is_shown(
    here: Place, shown: int
) -> None:
    machine = here.machine(forms=(*FORMS, ("own-hop", shown)))
    before = list(machine.network.routes)
    to = {"destination": "169.254.169.253", "mask": "255.255.255.255", "gateway": machine.address}
    await one(machine, "add-route", **to)
    assert machine.network.routes != before
    await twice(machine, "remove-route", **to)
    assert machine.network.routes == before
    assert here.errors == []


async def test_an_on_link_route_is_not_taken_for_one_by_another_gateway(here: Place) -> None:
    machine = here.machine()
    before = list(machine.network.routes)
    network = machine.address.rpartition(".")[0] + ".0"
    to = {"destination": network, "mask": "255.255.255.0", "gateway": machine.gateway}
    gone = await one(machine, "remove-route", **to)
    assert (gone.ok, gone.changed, machine.network.routes) == (True, False, before)


async def test_who_is_no_administrator_puts_nothing_back(here: Place) -> None:
    machine = here.machine(release="2019")
    present = ":".join(map(str, host_of(machine)))
    machine.elevated = False
    result = await one(
        machine, "restore-kms-host", layer="service", expect=[present], host="a:1688", port=1688
    )
    assert (result.ok, result.changed) == (False, False)
    assert result.hresult == 0x80070005
    assert result.after["host"] == present


# What a time-out does not prove, and routes that lead nowhere


async def test_a_silent_host_is_set_on_trial_and_put_back(here: Place) -> None:
    machine = here.machine("kms-silent", release="2019", forms=(("kms-silent", 0),))
    machine.licensing.set_machine("kms.corp.example")
    present = host_of(machine)
    params = {"layer": "service", "hosts": [OURS]}
    assert not (await one(machine, "set-kms-host", **params)).changed, "nothing proves it"
    answer = await agent(
        machine,
        step("set-kms-host", **params, unproven=True),
        step("activate"),
        step("put-back-kms-host", layer="service", if_failed=["activate"]),
    )
    trial, activation, back = answer.results
    assert (trial.ok, trial.changed) == (True, True)
    assert (activation.ok, back.ok, back.changed) == (False, True, True)
    assert host_of(machine) == present
    assert here.errors == []


async def test_a_route_by_a_dead_gateway_gives_way_to_one_that_leads(here: Place) -> None:
    machine = here.machine("route-dead", release="2019")
    rule = {"destination": "169.254.0.0", "mask": "255.255.128.0", "gateway": machine.gateway}
    kept = await one(machine, "add-route", **rule)
    assert (kept.ok, kept.changed, kept.after["hops"]) == (True, False, "172.31.48.1")
    replaced = await twice(machine, "add-route", **rule, dead=["172.31.48.1"])
    assert (replaced.before["hops"], replaced.after["hops"]) == ("172.31.48.1", machine.gateway)
    assert (await agent(machine)).facts["reached"][OURS][0] == "connected"
    assert here.errors == []
