"""The agent's questions on a real Windows Script Host: what Wine knows and what it lacks."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from asking import probe, request, unreadable
from loopback import Loopback
from wine_server import WineServer, staying

from volact.agent.answer import read_answer
from volact.agent.render import render
from volact.core.facts import read_facts
from volact.model.fact import Absent, Known, Unreadable

NT = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion"
W32TIME = r"HKLM\SYSTEM\CurrentControlSet\Services\W32Time"

Open = Callable[..., Loopback]


@pytest.fixture(scope="module")
def plain(wine: WineServer) -> dict[str, Any]:
    """The facts of the server as it was made; asking for them leaves no file there."""
    before = wine.in_temp()
    facts = probe(wine)
    assert wine.leftovers(before) == []
    return facts


def test_what_wine_knows_comes_from_wine(plain: dict[str, Any]) -> None:
    facts = plain
    system = facts["os"]
    assert system["build"] == 7601
    assert system["version"] == "6.1.7601"
    assert system["caption"].startswith("Microsoft Windows")
    assert isinstance(system["sku"], int)
    assert system["language"] == 1033
    assert system["role"] == 0
    assert system["name"]
    assert facts["services"]["RpcSs"][1] == "Manual"
    assert facts["services"]["Schedule"][0] == "Stopped"
    assert facts["services"]["sppuinotify"] is None
    assert abs(facts["time"]["utc"] / 1000 - time.time()) < 300
    assert facts["time"]["bias"] == 0


def test_what_wine_lacks_is_absent_or_unreadable_never_a_guess(plain: dict[str, Any]) -> None:
    facts = plain
    assert facts["licensing"] == unreadable(0x80041002)
    assert facts["products"] == unreadable(0x80041017)
    assert facts["elevated"] == unreadable(0x80070002)
    assert facts["routes"] == unreadable(0x80041002)
    assert set(facts["dns"]) == {"!"}
    assert facts["binary"]["exists"] is False
    assert facts["binary"]["sddl"] is None
    assert facts["binary"]["path"] == "C:\\windows\\System32\\sppsvc.exe"
    assert facts["events"] == {"12288": None, "12289": None, "8198": None}
    assert facts["policy_len"] is None
    wsh = {"machine": None, "user": None, "winsafer": None, "vbscript": True, "slmgr": False}
    assert facts["wsh"] == wsh
    assert facts["registry"]["machine"] is None
    assert facts["os"]["edition"] is None


def test_the_self_checks_hold_in_wines_engine(plain: dict[str, Any]) -> None:
    checks = plain["checks"]
    assert [name for name, seen in checks.items() if isinstance(seen, str)] == []
    assert checks["error-number"] is checks["wmi-column"] is checks["clock"] is True
    assert plain["ground"]["engine"].startswith("JScript 5.")
    assert plain["ground"]["process"] == "AMD64"


def test_what_is_asked_on_need_is_asked_of_wine_too(plain: dict[str, Any]) -> None:
    rights, store = plain["rights"], plain["store"]
    assert isinstance(rights["profiles"], list)
    assert rights["dcom"] is None
    for name in ("profile_key", "hive", "enum_root", "plugplay"):
        assert set(rights[name]) == {"!"}, "Wine has no way to say it"
    assert store["path"] == (
        "C:\\windows\\ServiceProfiles\\NetworkService\\AppData\\Roaming\\Microsoft"
        "\\SoftwareProtectionPlatform"
    )
    assert (store["tokens"], store["spare"], store["sddl"]) == (None, False, None)
    assert isinstance(plain["addresses"], list) or set(plain["addresses"]) == {"!"}


def test_the_core_reads_it(plain: dict[str, Any]) -> None:
    facts = read_facts(plain, None)
    assert facts.os.build == Known(7601)
    assert facts.os.edition == Absent()
    assert facts.products == Unreadable(0x80041017)
    assert facts.licensing.machine == Unreadable(0x80041002)


def test_a_healthy_probe_is_watched(plain: dict[str, Any]) -> None:
    assert plain["blocked"] == []


def test_a_path_with_blanks_and_foreign_letters(wine: WineServer) -> None:
    folder = wine.temp / "ein Ordner für 服务器"
    folder.mkdir()
    os.chown(folder, wine.uid, wine.gid)
    asked = request("probe")
    ran = wine.run_file(render(asked), f"{folder.name}/volact x.bat")
    assert read_answer(ran.stdout.encode(), asked.id).facts["os"]["build"] == 7601
    assert staying(lambda: [file.name for file in folder.iterdir()]) == []
    folder.rmdir()


def test_reach_tells_answering_hosts_from_refusing_and_unknown_ones(
    wine: WineServer, loopback: Open, closed_address: str
) -> None:
    reset, closing, web = loopback("reset"), loopback("close"), loopback("http", {"/": "hello"})
    refusing, unknown = closed_address, "no-such-host.invalid:1688"
    hosts = (reset.address, closing.address, web.address, refusing, unknown)
    reach = probe(wine, kms=hosts)["reach"]
    answering = {0x80072EFE, 0x80072EFF, 0x80072F78, 0x80072746}
    assert reach[reset.address] in answering
    assert reach[closing.address] in answering
    assert reach[web.address] == 0
    assert reach[refusing] == 0x80072EFD
    assert reach[unknown] == 0x80072EE7


def test_a_silent_host_costs_its_own_fact_and_little_time(wine: WineServer, loopback: Open) -> None:
    silent, reset = loopback("silent"), loopback("reset")
    facts = probe(wine, kms=(silent.address, reset.address), connect_ms=3000)
    assert facts["reach"][silent.address] == 0x80072EE2
    assert facts["reach"][reset.address] != 0x80072EE2


def test_metadata_and_its_second_clock(wine: WineServer, loopback: Open) -> None:
    web = loopback("http", {"/image": "  img-abc\n", "/long": "x" * 500})
    web.clock_offset = -18000.0
    base = f"http://{web.address}"
    facts = probe(
        wine,
        metadata={"image-id": f"{base}/image", "region": f"{base}/none", "long": f"{base}/long"},
        headers={"Metadata-Flavor": "some"},
        date=f"{base}/image",
    )
    assert facts["metadata"] == {"image-id": "img-abc", "region": None, "long": "x" * 200}
    assert abs(facts["time"]["ref_at"] - facts["time"]["ref"] - 18_000_000) < 5000
    assert all("Metadata-Flavor: some" in request for request in web.requests)
    assert len(web.requests) == 3  # the page that is asked for twice is fetched once


def test_a_token_comes_before_the_questions_and_a_field_out_of_a_document(
    wine: WineServer, loopback: Open
) -> None:
    document = '{\n  "billingProducts" : [ "bp-6ba54002" ],\n  "kernelId" : null\n}'
    web = loopback("http", {"/latest/api/token": "tok==", "/document": document})
    base = f"http://{web.address}/document"
    names = {"products": f"{base}#billingProducts", "kernel": f"{base}#kernelId", "no": f"{base}#x"}
    facts = probe(wine, metadata=names, token="X-aws-ec2-metadata-token")
    assert facts["metadata"] == {"products": "bp-6ba54002", "kernel": "null", "no": None}
    first, second = web.requests
    assert first.startswith("PUT /latest/api/token ")
    assert "X-aws-ec2-metadata-token-ttl-seconds: 600" in first
    assert "X-aws-ec2-metadata-token: tok==" in second


def test_a_metadata_service_that_is_not_there_is_unreadable(
    wine: WineServer, closed_address: str
) -> None:
    gone = closed_address
    facts = probe(wine, metadata={"image-id": f"http://{gone}/x"}, date=f"http://{gone}/y")
    assert facts["metadata"] == {"image-id": unreadable(0x80072EFD)}
    assert facts["time"]["ref"] == unreadable(0x80072EFD)
    assert facts["time"]["ref_at"] == unreadable(0x80072EFD)


def test_no_redirect_is_followed(wine: WineServer, loopback: Open) -> None:
    elsewhere = loopback("http", {"/x": "img-stolen"})
    web = loopback("http", {"/image": f"-> http://{elsewhere.address}/x", "/same": "-> /image"})
    host = loopback("http", {"*": f"-> http://{elsewhere.address}/x"})
    for page in ("image", "same"):
        url = f"http://{web.address}/{page}"
        facts = probe(
            wine, metadata={"image-id": url}, date=url, kms=(host.address,), connect_ms=20_000
        )
        assert facts["metadata"] == {"image-id": unreadable(0x80190000 + 307)}
        assert facts["time"]["ref"] == unreadable(0x80190000 + 307)
        assert facts["reached"][host.address][0] == "http"
    assert elsewhere.requests == []


@pytest.fixture
def settings(wine: WineServer) -> Iterator[WineServer]:
    """A server whose licensing and time settings are filled in."""
    spp = rf"{NT}\SoftwareProtectionPlatform"
    policy = r"HKLM\SOFTWARE\Policies\Microsoft\Windows NT\CurrentVersion"
    policy += r"\Software Protection Platform"
    wine.set_registry(spp, "KeyManagementServiceName", "kms.example.test")
    wine.set_registry(spp, "KeyManagementServicePort", "1668")
    wine.set_registry(policy, "KeyManagementServiceName", "policy.example.test")
    wine.set_registry(rf"{W32TIME}\Parameters", "NtpServer", "a.example.test,0x9")
    wine.set_registry(rf"{W32TIME}\Config", "MaxPosPhaseCorrection", "0xffffffff", "REG_DWORD")
    wine.set_registry(rf"{W32TIME}\Config", "MaxNegPhaseCorrection", "54000", "REG_DWORD")
    yield wine
    for key in (spp, policy, W32TIME):
        wine.delete_key(key)


def test_registry_settings(settings: WineServer) -> None:
    facts = probe(settings)
    assert facts["registry"]["machine"] == "kms.example.test"
    assert facts["registry"]["port"] == "1668"
    assert facts["registry"]["policy_machine"] == "policy.example.test"
    assert facts["registry"]["policy_port"] is None
    assert facts["time"]["peers"] == "a.example.test,0x9"
    assert facts["time"]["pos"] == 0xFFFFFFFF
    assert facts["time"]["neg"] == 54000


@pytest.fixture
def release(wine: WineServer, request: pytest.FixtureRequest) -> Iterator[WineServer]:
    """The server reporting the release that the test names."""
    wine.set_release(request.param)
    yield wine
    wine.set_release("win2008r2")


@pytest.mark.parametrize(
    ("release", "build"),
    [("win2008", 6002), ("win81", 9600), ("win10", 18362)],
    indirect=["release"],
)
def test_the_release_is_what_windows_says(release: WineServer, build: int) -> None:
    facts = probe(release)
    assert facts["os"]["build"] == build
    # 2008 has another licensing service, and a cache of its own for the host found by DNS.
    assert ("discovered_name" in facts["registry"]) == (build < 7000)
    name = "slsvc.exe" if build < 7000 else "sppsvc.exe"
    assert facts["binary"]["path"].lower() == rf"c:\windows\system32\{name}"
