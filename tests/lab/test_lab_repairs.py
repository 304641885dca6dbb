"""The steps that need consent, and those that go with them, on simulated servers.

Each: done and recorded, nothing to do the second time, refused where its rule
forbids it, and honest when Windows refuses.
"""

from __future__ import annotations

from typing import Any

import pytest
from lab_world import FORMS, Place, agent, command, step

from volact.agent.answer import Answer, read_answer
from volact.agent.render import render
from volact.agent.request import new_request
from volact.model.step import Step, StepResult
from volact_lab.windows import acl, adapter
from volact_lab.windows.machine import Machine
from volact_lab.windows.network import Route
from volact_lab.windows.protection import LICENCES, TOKENS
from volact_lab.windows.registry import sz
from volact_lab.windows.restart import restart
from volact_lab.windows.services import IFEO, Service
from volact_lab.windows.w32time import DOMAIN, KEY, TRIGGERS, write_triggers

SYSTRAY = "C:\\Windows\\System32\\systray.exe"
DNS = ["183.60.83.19", "183.60.82.98"]
LINK_LOCAL = {"destination": "169.254.0.0", "mask": "255.255.128.0"}
REFUSED = 0x80070032


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


async def slowly(machine: Machine, *steps: Step) -> Answer:
    """Run steps with the time that the slowest needs."""
    request = new_request("apply", machine.world.profile, steps, id="00112233445566aa")
    machine.files.write(f"{machine.temp}\\agent.bat", render(request, deadline_s=900))
    done = await command(machine, f'cmd.exe /c "{machine.temp}\\agent.bat"')
    return read_answer(done.stdout, request.id)


# a debugger


async def test_a_debugger_is_taken_away_and_the_service_starts(here: Place) -> None:
    machine = here.machine("ifeo")
    assert (await one(machine, "start-service", name="sppsvc")).ok is False
    result = await twice(machine, "remove-debugger", debugger=SYSTRAY)
    assert result.before == {"debugger": SYSTRAY}
    assert (await one(machine, "start-service", name="sppsvc")).ok is True
    assert here.errors == []


async def test_another_debugger_than_the_one_that_was_seen_stays(here: Place) -> None:
    machine = here.machine("ifeo")
    result = await one(machine, "remove-debugger", debugger="C:\\other.exe")
    assert (result.ok, result.changed, result.hresult) == (False, False, REFUSED)
    assert machine.registry.text(f"{IFEO}\\sppsvc.exe", "Debugger") == SYSTRAY


async def test_a_debugger_of_the_program_that_speaks_kms_is_taken_away(here: Place) -> None:
    machine = here.machine("kms-debugger")
    (blocked,) = (await agent(machine, step("activate"))).results
    assert (blocked.ok, blocked.hresult) == (False, 0x80080005)
    assert (await one(machine, "remove-debugger", debugger=SYSTRAY)).changed is False
    path = "C:\\Windows\\nothing.exe"
    result = await twice(machine, "remove-debugger", debugger=path, kms=True)
    assert (result.before, result.after) == ({"debugger": path}, {"debugger": None})
    assert (await one(machine, "activate")).ok is True
    await twice(machine, "restore-debugger", debugger=path, kms=True)
    assert machine.registry.text(f"{IFEO}\\SppExtComObj.exe", "Debugger") == path
    assert machine.registry.text(f"{IFEO}\\sppsvc.exe", "Debugger") is None


# the right to execute


async def test_ownership_goes_back_to_whom_it_was_taken_from(here: Place) -> None:
    machine = here.machine()
    path = machine.licensing_file().path
    locked = acl.parse("D:PAI(D;;FX;;;BU)(A;;FA;;;SY)(A;;FR;;;BA)(A;;FR;;;BU)")
    machine.files.change(path, dacl=locked, owner=acl.SYSTEM)
    result = await one(machine, "grant-execute", sid="S-1-5-20", deny=["S-1-5-32-545"])
    assert (result.ok, result.changed) == (True, True), result
    assert result.before == {"sddl": locked.sddl(), "owner": acl.SYSTEM}
    assert result.after["owner"] == acl.SYSTEM
    assert machine.licensing_file().owner == acl.SYSTEM
    assert (await one(machine, "start-service", name="sppsvc")).ok is True
    assert here.errors == []


