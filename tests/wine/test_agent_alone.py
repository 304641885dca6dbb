"""The file that is handed out, and a server on which scripts are switched off."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from asking import PATIENT_S, answer_of, apply, request, standalone
from loopback import Loopback
from wine_server import WineServer

from volact.agent.render import render

WSH = r"SOFTWARE\Microsoft\Windows Script Host\Settings"

Open = Callable[..., Loopback]


@pytest.fixture
def handed_out(wine: WineServer) -> Iterator[WineServer]:
    """The server; the file that stays there is removed after the test."""
    yield wine
    (wine.temp / "activate-win.bat").unlink(missing_ok=True)


def test_it_talks_and_tells_the_truth(handed_out: WineServer) -> None:
    ran = standalone(
        handed_out,
        {"do": "start-service", "name": "sppuinotify", "optional": True},
        {"do": "activate"},
        title="Some Cloud",
    )
    assert ran.code == 1
    assert "activation of this server with Some Cloud" in ran.stdout
    assert "Server 2008 R2" in ran.stdout
    assert "start-service sppuinotify: already done" in ran.stdout
    assert "activate: FAILED 0x80041017" in ran.stdout
    assert "NOT ACTIVATED: 0x80041017" in ran.stdout
    assert "VOLACT1" not in ran.stdout
    assert ran.stdout.isascii()
    # It keeps itself and nothing else.
    assert handed_out.leftovers(["activate-win.bat"]) == []
    assert handed_out.in_temp() == ["activate-win.bat"]


def test_a_name_may_hold_what_cmd_takes_for_more(wine: WineServer) -> None:
    name = "R&D ^1.bat"
    ran = wine.run_file(render(request("standalone"), keep=True, deadline_s=PATIENT_S), name)
    (wine.temp / name).unlink()
    assert "volact: activation of this server" in ran.stdout, ran


def test_a_step_that_keeps_activation_from_being_tried_is_named(handed_out: WineServer) -> None:
    ran = standalone(
        handed_out,
        {"do": "set-kms-host", "layer": "service", "hosts": ["no-such-host.invalid:1688"]},
        {"do": "activate", "unless_failed": ["set-kms-host"]},
        kms=("no-such-host.invalid:1688",),
    )
    assert ran.code == 1
    assert re.search(r"Reachable +no-such-host\.invalid:1688: no \(0x80072EE7\)", ran.stdout)
    assert "activate: skipped (skipped: set-kms-host failed)" in ran.stdout
    # Wine lacks columns of the products: of such a server no KMS host is replaced.
    assert "NOT ACTIVATED: set-kms-host failed with 0x80041017 (the licence could" in ran.stdout


def test_an_image_that_is_not_covered_is_refused(handed_out: WineServer, loopback: Open) -> None:
    web = loopback("http", {"/image": "img-mine"})
    ran = standalone(
        handed_out,
        {"do": "activate"},
        metadata={"image-id": f"http://{web.address}/image"},
        refuse={"image-id": {"img-mine": "the server uses your own licence"}},
    )
    assert ran.code == 2
    assert "REFUSED: image-id img-mine: the server uses your own licence" in ran.stdout
    assert "activate:" not in ran.stdout


@pytest.fixture
def scripts_off(wine: WineServer, request: pytest.FixtureRequest) -> Iterator[WineServer]:
    """The server with Windows Script Host switched off, in one of its two spellings."""
    hive, value, kind = request.param
    wine.set_registry(rf"{hive}\{WSH}", "Enabled", value, kind)
    yield wine
    wine.delete_key(rf"{hive}\{WSH}")
    (wine.temp / "activate-win.bat").unlink(missing_ok=True)


@pytest.mark.parametrize(
    ("scripts_off", "fact"),
    [
        (("HKLM", "0", "REG_DWORD"), {"machine": 0}),
        (("HKLM", "0", "REG_SZ"), {"machine": 0}),
        (("HKCU", "0", "REG_DWORD"), {"user": 0}),
    ],
    indirect=["scripts_off"],
)
def test_switched_off_scripts_are_a_fact(scripts_off: WineServer, fact: dict[str, int]) -> None:
    before = scripts_off.in_temp()
    assert answer_of(scripts_off, request("probe")).facts == {"wsh": fact}
    answer = apply(scripts_off, {"do": "activate"})
    assert (answer.facts, answer.results) == ({"wsh": fact}, ())
    assert scripts_off.leftovers(before) == []


@pytest.mark.parametrize("scripts_off", [("HKLM", "0", "REG_SZ")], indirect=True)
def test_a_person_is_told_that_scripts_are_off(scripts_off: WineServer) -> None:
    ran = standalone(scripts_off, {"do": "activate"})
    assert ran.code == 2
    assert "REFUSED: Windows Script Host is disabled" in ran.stdout


@pytest.mark.parametrize("scripts_off", [("HKLM", "1", "REG_DWORD")], indirect=True)
def test_scripts_that_are_on_run(scripts_off: WineServer) -> None:
    assert answer_of(scripts_off, request("probe")).facts["wsh"]["machine"] == 1


def test_nothing_is_written_beside_the_file_or_left_anywhere(wine: WineServer) -> None:
    """The script that runs lies in a new folder where only administrators may make one."""
    asked = request("probe")
    folder = wine.temp / "read-only"
    folder.mkdir()
    (folder / "volact-x.bat").write_bytes(render(asked, keep=True))
    folder.chmod(0o555)
    system = wine.temp.parent
    before = {path.name for path in system.iterdir()}
    ran = wine.cmd(f'"{wine.windows_temp}\\read-only\\volact-x.bat"')
    assert ran.code == 0
    assert ran.stdout.startswith("VOLACT1 ")
    assert [path.name for path in folder.iterdir()] == ["volact-x.bat"]
    assert {path.name for path in system.iterdir()} == before
    folder.chmod(0o755)
    (folder / "volact-x.bat").unlink()
    folder.rmdir()


def test_where_no_folder_can_be_made_nothing_runs(wine: WineServer) -> None:
    (wine.temp / "volact-x.bat").write_bytes(render(request("probe"), keep=True))
    file = f"{wine.windows_temp}\\volact-x.bat"
    ran = wine.cmd(f'set "SystemRoot=Z:\\nowhere"& set "TEMP=Z:\\nowhere"& "{file}"')
    assert ran.code == 1
    assert "VOLACT0 not-started cannot-write cannot-write" in ran.stdout
    (wine.temp / "volact-x.bat").unlink()


def test_it_talks_indonesian(handed_out: WineServer) -> None:
    asked = request("standalone", {"do": "activate"}, title="Some Cloud")
    ran = handed_out.run_file(
        render(asked, keep=True, handed=True, language="id"), "activate-win.bat"
    )
    assert ran.code == 1
    assert "aktivasi server ini dengan Some Cloud" in ran.stdout
    assert "BELUM DIAKTIFKAN: 0x80041017" in ran.stdout
    assert "Memeriksa lagi" in ran.stdout


def test_chinese_falls_back_where_the_console_cannot_show_it(handed_out: WineServer) -> None:
    asked = request("standalone", {"do": "activate"})
    ran = handed_out.run_file(
        render(asked, keep=True, handed=True, language="zh-CN"), "activate-win.bat"
    )
    assert "NOT ACTIVATED: 0x80041017" in ran.stdout
    assert "?" not in ran.stdout.replace("??", "")
