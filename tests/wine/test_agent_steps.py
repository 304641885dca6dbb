"""The agent's steps on a real Windows Script Host: done where Wine can, else reported."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from asking import apply
from loopback import Loopback
from wine_server import WineServer

NT = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion"
SPP = rf"{NT}\SoftwareProtectionPlatform"
SL = rf"{NT}\SL"
APP = "55c92734-d682-4d71-983e-d6ec3f16059f"
PRODUCT = "34e1ae55-27f8-4950-8877-7a03be5fb181"
STORE = (
    r"C:\windows\ServiceProfiles\NetworkService\AppData\Roaming\Microsoft"
    r"\SoftwareProtectionPlatform"
)
NAME, PORT = "KeyManagementServiceName", "KeyManagementServicePort"

Open = Callable[..., Loopback]


@pytest.fixture
def licensing_service(wine: WineServer, request: pytest.FixtureRequest) -> Iterator[WineServer]:
    """The server with a licensing service that is stopped, or disabled if the test wants that."""
    wine.create_service("sppsvc", getattr(request, "param", "demand"))
    yield wine
    wine.delete_service("sppsvc")


@pytest.fixture
def clean_registry(wine: WineServer) -> Iterator[WineServer]:
    """The server; what the test wrote about KMS hosts is removed after it."""
    yield wine
    for key in (SPP, SL):
        wine.delete_key(key)
    wine.set_release("win2008r2")


def test_start_service_really_starts_it(licensing_service: WineServer) -> None:
    assert licensing_service.service_state("sppsvc") == "STOPPED"
    step = {"do": "start-service", "name": "sppsvc"}
    answer = apply(licensing_service, step)
    (result,) = answer.results
    assert (result.ok, result.changed, result.hresult) == (True, True, None)
    assert result.before == {"state": "Stopped", "start": "Manual"}
    assert result.after == {"state": "Running", "start": "Manual"}
    assert answer.facts["services"]["sppsvc"] == ["Running", "Manual"]
    assert licensing_service.service_state("sppsvc") == "RUNNING"
    (again,) = apply(licensing_service, step).results
    assert (again.ok, again.changed) == (True, False)


def test_a_store_that_cannot_be_rebuilt_is_put_back_and_licensing_runs(
    licensing_service: WineServer,
) -> None:
    made = licensing_service.cmd(rf'md "{STORE}" && echo x>"{STORE}\tokens.dat"')
    (result,) = apply(licensing_service, {"do": "rebuild-token-store"}).results
    licensing_service.cmd(rf'rd /s /q "{STORE}"')
    assert made.code == 0, made
    assert (result.ok, result.changed) == (False, False)
    assert result.note == "the old store was restored"
    assert (result.before["spare"], result.after["spare"]) == (False, False)
    assert result.after["tokens"] == result.before["tokens"] > 0
    assert licensing_service.service_state("sppsvc") == "RUNNING"


@pytest.mark.parametrize("licensing_service", ["disabled"], indirect=True)
def test_a_service_that_stays_disabled_is_not_called_enabled(licensing_service: WineServer) -> None:
    """Wine's ``sc config`` does nothing: the step must report what is, not what it tried."""
    answer = apply(
        licensing_service,
        {"do": "enable-service", "name": "sppsvc", "start": "delayed-auto"},
        {"do": "start-service", "name": "sppsvc"},
        {"do": "activate", "unless_failed": ["start-service"]},
    )
    enabled, started, activated = answer.results
    assert (enabled.ok, enabled.changed, enabled.after["start"]) == (False, False, "Disabled")
    assert enabled.note
    assert (started.ok, started.hresult) == (False, 0x80070422)
    assert (activated.ok, activated.note) == (False, "skipped: start-service failed")
    assert answer.facts["services"]["sppsvc"] == ["Stopped", "Disabled"]


def test_a_service_that_is_not_there(wine: WineServer) -> None:
    answer = apply(
        wine,
        {"do": "start-service", "name": "sppuinotify", "optional": True},
        {"do": "start-service", "name": "sppuinotify"},
        {"do": "enable-service", "name": "nosuch", "start": "auto"},
        {"do": "start-service", "name": "x' OR Name='y"},
    )
    optional, missing, disabled, hostile = answer.results
    assert (optional.ok, optional.changed) == (True, False)
    assert (missing.ok, missing.hresult) == (False, 0x80070424)
    assert (disabled.ok, disabled.hresult) == (False, 0x80070424)
    assert (hostile.ok, hostile.hresult) == (False, 0x80070057)


def test_the_first_kms_host_that_answers_is_set(
    clean_registry: WineServer, loopback: Open, closed_address: str
) -> None:
    wine, first, second = clean_registry, loopback("reset"), loopback("close")
    gone = closed_address
    answer = apply(
        wine,
        {"do": "set-kms-host", "layer": "service", "hosts": [gone, first.address, second.address]},
        {"do": "set-kms-host", "layer": "service", "hosts": [second.address, first.address]},
        {"do": "set-kms-host", "layer": "service", "hosts": [gone]},
    )
    changed, kept, unreachable = answer.results
    assert (changed.ok, changed.changed) == (True, True)
    assert changed.before == {"host": None}
    assert changed.after == {"host": first.address, "via": "registry"}
    assert (kept.ok, kept.changed, kept.after) == (True, False, {"host": first.address})
    assert (unreachable.ok, unreachable.changed) == (False, False)
    assert unreachable.hresult == 0x80072EFD
    assert answer.facts["registry"]["machine"] == "127.0.0.1"
    assert wine.registry(SPP, NAME) == "REG_SZ 127.0.0.1"
    assert wine.registry(SPP, PORT) == f"REG_SZ {first.port}"