async def test_a_denial_that_the_folder_passes_on_is_taken_away_too(here: Place) -> None:
    machine = here.machine()
    node = machine.licensing_file()
    inherited = acl.parse("D:AI(D;ID;FX;;;WD)(A;ID;FA;;;BA)(A;ID;0x1200a9;;;BU)")
    machine.files.change(node.path, dacl=inherited, owner=acl.ADMINISTRATORS)
    result = await one(machine, "grant-execute", sid="S-1-5-20", deny=["S-1-1-0"])
    assert (result.ok, result.changed) == (True, True), result
    assert "owner" not in result.before
    assert machine.licensing_file().dacl.allows(acl.NETWORK_SERVICE_TOKEN, acl.EXECUTE)


async def test_an_icacls_that_cannot_end_inheritance_gets_the_entries_whole(here: Place) -> None:
    machine = here.machine(release="2008")
    path = machine.licensing_file().path
    inherited = acl.parse("D:AI(D;ID;FX;;;WD)(A;ID;FA;;;BA)(A;ID;0x1200a9;;;BU)")
    machine.files.change(path, dacl=inherited, owner=acl.ADMINISTRATORS)
    result = await one(machine, "grant-execute", sid="S-1-5-20", deny=["S-1-1-0"])
    assert (result.ok, result.changed, result.hresult) == (True, True, None), result
    assert result.after["sddl"].startswith("D:P")
    assert "ID;" not in result.after["sddl"]
    assert machine.licensing_file().dacl.allows(acl.NETWORK_SERVICE_TOKEN, acl.EXECUTE)


async def test_what_is_audited_is_no_part_of_the_permissions(here: Place) -> None:
    machine = here.machine("execute-denied")
    machine.audit = "S:AI(AU;SAFA;DCLCRPCRSDWDWO;;;WD)"
    dacl = machine.licensing_file().dacl.sddl()
    assert (await agent(machine)).facts["binary"]["sddl"] == dacl


# the clock


async def test_a_time_service_without_data_at_first_is_asked_again(here: Place) -> None:
    machine = here.machine("clock-late")
    result = await one(machine, "sync-clock", within_s=60, raise_limits=False)
    assert (result.ok, result.changed, machine.time.early) == (True, True, 0)
    assert abs(machine.clock.offset) < 60


@pytest.mark.parametrize(("off_s", "skipped"), [(3 * 3600, False), (5 * 3600, True)])
async def test_a_clock_that_stays_wrong_keeps_back_what_a_kms_host_would_refuse(
    here: Place, off_s: int, skipped: bool
) -> None:
    machine = here.machine("grace-expired")
    machine.clock.offset, machine.time.early = off_s, 99
    sync = step("sync-clock", within_s=60, raise_limits=False)
    answer = await agent(machine, sync, step("activate", unless_failed=["sync-clock"]))
    first, second = answer.results
    assert first.ok is False
    assert (second.note == "skipped: sync-clock failed") is skipped
    assert machine.time.early == 99 - 6


# name servers


async def test_name_servers_of_the_provider_come_first_outside_of_a_domain(here: Place) -> None:
    machine = here.machine("kms-name")
    result = await twice(machine, "add-dns", servers=DNS, position="first")
    assert result.before == {"7": {"dns": ["8.8.8.8", "114.114.114.114"], "dhcp": True,
                                   "fixed": True}}  # fmt: skip
    assert result.after["7"]["dns"] == [*DNS, "8.8.8.8", "114.114.114.114"]
    assert machine.network.dns == result.after["7"]["dns"]
    assert here.errors == []


