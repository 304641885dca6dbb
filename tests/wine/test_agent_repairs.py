"""The steps that ask first, on a real Windows Script Host: done where Wine can, else reported."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from asking import apply, probe, request
from wine_server import WineServer

from volact.agent.answer import read_answer
from volact.agent.render import render

IFEO = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Image File Execution Options"
W32TIME = r"HKLM\SYSTEM\CurrentControlSet\Services\W32Time"
HARDWARE = r"HKLM\HARDWARE\DESCRIPTION\System"
LIMITS = ("MaxPosPhaseCorrection", "MaxNegPhaseCorrection")
REFUSED, NO_FILE, NO_ROW = 0x80070032, 0x80070002, 0x80041002


@pytest.fixture
def clean(wine: WineServer) -> Iterator[WineServer]:
    """The server; what the test wrote is removed after it."""
    yield wine
    wine.delete_key(rf"{IFEO}\sppsvc.exe")
    wine.delete_key(W32TIME)
    wine.tool("reg", "delete", HARDWARE, "/v", "VolactRestart", "/f")


def test_a_debugger_is_really_taken_away(clean: WineServer) -> None:
    clean.set_registry(rf"{IFEO}\sppsvc.exe", "Debugger", r"C:\tools\nothing.exe")
    step = {"do": "remove-debugger", "debugger": r"C:\tools\nothing.exe"}
    answer = apply(clean, step)
    (result,) = answer.results
    assert (result.ok, result.changed, result.hresult) == (True, True, None), result
    assert result.before == {"debugger": r"C:\tools\nothing.exe"}
    assert answer.facts["binary"]["debugger"] is None
    assert clean.registry(rf"{IFEO}\sppsvc.exe", "Debugger") is None
    (again,) = apply(clean, step).results
    assert (again.ok, again.changed) == (True, False)


def test_another_debugger_than_the_one_that_was_seen_stays(clean: WineServer) -> None:
    clean.set_registry(rf"{IFEO}\sppsvc.exe", "Debugger", "mine.exe")
    (result,) = apply(clean, {"do": "remove-debugger", "debugger": "other.exe"}).results
    assert (result.ok, result.changed, result.hresult) == (False, False, REFUSED)
    assert clean.registry(rf"{IFEO}\sppsvc.exe", "Debugger") == "REG_SZ mine.exe"


def test_what_wine_cannot_do_is_not_called_done(clean: WineServer) -> None:
    answer = apply(
        clean,
        {"do": "add-dns", "servers": ["192.0.2.53"], "position": "first"},
        {
            "do": "add-route",
            "destination": "198.51.100.0",
            "mask": "255.255.255.0",
            "gateway": "192.0.2.1",
        },
        {"do": "set-time-trigger"},
        {"do": "rearm"},
        {"do": "rebuild-token-store"},
    )
    assert [result.ok for result in answer.results] == [False] * 5, answer.results
    assert [result.changed for result in answer.results] == [False] * 5
    _dns, _route, _trigger, rearm, store = answer.results
    assert (rearm.hresult, store.hresult) == (NO_ROW, NO_FILE)
    assert answer.facts["restart"] is None
    assert "192.0.2.53" not in answer.facts["dns"]


def test_a_restart_that_is_awaited_is_a_fact(clean: WineServer) -> None:
    clean.set_registry(HARDWARE, "VolactRestart", "rearm")
    assert probe(clean)["restart"] == "rearm"


def test_limits_that_were_left_raised_are_really_put_back(clean: WineServer) -> None:
    clean.set_registry(rf"{W32TIME}\Config", LIMITS[0], "4294967295", "REG_DWORD")
    clean.set_registry(rf"{W32TIME}\Config", LIMITS[1], "4294967295", "REG_DWORD")
    clean.set_registry(rf"{W32TIME}\Config", "VolactLimits", "54000 -")
    answer = apply(clean, {"do": "restore-time-limits"})
    (result,) = answer.results
    assert (result.ok, result.changed) == (True, True), result
    assert (answer.facts["time"]["pos"], answer.facts["time"]["neg"]) == (54000, None)
    assert answer.facts["time"]["saved"] is None
    (again,) = apply(clean, {"do": "restore-time-limits"}).results
    assert (again.ok, again.changed) == (True, False)


def test_limits_of_a_run_that_is_cut_off_are_put_back_by_the_batch_part(
    clean: WineServer,
) -> None:
    clean.set_registry(rf"{W32TIME}\Config", LIMITS[0], "54000", "REG_DWORD")
    asked = request("apply", {"do": "sync-clock", "raise_limits": True})
    whole = render(asked)
    tool = rb'\w+\((?:"w32tm\.exe"|\w+),"/resync /rediscover"\)'
    cut = re.sub(tool, b"WScript.Quit(1)", whole)
    assert cut != whole
    ran = clean.run_file(cut, f"volact-{asked.id}.bat")
    (synced,) = read_answer(ran.stdout.encode(), asked.id).results
    assert synced.note == "not known: a call to Windows never returned"
    assert clean.registry(rf"{W32TIME}\Config", LIMITS[0]) == "REG_DWORD 0xd2f0"
    assert clean.registry(rf"{W32TIME}\Config", LIMITS[1]) is None
    assert clean.registry(rf"{W32TIME}\Config", "VolactLimits") is None
    assert clean.leftovers() == []