def test_the_host_of_one_product_is_set_and_cleared(
    clean_registry: WineServer, loopback: Open
) -> None:
    wine, host, key = clean_registry, loopback("reset"), rf"{SPP}\{APP}\{PRODUCT}"
    layer = {"layer": "product", "product": PRODUCT}
    (result,) = apply(wine, {"do": "set-kms-host", **layer, "hosts": [host.address]}).results
    assert result.ok
    assert wine.registry(key, NAME) == "REG_SZ 127.0.0.1"
    assert wine.registry(SPP, NAME) is None
    cleared, again = apply(
        wine, {"do": "clear-kms-host", **layer}, {"do": "clear-kms-host", **layer}
    ).results
    assert (cleared.ok, cleared.changed) == (True, True)
    assert cleared.before == {"host": host.address}
    assert cleared.after == {"host": None, "via": "registry"}
    assert (again.ok, again.changed) == (True, False)
    assert wine.registry(key, NAME) is None
    assert wine.registry(key, PORT) is None


def test_server_2008_has_its_settings_elsewhere(clean_registry: WineServer, loopback: Open) -> None:
    wine, host = clean_registry, loopback("reset")
    wine.set_release("win2008")
    step = {"do": "set-kms-host", "layer": "service", "hosts": [host.address]}
    assert apply(wine, step).results[0].ok
    assert wine.registry(SL, NAME) == "REG_SZ 127.0.0.1"
    assert wine.registry(SL, PORT) == f"REG_SZ {host.port}"
    assert wine.registry(SPP, NAME) is None
    assert apply(wine, {"do": "clear-kms-host", "layer": "service"}).results[0].changed
    assert wine.registry(SL, NAME) is None


def test_what_wine_cannot_do_ends_with_its_hresult(wine: WineServer) -> None:
    answer = apply(
        wine,
        {"do": "activate"},
        {"do": "install-key", "keys": {"7601/7": "YC6KT-GKW9T-YTKYR-T4X34-R7VHC"}},
        {"do": "grant-execute", "sid": "S-1-5-20", "deny": ["S-1-5-20"]},
        {"do": "set-time-source", "peers": ["time.example.test"]},
        {"do": "sync-clock", "within_s": 60},
        {"do": "make-coffee"},
    )
    assert [result.ok for result in answer.results] == [False] * 6
    assert [result.changed for result in answer.results] == [False] * 6
    codes = [result.hresult for result in answer.results]
    assert codes[:2] == [0x80041017] * 2  # the product class has no such columns
    assert codes[2:5] == [0x80070002] * 3  # no sppsvc.exe, no w32tm.exe
    assert codes[5:] == [0x80070032]


def test_builds_and_a_right_clock_keep_steps_away(wine: WineServer, loopback: Open) -> None:
    web = loopback("http", {"/": "x"})
    answer = apply(
        wine,
        {"do": "activate", "builds": [9200, 30000]},
        {"do": "set-time-source", "peers": ["time.example.test"], "clock_off": 300},
        {"do": "sync-clock", "within_s": 60},
        date=f"http://{web.address}/",
    )
    assert [(result.ok, result.changed) for result in answer.results] == [(True, False)] * 3
    assert [result.note for result in answer.results] == [
        "not for this release",
        "the clock is right",
        "the clock is right",
    ]


def test_phase_limits_are_put_back(wine: WineServer, loopback: Open) -> None:
    """The resync itself fails here (no w32tm): even then the limits are what they were."""
    web = loopback("http", {"/": "x"})
    web.clock_offset = 3 * 86400.0
    config = r"HKLM\SYSTEM\CurrentControlSet\Services\W32Time\Config"
    wine.set_registry(config, "MaxPosPhaseCorrection", "54000", "REG_DWORD")
    wine.set_registry(config, "MaxNegPhaseCorrection", "0xffffffff", "REG_DWORD")
    step = {"do": "sync-clock", "within_s": 60, "raise_limits": True}
    (result,) = apply(wine, step, date=f"http://{web.address}/").results
    assert (result.ok, result.hresult) == (False, 0x80070002)
    limits = {"MaxPosPhaseCorrection": 54000, "MaxNegPhaseCorrection": 0xFFFFFFFF}
    assert result.before["limits"] == limits
    assert result.after["limits"] == limits
    assert wine.registry(config, "MaxPosPhaseCorrection") == "REG_DWORD 0xd2f0"
    assert wine.registry(config, "MaxNegPhaseCorrection") == "REG_DWORD 0xffffffff"
    wine.delete_key(r"HKLM\SYSTEM\CurrentControlSet\Services\W32Time")


def test_nothing_is_left_in_the_temporary_folder(wine: WineServer) -> None:
    before = wine.in_temp()
    apply(wine, {"do": "grant-execute", "sid": "S-1-5-20", "deny": []}, {"do": "activate"})
    assert wine.leftovers(before) == []