async def test_what_is_reached_is_found_out_anew_after_the_name_servers(here: Place) -> None:
    machine = here.machine("kms-name")
    hosts = ["kms.tencentyun.com:1688"]
    tried = step("set-kms-host", layer="service", hosts=hosts)
    answer = await agent(machine, tried, step("add-dns", servers=DNS, position="first"), tried)
    assert [result.ok for result in answer.results] == [False, True, True]
    assert answer.facts["metadata"]["instance-id"] == machine.spec.instance_id
    assert answer.facts["dns"][:2] == DNS


async def test_in_a_domain_its_own_name_servers_stay_first(here: Place) -> None:
    machine = here.machine("kms-name", domain="corp.example")
    result = await twice(machine, "add-dns", servers=DNS, position="last")
    assert result.after["7"]["dns"] == ["8.8.8.8", "114.114.114.114", *DNS]


async def test_name_servers_that_dhcp_gave_are_told_from_fixed_ones(here: Place) -> None:
    machine = here.machine()
    machine.network.dns[:] = ["10.0.0.2"]
    result = await one(machine, "add-dns", servers=DNS, position="last")
    assert (result.before["7"]["fixed"], result.after["7"]["fixed"]) == (False, True)
    assert machine.registry.text(adapter.KEY, "NameServer") == ",".join(["10.0.0.2", *DNS])


async def test_without_a_right_to_it_nothing_is_changed(here: Place) -> None:
    machine = here.machine("kms-name")
    machine.elevated = False
    result = await one(machine, "add-dns", servers=DNS, position="first")
    assert (result.ok, result.changed, result.hresult) == (False, False, 0x80070005)
    assert machine.network.dns == ["8.8.8.8", "114.114.114.114"]


async def test_what_is_no_address_is_refused(here: Place) -> None:
    for params in ({"servers": ["8.8.8.8 & calc"], "position": "first"},):
        assert (await one(here.machine(), "add-dns", **params)).hresult == 0x80070057
    route = {**LINK_LOCAL, "gateway": "10.0.0.1 & calc"}
    assert (await one(here.machine(), "add-route", **route)).hresult == 0x80070057


# a route


def without_route(here: Place) -> Machine:
    """A server whose route to the provider's services is gone."""
    machine = here.machine()
    machine.network.routes[:] = [
        route for route in machine.network.routes if route.destination != "169.254.0.0"
    ]
    return machine


async def test_a_route_is_added_and_leads_to_the_provider(here: Place) -> None:
    machine = without_route(here)
    result = await twice(machine, "add-route", gateway=machine.gateway, **LINK_LOCAL)
    assert (result.before["hops"], result.after["hops"]) == ("", machine.gateway)
    assert Route("169.254.0.0", "255.255.128.0", machine.gateway) in machine.network.routes
    assert here.errors == []


@pytest.mark.parametrize("shown", [0, 1])
async def test_a_route_by_its_own_address_is_added_whichever_way_it_is_shown(
    here: Place, shown: int
) -> None:
    machine = here.machine(forms=(*FORMS, ("own-hop", shown)))
    to = {"destination": "169.254.169.253", "mask": "255.255.255.255"}
    result = await twice(machine, "add-route", gateway=machine.address, **to)
    assert (result.before["hops"], result.after["hops"]) == ("", machine.address)
    hop = "0.0.0.0" if shown else machine.address
    assert Route(to["destination"], to["mask"], hop) in machine.network.routes
    assert here.errors == []


async def test_name_servers_are_read_anew_after_a_route_asked_for_addresses(here: Place) -> None:
    machine = here.machine("kms-name", forms=(*FORMS, ("own-hop", 1)))
    to = {"destination": "169.254.169.253", "mask": "255.255.255.255"}
    route = step("add-route", gateway=machine.address, **to)
    answer = await agent(machine, route, step("add-dns", servers=DNS, position="first"))
    assert answer.facts["dns"][:2] == DNS


async def test_a_route_by_another_way_is_left_as_it_is(here: Place) -> None:
    machine = without_route(here)
    machine.network.routes.append(Route("169.254.0.0", "255.255.128.0", "10.0.0.77"))
    result = await one(machine, "add-route", gateway=machine.gateway, **LINK_LOCAL)
    assert (result.ok, result.changed, result.after["hops"]) == (True, False, "10.0.0.77")


