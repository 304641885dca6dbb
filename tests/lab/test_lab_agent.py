"""The real agent on simulated servers: each fault in the facts, each step's effect."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lab_world import FORMS, SPEC, Place, agent, deny_reading, handed_out, licensed_by, step

from volact.agent.render import render
from volact.agent.request import new_request
from volact_lab.faults import FAULTS
from volact_lab.faults.kms import OFFICE_ID
from volact_lab.session import Start, execute
from volact_lab.windows import acl
from volact_lab.windows.machine import Machine
from volact_lab.windows.registry import dword
from volact_lab.windows.releases import RELEASES
from volact_lab.windows.restart import restart
from volact_lab.windows.w32time import KEY as W32TIME
from volact_lab.windows.w32time import POLICY as TIME_POLICY

Facts = dict[str, Any]
KMS, KMS1 = "kms.tencentyun.com:1688", "kms1.tencentyun.com:1688"
REACHED = 0x80072EFE
INVALID_QUERY = 0x80041017


def variants(here: Place, fault: str, count: int, **changes: Any) -> list[Machine]:
    """One server for each form that a fault takes."""
    found: dict[int, int] = {}
    for index in range(200):
        found.setdefault(replace(SPEC, index=index).variant(fault, count), index)
    assert len(found) == count
    return [here.machine(fault, index=found[form], **changes) for form in sorted(found)]


def product(facts: Facts) -> Facts:
    [only] = [found for found in facts["products"] if not found["LicenseIsAddon"]]
    assert isinstance(only, dict)
    return only


def outcomes(facts: Facts) -> set[str]:
    """What the tries of the KMS hosts mean."""
    return {outcome for outcome, _ in facts["reached"].values()}


def skew_s(facts: Facts) -> float:
    return float(facts["time"]["ref_at"] - facts["time"]["ref"]) / 1000


@pytest.mark.parametrize("release", sorted(RELEASES))
@pytest.mark.parametrize("language", ["en", "zh", "id", "ja", "de"])
async def test_a_healthy_server_answers_every_question(
    here: Place, release: str, language: str
) -> None:
    machine = here.machine(release=release, language=language, index=2)
    answer = await agent(machine)
    facts = answer.facts
    assert here.errors == []
    assert facts["os"]["caption"] == machine.caption
    assert facts["os"]["language"] == machine.language.lcid
    assert facts["os"]["build"] == machine.release.build
    assert product(facts)["LicenseStatus"] == 1
    assert facts["metadata"]["image-id"] == machine.metadata["instance/image-id"]
    assert facts["reach"][KMS] == REACHED
    assert facts["binary"]["sddl"] == machine.licensing_file().dacl.sddl()
    assert facts["events"]["12288"][1][0] == "0x00000000"
    assert abs(skew_s(facts)) < 3
    assert facts["elevated"] is True
    service = facts["services"][machine.release.licensing_service]
    assert service in (["Stopped", "Auto"], ["Running", "Auto"])
    missing = {n for n, f in facts["licensing"].items() if isinstance(f, dict)}
    assert missing == ({"port", "caching", "rearm", "lookup_domain"} if release == "2008" else
                       {"lookup_domain"} if release == "2008 R2" else set())  # fmt: skip


@pytest.mark.parametrize("without", [0, 1])
async def test_on_2008_r2_the_rest_is_read_with_and_without_a_port_of_the_service(
    here: Place, without: int
) -> None:
    forms = (*FORMS, ("service-port", without))
    machine = here.machine("port-1668", release="2008 R2", forms=forms)
    facts = (await agent(machine)).facts
    licensing = facts["licensing"]
    assert (licensing["rearm"], licensing["caching"]) == (machine.licensing.rearm, True)
    assert licensing["port"] == ({"!": INVALID_QUERY} if without else 1668)
    assert facts["registry"]["port"] == "1668"
    assert licensing["lookup_domain"] == {"!": INVALID_QUERY}
    params = {"layer": "service", "hosts": ["kms.tencentyun.com:1688"]}
    (result,) = (await agent(machine, step("set-kms-host", **params))).results
    assert (result.ok, machine.licensing.port()) == (True, 1688), result
    assert here.errors == []


async def test_a_core_server_and_a_domain_member(here: Place) -> None:
    core = await agent(here.machine(core=True))
    assert (core.facts["os"]["install"], core.facts["os"]["sku"]) == ("Server Core", 12)
    member = await agent(here.machine(domain="firma.example", language="de"))
    assert (member.facts["os"]["role"], member.facts["os"]["domain"]) == (3, "firma.example")
    assert member.facts["time"]["type"] == "NT5DS"


async def test_an_account_that_is_not_elevated_says_so(here: Place) -> None:
    machine = here.machine()
    machine.elevated = False
    assert (await agent(machine)).facts["elevated"] is False


Check = Callable[[Facts], bool]
_SEEN: list[tuple[str, int, str, Check]] = [
    ("licensed", 1, "2019", lambda f: product(f)["LicenseStatus"] == 1),
    ("never-activated", 2, "2019", lambda f: product(f)["LicenseStatus"] in (2, 5)),
    ("never-activated", 2, "2008", lambda f: f["registry"]["machine"] is None),
    (
        "kms-host-wrong",
        2,
        "2022",
        lambda f: not f["licensing"]["machine"].endswith("tencentyun.com"),
    ),
    (
        "kms-host-moved",
        1,
        "2022",
        lambda f: "tencentyun.com" not in f["events"]["12288"][1][2],
    ),
    ("port-1668", 1, "2012", lambda f: f["licensing"]["port"] == 1668),
    ("port-1668", 1, "2008", lambda f: f["registry"]["port"] == "1668"),
    ("product-override", 2, "2016", lambda f: "KeyManagementServiceMachine" in product(f)),
    (
        "policy-override",
        1,
        "2016",
        lambda f: f["registry"]["policy_machine"] == "kms.corp.example",
    ),
    ("kms-name", 1, "2016", lambda f: f["reach"][KMS] == 0x80072EE7 and "8.8.8.8" in f["dns"]),
    ("kms-refused", 1, "2016", lambda f: outcomes(f) == {"refused"}),
    ("kms-program-rule", 2, "2022", lambda f: outcomes(f) == {"local"}),
    ("kms-silent", 2, "2019", lambda f: set(f["reach"].values()) == {0x80072EE2}),
    ("kms-count", 2, "2019", lambda f: f["reach"][KMS] == REACHED),
    ("clock-5h", 2, "2016", lambda f: abs(abs(skew_s(f)) - 5 * 3600) < 5),
    ("clock-3d", 2, "2012 R2", lambda f: abs(abs(skew_s(f)) - 3 * 86400) < 5),
    ("w32time-disabled", 2, "2016", lambda f: f["services"]["W32Time"] == ["Stopped", "Disabled"]),
    ("domain-clock", 1, "2016", lambda f: abs(skew_s(f)) > 17000),
    ("sppsvc-disabled", 1, "2016", lambda f: f["services"]["sppsvc"] == ["Stopped", "Disabled"]),
    ("sppsvc-disabled", 1, "2016", lambda f: f["products"] == {"!": 0x80070422}),
    ("sppsvc-disabled", 1, "2008", lambda f: f["services"]["slsvc"] == ["Stopped", "Disabled"]),
    (
        "sppuinotify-stopped",
        1,
        "2008 R2",
        lambda f: f["services"]["sppuinotify"] == ["Stopped", "Manual"],
    ),
    ("execute-denied", 3, "2016", lambda f: f["licensing"] == {"!": 0x80070005}),
    ("kms-debugger", 1, "2016", lambda f: f["binary"]["kms_debugger"].endswith("nothing.exe")),
    ("kms-library", 1, "2016", lambda f: f["binary"]["kms_verifier"] == "unknown.dll"),
    ("ifeo", 1, "2016", lambda f: f["binary"]["debugger"].endswith("systray.exe")),
    ("key-missing", 1, "2019", lambda f: f["products"] == []),
    ("key-retail", 1, "2019", lambda f: product(f)["ProductKeyChannel"] == "Retail"),
    ("edition-evaluation", 2, "2022", lambda f: f["os"]["sku"] == 80),
    ("edition-evaluation", 2, "2012", lambda f: "TIMEBASED_EVAL" in product(f)["Description"]),
    ("image-imported", 2, "2016", lambda f: f["metadata"]["image-id"].startswith("img-lab")),
    ("image-private", 1, "2016", lambda f: f["metadata"]["image-id"] == "img-labprivate"),
    ("image-shared", 1, "2016", lambda f: f["metadata"]["image-id"] == "img-labshared"),
    ("image-retired", 1, "2016", lambda f: f["metadata"]["image-id"] == "img-labretired"),
    ("license-own", 1, "2016", lambda f: product(f)["LicenseStatus"] == 5),
    ("grace-expired", 2, "2016", lambda f: product(f)["LicenseStatus"] == 5),
    ("product-policy", 2, "2016", lambda f: f["policy_len"] == 1960),
    ("clock-late", 1, "2019", lambda f: abs(abs(skew_s(f)) - 5 * 3600) < 5),
    (
        "vbscript-missing",
        3,
        "2025",
        lambda f: False in (f["wsh"]["vbscript"], f["wsh"]["slmgr"]),
    ),
    ("wsh-disabled", 3, "2016", lambda f: 0 in f["wsh"].values()),
    ("self-check", 5, "2016", lambda f: any(isinstance(v, str) for v in f["checks"].values())),
    ("self-check-of-steps", 4, "2016", lambda f: {*f["checks"].values()} == {True}),
    ("shell-unicode", 1, "2016", lambda f: f["os"]["build"] == 14393),
    ("grace-ending", 1, "2019", lambda f: product(f)["GracePeriodRemaining"] < 30 * 1440),
    ("renewal-late", 1, "2019", lambda f: product(f)["GracePeriodRemaining"] < 245_000),
    ("type-forced", 1, "2019", lambda f: product(f)["VLActivationTypeEnabled"] == 1),
    ("kms-firewall", 2, "2019", lambda f: len(f["firewall"]["block"]) == 1),
    (
        "route-dead",
        1,
        "2019",
        lambda f: ["169.254.0.0", "255.255.128.0", "172.31.48.1"] in f["routes"],
    ),
    ("kms-address", 1, "2019", lambda f: f["resolved"][KMS[:-5]][1] == f["licensing"]["machine"]),
    (
        "office-events",
        1,
        "2019",
        lambda f: (
            f["events"]["12288"][1][8] == OFFICE_ID
            and f["events"][f"12288 {product(f)['ID'].lower()}"][1][0] == "0x00000000"
        ),
    ),
    ("kms-too-old", 1, "2019", lambda f: f["events"]["12288"][1][0] == "0xC004F042"),
    ("time-source", 1, "2019", lambda f: f["time"]["peers"] == ""),
    ("licensing-asleep", 1, "2019", lambda f: f["products"] == {"!": 0x8007041D}),
    ("rights", 1, "2019", lambda f: ";;;S-1-5-20)" not in f["rights"]["hive"]),
    ("image-unknown", 1, "2019", lambda f: f["metadata"]["image-id"] == "img-labnobody"),
    ("key-avma", 1, "2019", lambda f: "VIRTUAL_MACHINE" in product(f)["Description"]),
    ("own-key", 1, "2019", lambda f: "VOLUME_MAK" in product(f)["Description"]),
    ("kms-role", 1, "2019", lambda f: product(f)["IsKeyManagementServiceMachine"] == 1),
    ("key-wrong-edition", 1, "2019", lambda f: product(f)["PartialProductKey"] != "63DFG"),
    ("two-keys", 1, "2019", lambda f: len(f["products"]) == 3),
    ("rearm-none", 1, "2019", lambda f: f["licensing"]["rearm"] == 0),
    ("store-damaged", 1, "2019", lambda f: f["store"]["spare"] is False),
    ("not-elevated", 1, "2019", lambda f: f["elevated"] is False),
    ("azure-edition", 1, "2022", lambda f: f["os"]["sku"] == 407),
    (
        "policy-denied",
        1,
        "2019",
        lambda f: f["registry"]["policy_machine"] == {"!": 0x80070005},
    ),
    (
        "clock-local",
        1,
        "2019",
        lambda f: abs(skew_s(f) + f["time"]["bias"] * 60) < 5,
    ),
    ("restart-awaited", 1, "2019", lambda f: f["restart"] == "rearm"),
    ("renewal-refused", 1, "2019", lambda f: f["events"]["12288"][1][0] == "0x800706BA"),
    ("kms-pinned", 1, "2019", lambda f: f["licensing"]["machine"] == "20.118.99.224"),
    ("kms-undiscovered", 1, "2019", lambda f: "0x8007232B" in f["events"]["8198"][1][0]),
    ("version-23h2", 1, "2022", lambda f: f["os"]["build"] == 25398),
    ("build-to-come", 1, "2025", lambda f: f["os"]["build"] == 29999),
    ("clock-vm", 1, "2019", lambda f: abs(skew_s(f) - 5 * 3600) < 5),
    ("kms-clock", 1, "2019", lambda f: f["events"]["12288"][1][0] == "0xC004F06C"),
    ("kms-other-service", 1, "2019", lambda f: f["events"]["12288"][1][0] == "0x800706B5"),
    ("key-mak", 2, "2019", lambda f: f["online"] == {"proxy": None, "outcome": "name"}),
    ("directory-object", 1, "2019", lambda f: "0xC004F081" in f["events"]["8198"][1][0]),
    (
        "emulator",
        2,
        "2019",
        lambda f: (
            f["licensing"]["machine"] == "127.0.0.2"
            or product(f)["GracePeriodRemaining"] > 2 * 259_200
        ),
    ),
    ("azure-no-way-out", 1, "2019", lambda f: "azkms" in f["licensing"]["machine"]),
    ("azure-edition-cut-off", 1, "2022", lambda f: f["os"]["sku"] == 407),
    ("azure-edition-watermark", 1, "2022", lambda f: product(f)["GenuineStatus"] == 1),
    (
        "aws-own-licence",
        1,
        "2019",
        lambda f: ["169.254.169.254", "255.255.255.255"] in [row[:2] for row in f["routes"]],
    ),
    ("limits-raised", 1, "2019", lambda f: f["time"]["saved"] == "54000 54000"),
    (
        "w32time-stopped",
        1,
        "2019",
        lambda f: f["services"]["W32Time"] == ["Stopped", "Manual"],
    ),
]


def test_every_fault_of_a_server_is_looked_for() -> None:
    on_the_server = {name for name, fault in FAULTS.items() if not fault.error}
    blocked = {"call-blocked", "activation-blocked"}  # tests/lab/test_lab_watchdog.py
    assert {fault for fault, *_ in _SEEN} | blocked == on_the_server, "each has a line in _SEEN"


def test_the_page_about_the_lab_names_every_fault() -> None:
    page = (Path(__file__).parents[2] / "docs" / "lab.md").read_text("utf-8")
    table = page.partition("\n## Faults\n")[2].partition("\n## ")[0]
    named = set(re.findall(r"[a-z0-9]+(?:-[a-z0-9]+)*", table))
    assert not set(FAULTS) - named, "the table of faults in docs/lab.md"


@pytest.mark.parametrize(("fault", "forms", "release", "seen"), _SEEN)
async def test_each_fault_is_visible_in_the_facts(
    here: Place, fault: str, forms: int, release: str, seen: Check
) -> None:
    domain = "corp.example" if FAULTS[fault].domain_member else ""
    for machine in variants(here, fault, forms, release=release, domain=domain):
        answer = await agent(machine)
        assert seen(answer.facts), answer.facts
    assert here.errors == []


async def test_services_are_enabled_and_started(here: Place) -> None:
    machine = here.machine("sppsvc-disabled", release="2008 R2")
    enabled = step("enable-service", name="sppsvc", start="delayed-auto")
    answer = await agent(machine, enabled, step("start-service", name="sppsvc"))
    assert [(r.ok, r.changed) for r in answer.results] == [(True, True)] * 2
    service = machine.services.get("sppsvc")
    assert (service.start, service.delayed, service.state) == ("Auto", True, "Running")
    assert product(answer.facts)["LicenseStatus"] == 5


async def test_plug_and_play_is_seen_disabled_and_enabled(here: Place) -> None:
    machine = here.machine()
    machine.services.configure("PlugPlay", "Disabled")
    assert (await agent(machine)).facts["services"]["PlugPlay"] == ["Running", "Disabled"]
    answer = await agent(machine, step("enable-service", name="PlugPlay", start="demand"))
    assert [(r.ok, r.changed) for r in answer.results] == [(True, True)]
    assert answer.facts["services"]["PlugPlay"] == ["Running", "Manual"]


async def test_since_2012_the_licensing_service_is_enabled_by_the_next_start(here: Place) -> None:
    machine = here.machine("sppsvc-disabled", release="2019")
    steps = (
        step("enable-service", name="sppsvc", start="delayed-auto"),
        step("start-service", name="sppsvc"),
        step("activate"),
    )
    answer = await agent(machine, *steps)
    enabled, started, activated = answer.results
    assert (enabled.ok, enabled.changed) == (True, True)
    assert enabled.before == {"state": "Stopped", "start": "Disabled", "registry": 4,
                              "delayed": None}  # fmt: skip
    assert enabled.after == {"state": "Stopped", "start": "Disabled", "registry": 2,
                             "via": "registry"}  # fmt: skip
    assert "restart" in enabled.note
    assert [(r.ok, r.changed, r.hresult) for r in (started, activated)] == [
        (False, False, None)
    ] * 2
    assert answer.facts["restart"] == "enable-service"
    [again] = (await agent(machine, steps[0])).results
    assert (again.ok, again.changed) == (True, False)
    restart(machine)
    service = machine.services.get("sppsvc")
    assert (service.start, service.delayed) == ("Auto", True)
    answer = await agent(machine, *steps)
    assert [result.ok for result in answer.results] == [True] * 3
    assert answer.facts["restart"] is None
    assert product(answer.facts)["LicenseStatus"] == 1
    assert here.errors == []


async def test_a_key_that_may_not_be_written_leaves_no_mark(here: Place) -> None:
    machine = here.machine("sppsvc-disabled", release="2019")
    machine.registry.denied = lambda path, write: write and "services\\sppsvc" in path.lower()
    [result] = (
        await agent(machine, step("enable-service", name="sppsvc", start="delayed-auto"))
    ).results
    assert (result.ok, result.changed, result.hresult) == (False, False, 0x80070005)
    assert (await agent(machine)).facts["restart"] is None


async def test_a_disabled_service_does_not_start(here: Place) -> None:
    answer = await agent(here.machine("sppsvc-disabled"), step("start-service", name="sppsvc"))
    [result] = answer.results
    assert (result.ok, result.changed, result.hresult) == (False, False, 0x80070422)


@pytest.mark.parametrize("release", ["2008", "2016"])
async def test_execute_is_granted_and_the_owner_put_back(here: Place, release: str) -> None:
    for machine in variants(here, "execute-denied", 3, release=release):
        grant = step("grant-execute", sid=acl.NETWORK_SERVICE, deny=[])
        answer = await agent(machine, grant)
        [result] = answer.results
        assert (result.ok, result.changed) == (True, True), result
        node = machine.licensing_file()
        assert node.dacl.allows(acl.NETWORK_SERVICE_TOKEN, acl.EXECUTE)
        assert node.owner == acl.TRUSTED_INSTALLER
        assert product(answer.facts)["LicenseStatus"] == 5


async def test_the_clock_is_set_from_the_providers_time(here: Place) -> None:
    for machine in variants(here, "clock-5h", 2):
        source = step("set-time-source", peers=["ntpupdate.tencentyun.com"])
        answer = await agent(machine, source, step("sync-clock", within_s=60))
        assert [result.ok for result in answer.results] == [True, True], answer.results
        assert abs(machine.clock.offset) < 60
        assert machine.time.running.peers == ("ntpupdate.tencentyun.com",)


@pytest.mark.parametrize("policy", [None, 0, 1])
async def test_what_policy_says_of_the_ntp_client_rules(here: Place, policy: int | None) -> None:
    (machine,) = variants(here, "clock-5h", 1)
    client = "TimeProviders\\NtpClient"
    machine.registry.set(f"{W32TIME}\\{client}", "Enabled", dword(int(policy == 0)))
    if policy is not None:
        machine.registry.set(f"{TIME_POLICY}\\{client}", "Enabled", dword(policy))
    machine.time.load()
    time = (await agent(machine)).facts["time"]
    assert (time["client"], time["policy_client"]) == (int(policy == 0), policy)
    source = step("set-time-source", peers=["ntpupdate.tencentyun.com"])
    answer = await agent(machine, source, step("sync-clock", within_s=60))
    assert answer.results[1].ok is (policy == 1), answer.results


async def test_a_far_clock_needs_raised_limits_which_are_put_back(here: Place) -> None:
    machine = variants(here, "clock-3d", 2)[0]
    refused = await agent(machine, step("sync-clock", within_s=60))
    assert refused.results[0].ok is False
    assert abs(machine.clock.offset) > 200000
    answer = await agent(machine, step("sync-clock", within_s=60, raise_limits=True))
    assert answer.results[0].ok is True
    assert abs(machine.clock.offset) < 60
    assert (answer.facts["time"]["pos"], answer.facts["time"]["neg"]) == (54000, 54000)


async def test_a_domain_members_time_source_is_left_alone(here: Place) -> None:
    machine = here.machine("domain-clock", domain="corp.example")
    answer = await agent(machine, step("set-time-source", peers=["ntpupdate.tencentyun.com"]))
    assert answer.results[0].ok is False
    assert machine.time.running.type == "NT5DS"


async def test_a_time_source_that_cannot_be_read_is_left_alone(here: Place) -> None:
    """What it was could not be restored."""
    machine = variants(here, "clock-5h", 2)[0]
    deny_reading(machine, "w32time\\parameters")
    peers = machine.time.running.peers
    answer = await agent(machine, step("set-time-source", peers=["time1.tencentyun.com"]))
    [result] = answer.results
    assert (result.ok, result.changed, result.hresult) == (False, False, 0x80070005)
    assert machine.time.running.peers == peers


async def test_a_domain_members_clock_is_left_alone(here: Place) -> None:
    """Neither are its phase limits: the file that is handed out has the step for every server."""
    machine = here.machine("domain-clock", domain="corp.example")
    answer = await agent(machine, step("sync-clock", within_s=60, raise_limits=True))
    assert (answer.results[0].ok, answer.results[0].changed) == (False, False)
    assert answer.results[0].note == "a domain member takes its time from the domain"
    assert "limits" not in answer.results[0].after


@pytest.mark.parametrize("release", sorted(RELEASES))
async def test_key_host_and_activation_on_every_release(here: Place, release: str) -> None:
    machine = here.machine("key-missing", release=release, index=2)
    machine.licensing.set_machine("kms.corp.example")
    key = machine.edition.gvlk
    answer = await agent(
        machine,
        step("install-key", keys={f"{machine.release.build}/{machine.sku}": key}, replace=False),
        step("set-kms-host", layer="service", hosts=[KMS]),
        step("activate"),
    )
    assert [result.ok for result in answer.results] == [True] * 3, answer.results
    assert product(answer.facts)["LicenseStatus"] == 1
    assert answer.facts["registry"]["machine"] == "kms.tencentyun.com"
    assert machine.licensing.activations == 1
    assert key not in str(answer)
    assert here.errors == []


async def test_the_first_reachable_host_of_2016_is_taken(here: Place) -> None:
    for index in range(12):
        machine = here.machine("kms-host-wrong", index=index)
        gone = machine.spec.variant("old-host-gone", 3) == 0
        answer = await agent(machine, step("set-kms-host", layer="service", hosts=[KMS1, KMS]))
        assert answer.results[0].ok is True
        wanted = "kms.tencentyun.com" if gone else "kms1.tencentyun.com"
        assert machine.licensing.machine() == wanted


async def test_a_products_own_host_is_cleared(here: Place) -> None:
    for machine in variants(here, "product-override", 2):
        own = machine.licensing.products[0]
        clear = step("clear-kms-host", layer="product", product=own.id)
        answer = await agent(machine, clear, step("activate"))
        assert [result.ok for result in answer.results] == [True, True], answer.results
        assert (machine.licensing.machine(own), machine.licensing.port(own)) == (None, 0)


async def test_a_refused_activation_says_why(here: Place) -> None:
    machine = here.machine("kms-count")
    answer = await agent(machine, step("activate"))
    [result] = answer.results
    assert (result.ok, result.hresult) == (False, 0xC004F038)
    assert answer.facts["events"]["12289"][1][0] == "0xC004F038"


async def test_nothing_is_left_behind(here: Place) -> None:
    machine = here.machine(user="GONGSI\\王伟", language="zh")
    await agent(machine)
    assert [node.path for node in machine.files.children(machine.temp)] == []


async def test_answers_stay_small(here: Place) -> None:
    for release in sorted(RELEASES):
        machine = here.machine(release=release, language="ja")
        facts = (await agent(machine)).facts
        assert len(str(facts)) < 8000


@pytest.mark.parametrize(
    ("fault", "code", "word"),
    [
        ("licensed", 0, "Nothing to change"),
        ("kms-host-wrong", 0, "ACTIVATED"),
        ("execute-denied", 0, "ACTIVATED"),
        ("product-override", 0, "ACTIVATED"),
        ("kms-refused", 1, "NOT ACTIVATED"),
        ("key-retail", 2, "REFUSED"),
        ("wsh-disabled", 2, "REFUSED"),
    ],
)
async def test_the_file_for_a_person_tells_the_truth(
    here: Place, fault: str, code: int, word: str
) -> None:
    machine = here.machine(fault, language="zh")
    result = await handed_out(machine)
    path = f"{machine.home}\\activate-win.bat"
    assert result.exit_code == code, result.stdout
    lines = result.stdout.decode("ascii").splitlines()
    assert any(line.startswith(word) for line in lines), lines
    assert machine.files.is_file(path)
    assert [node.path for node in machine.files.children(machine.temp)] == []
    left = {node.name for node in machine.files.children(machine.home)}
    assert left == {"AppData", "activate-win.bat"}
    assert here.errors == []


@pytest.mark.parametrize("host", [None, "kms.corp.example", "kms.core.windows.net"])
async def test_what_active_directory_licensed_is_left_alone(here: Place, host: str | None) -> None:
    machine = here.machine(domain="corp.example")
    machine.licensing.products[0].forced = 1
    machine.licensing.clear("KeyManagementServiceName")
    if host:
        machine.licensing.set_machine(host)
    result = await handed_out(machine)
    text = result.stdout.decode("ascii")
    assert result.exit_code == 0, text
    assert "\nNothing to change" in text
    assert "\nACTIVATED by Active Directory." in text
    assert machine.licensing.machine() == host


async def test_an_old_licence_is_no_activation(here: Place) -> None:
    machine = licensed_by(here, "kms.core.windows.net", "kms-count")
    machine.licensing.products[0].set_state(1, 0, 257_075)
    machine.licensing.set_machine("kms.core.windows.net")
    result = await handed_out(machine)
    text = result.stdout.decode("ascii")
    assert result.exit_code == 1, text
    assert "\nNOT ACTIVATED: 0xC004F038, KMS host kms" in text
    assert "\nACTIVATED" not in text
    assert "\nMeaning: The KMS host answered, but too few machines" in text
    assert "\nThe earlier licence is valid" in text


async def test_a_companys_own_licence_is_not_given_up(here: Place) -> None:
    machine = licensed_by(here, "kms.corp.example")
    result = await handed_out(machine)
    text = result.stdout.decode("ascii")
    assert result.exit_code == 2, text
    assert "\nREFUSED: this server is licensed by kms.corp.example:1688" in text
    assert machine.licensing.machine() == "kms.corp.example"


async def test_the_licence_of_another_cloud_is_moved(here: Place) -> None:
    machine = licensed_by(here, "azkms.core.windows.net")
    result = await handed_out(machine)
    assert result.exit_code == 0, result.stdout
    assert b"\nACTIVATED by kms" in result.stdout


async def test_a_restart_that_is_left_is_said(here: Place) -> None:
    machine = here.machine("sppsvc-disabled", release="2019")
    result = await handed_out(machine)
    assert result.exit_code == 1, result.stdout
    assert b"\nRestart this server, then run this file again" in result.stdout
    result = await handed_out(machine)
    assert result.exit_code == 2, result.stdout
    assert b"\nREFUSED: restart Windows first" in result.stdout
    restart(machine)
    result = await handed_out(machine)
    assert (result.exit_code, b"\nACTIVATED" in result.stdout) == (0, True), result.stdout


async def test_a_script_that_is_stopped_has_not_activated(here: Place) -> None:
    machine = here.machine("never-activated")
    result = await handed_out(machine, (b"WScript.Quit(main());", b"main();WScript.Quit(7);"))
    lines = result.stdout.decode("ascii").splitlines()
    assert result.exit_code == 1, lines
    assert lines[-1] == "NOT ACTIVATED: the script ended early (7); run this file again."


@pytest.mark.parametrize(
    ("line", "waits"),
    [
        ('C:\\Windows\\system32\\cmd.exe /c ""C:\\x y\\activate-win.bat" "', True),
        ('C:\\Windows\\System32\\cmd.exe /C "C:\\x\\activate-win.bat" ', True),
        ('"C:\\Windows\\system32\\cmd.exe" /c ""C:\\x\\activate-win.bat""', False),
        ('cmd /c "C:\\x\\activate-win.bat"', False),
        ('"C:\\Windows\\system32\\cmd.exe" ', False),
    ],
)
async def test_only_a_window_of_its_own_waits(machine: Machine, line: str, waits: bool) -> None:
    """Also one that was elevated, or is Windows Terminal's: neither has SESSIONNAME."""
    data = render(new_request("standalone", None, id="0" * 16), keep=True, handed=True)
    end = data.partition(b'if "%rc%"=="12" set "x=2"\r\n')[2].partition(b"\r\n*/")[0]
    wait = end.replace(b'"%sys%\\timeout.exe" /t 300 2>nul', b"echo waits")
    assert wait != end
    machine.files.write(f"{machine.home}\\end.bat", b"@echo off\r\n" + wait)
    start = Start(variables={"CMDCMDLINE": line, "sys": "C:\\Windows\\System32", "x": "0"})
    ran = await asyncio.to_thread(execute, machine, "end.bat", limit_s=600, start=start)
    assert (b"waits" in ran.stdout, ran.exit_code) == (waits, 0), ran