async def test_a_dead_route_stays_where_a_live_one_stands_beside_it(here: Place) -> None:
    machine = without_route(here)
    for gateway in ("10.9.9.9", machine.gateway):
        machine.network.routes.append(Route("169.254.0.0", "255.255.128.0", gateway))
    routes = list(machine.network.routes)
    result = await one(
        machine, "add-route", gateway=machine.gateway, dead=["10.9.9.9"], **LINK_LOCAL
    )
    assert (result.ok, result.changed) == (True, False)
    assert machine.network.routes == routes


async def test_a_route_that_windows_refuses_is_not_called_added(here: Place) -> None:
    machine = without_route(here)
    result = await one(machine, "add-route", gateway="192.0.2.1", **LINK_LOCAL)
    assert (result.ok, result.changed, result.hresult) == (False, False, 0x80070001)


# the time service


async def test_windows_time_starts_with_the_network(here: Place) -> None:
    machine = here.machine()
    machine.services.configure("W32Time", "Manual")
    restart(machine)
    assert machine.services.get("W32Time").state == "Stopped"
    result = await twice(machine, "set-time-trigger")
    assert result.before == {"triggers": "3/1 3/2"}
    assert result.after == {"triggers": "2/1 2/2"}
    restart(machine)
    assert machine.services.get("W32Time").state == "Running"


async def test_a_trigger_of_a_domain_member_is_left_alone(here: Place) -> None:
    machine = here.machine(domain="corp.example")
    result = await one(machine, "set-time-trigger")
    assert (result.ok, result.hresult) == (False, REFUSED)
    assert machine.registry.number(f"{TRIGGERS}\\0", "Type") == DOMAIN[0][0]


async def test_the_triggers_are_a_fact(here: Place) -> None:
    machine = here.machine()
    assert (await agent(machine)).facts["time"]["triggers"] == "3/1 3/2"
    write_triggers(machine.registry, ())
    assert (await agent(machine)).facts["time"]["triggers"] is None
    old = here.machine(release="2008")
    assert (await agent(old)).facts["time"]["triggers"] is None


def limits(machine: Machine) -> list[int | None]:
    """Both phase limits as they stand in the registry."""
    names = ("MaxPosPhaseCorrection", "MaxNegPhaseCorrection")
    return [machine.registry.number(f"{KEY}\\Config", name) for name in names]


async def test_raised_limits_are_put_back_by_the_next_run(here: Place) -> None:
    machine = here.machine()
    for name in ("MaxPosPhaseCorrection", "MaxNegPhaseCorrection"):
        machine.registry.delete_value(f"{KEY}\\Config", name)
    machine.registry.set(f"{KEY}\\Config", "MaxNegPhaseCorrection", sz("-1"))
    machine.registry.set(f"{KEY}\\Config", "VolactLimits", sz("- 54000"))
    assert (await agent(machine)).facts["time"]["saved"] == "- 54000"
    await twice(machine, "restore-time-limits")
    assert limits(machine) == [None, 54000]
    assert (await agent(machine)).facts["time"]["saved"] is None


async def test_a_limit_that_is_not_set_is_raised_and_gone_again(here: Place) -> None:
    machine = here.machine("clock-3d")
    machine.time.write("NTP", "ntpupdate.tencentyun.com")
    for name in ("MaxPosPhaseCorrection", "MaxNegPhaseCorrection"):
        machine.registry.delete_value(f"{KEY}\\Config", name)
    machine.time.load()
    assert (await one(machine, "sync-clock", raise_limits=True)).ok is True
    assert abs(machine.clock.offset) < 60
    assert limits(machine) == [None, None]


async def test_a_run_that_is_cut_off_puts_the_limits_back_in_the_batch_part(here: Place) -> None:
    machine = here.machine("clock-3d")
    machine.time.write("NTP", "ntpupdate.tencentyun.com")
    machine.time.load()
    request = new_request(
        "apply", machine.world.profile, (step("sync-clock", raise_limits=True),), id="0" * 16
    )
    # As it is written: a larger file shares its strings.
    cut = render(request, handed=True).replace(
        b'runTool("w32tm.exe","/resync /rediscover")', b"WScript.Quit(1)"
    )
    assert b"WScript.Quit(1)" in cut
    machine.files.write(f"{machine.temp}\\agent.bat", cut)
    done = await command(machine, f'cmd.exe /c "{machine.temp}\\agent.bat"')
    answer = read_answer(done.stdout, request.id)
    assert answer.results[0].note == "not known: a call to Windows never returned"
    assert answer.facts["time"]["saved"] == "54000 54000", "raised when the answer was made"
    assert limits(machine) == [54000, 54000]
    assert machine.registry.find(f"{KEY}\\Config", "VolactLimits") is None
    assert machine.time.running.forward == 54000
    assert here.errors == []


# the licence store


def tokens(machine: Machine) -> tuple[bool, bool]:
    """Whether tokens.dat and the store that was kept are there."""
    folder = machine.licensing.store.folder
    return (
        machine.files.is_file(f"{folder}\\tokens.dat"),
        machine.files.is_file(f"{folder}\\tokens.bar"),
    )


@pytest.mark.parametrize("release", ["2008", "2008 R2", "2012", "2016", "2025"])
async def test_the_store_is_made_anew_and_the_old_one_kept(here: Place, release: str) -> None:
    machine = here.machine(release=release)
    machine.licensing.store.become("damaged")
    (result,) = (await slowly(machine, step("rebuild-token-store"))).results
    assert (result.ok, result.changed, result.hresult) == (True, True, None), result
    assert (result.before["spare"], result.after["spare"]) == (False, True)
    assert result.after["restarts"] == 2
    assert machine.licensing.store.state == "filled"
    assert release != "2008" or machine.services.get("SLUINotify").state == "Running"
    assert (await agent(machine)).facts["restart"] == "rebuild-token-store"
    (again,) = (await slowly(machine, step("rebuild-token-store"))).results
    assert (again.ok, again.changed, again.hresult) == (False, False, REFUSED)
    restart(machine)
    assert (await agent(machine)).facts["restart"] is None
    (third,) = (await slowly(machine, step("rebuild-token-store"))).results
    assert (third.hresult, tokens(machine)) == (REFUSED, (True, True))
    assert here.errors == []


async def test_without_microsofts_script_the_store_is_made_anew_all_the_same(here: Place) -> None:
    machine = here.machine("vbscript-missing", index=1)
    machine.licensing.store.become("damaged")
    (result,) = (await slowly(machine, step("rebuild-token-store"))).results
    assert (result.ok, machine.licensing.store.state) == (True, "filled")
    assert len(machine.licensing.store.licences) == 4


async def test_without_the_licences_of_windows_the_old_store_is_put_back(here: Place) -> None:
    machine = here.machine()
    machine.licensing.store.become("damaged")
    for name in LICENCES:
        machine.files.delete(f"{TOKENS}\\{name}")
    (result,) = (await slowly(machine, step("rebuild-token-store"))).results
    assert (result.ok, result.changed, result.hresult) == (False, False, 0x80070002)
    assert result.note == "the old store was restored"
    assert tokens(machine) == (True, False)
    assert machine.licensing.store.state == "damaged"
    assert (await agent(machine)).facts["restart"] is None


async def test_a_store_is_not_begun_without_the_time_to_finish(here: Place) -> None:
    machine = here.machine()
    result = await one(machine, "rebuild-token-store")
    assert (result.ok, result.hresult) == (False, REFUSED)
    assert "--deadline" in result.note
    assert tokens(machine) == (True, False)


async def test_a_service_that_does_not_stop_keeps_its_store(here: Place) -> None:
    machine = here.machine()
    machine.licensing.need_service()
    machine.services.get("sppsvc").stoppable = False
    (result,) = (await slowly(machine, step("rebuild-token-store"))).results
    assert (result.ok, result.changed) == (False, False), result
    assert tokens(machine) == (True, False)
    assert (await agent(machine)).facts["restart"] is None


async def test_licensing_is_restarted(here: Place) -> None:
    machine = here.machine()
    machine.services.start("sppsvc")
    before = machine.services.get("sppsvc").pid
    answer = await slowly(machine, step("rebuild-token-store"))
    assert answer.results[0].ok is True
    assert machine.services.get("sppsvc").pid != before


@pytest.mark.parametrize("state", ["Running", "Stopped"])
async def test_the_notifier_of_2008_that_depends_on_licensing_runs_again_if_it_ran(
    here: Place, state: str
) -> None:
    machine = here.machine(release="2008")
    if state == "Stopped":
        machine.services.stop("SLUINotify")
    before = machine.services.get("slsvc").pid
    (result,) = (await slowly(machine, step("rebuild-token-store"))).results
    assert (result.ok, result.changed, result.hresult) == (True, True, None), result
    assert machine.services.get("slsvc").pid not in (0, before)
    assert machine.services.get("SLUINotify").state == state


@pytest.mark.parametrize("release", ["2008", "2016"])
async def test_what_licensing_does_not_stop_for_is_said_and_runs_on(
    here: Place, release: str
) -> None:
    machine = here.machine(release=release)
    name = machine.release.licensing_service
    machine.services.ensure(name)
    machine.services.add(Service("Other", "Another service", depends=(name,)))
    (result,) = (await slowly(machine, step("rebuild-token-store"))).results
    assert (result.ok, result.changed, result.hresult) == (False, False, 0x8007041B), result
    for running in (name, "Other", *(["SLUINotify"] if release == "2008" else [])):
        assert machine.services.get(running).state == "Running"


@pytest.mark.parametrize("release", ["2008", "2016"])
async def test_a_service_that_stops_by_itself_meanwhile_is_restarted(
    here: Place, release: str
) -> None:
    machine = here.machine(release=release)
    name = "slsvc" if release == "2008" else "sppsvc"
    machine.services.ensure(name)
    machine.services.get(name).idle = True
    (result,) = (await slowly(machine, step("rebuild-token-store"))).results
    assert (result.ok, result.changed, result.hresult) == (True, True, None), result
    assert machine.services.get(name).state == "Running"


# rearm


async def test_a_rearm_gives_a_new_machine_id_after_the_restart(here: Place) -> None:
    machine = here.machine("never-activated")
    before = machine.licensing.cmid
    answer = await agent(machine, step("rearm"))
    (result,) = answer.results
    assert (result.ok, result.changed) == (True, True)
    assert result.before == {"rearm": 3, "cmid": before}
    assert result.after == {"restarts": 1}
    assert answer.facts["restart"] == "rearm"
    again = await one(machine, "rearm")
    assert (again.ok, again.changed, machine.licensing.rearm) == (False, False, 2)
    assert (await one(machine, "activate")).hresult == 0xC004D302
    restart(machine)
    assert machine.licensing.cmid != before
    assert (await agent(machine)).facts["restart"] is None
    assert here.errors == []


@pytest.mark.parametrize(("left", "skip"), [(1, None), (0, None), (3, "1")])
async def test_a_rearm_that_would_do_nothing_or_the_last_is_refused(
    here: Place, left: int, skip: str | None
) -> None:
    machine = here.machine()
    machine.licensing.rearm = left
    if skip:
        machine.registry.set(machine.release.licensing_key, "SkipRearm", sz(skip))
    result = await one(machine, "rearm")
    assert (result.ok, result.changed, result.hresult) == (False, False, REFUSED)
    assert machine.licensing.rearm == left


async def test_a_release_that_does_not_count_its_rearms_is_not_rearmed(here: Place) -> None:
    machine = here.machine(release="2008")
    result = await one(machine, "rearm")
    assert (result.ok, result.hresult) == (False, 0x80041017)


async def test_what_cannot_be_marked_is_not_done(here: Place) -> None:
    machine = here.machine()
    machine.elevated = False
    result = await one(machine, "rearm")
    assert (result.ok, result.hresult, machine.licensing.rearm) == (False, 0x80070005, 3)
