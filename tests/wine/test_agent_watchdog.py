"""The watchdog in a real script host: a COM call that never returns is ended with its process."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import msgspec
from asking import request
from loopback import Loopback
from wine_server import WineServer, staying

from volact.agent.answer import Answer, read_answer
from volact.agent.render import render
from volact.agent.request import Lock, Request

BLOCKED = {"!": 0x8001011F}
Open = Callable[..., Loopback]


def answer_with(wine: WineServer, asked: Request, begins: str, silent: Loopback) -> Answer:
    """The answer of an agent in which one function begins with a call that never returns."""
    script = render(asked, deadline_s=90).decode("ascii")
    call = (
        'var h=new ActiveXObject("WinHttp.WinHttpRequest.5.1");'
        f'h.Open("GET","http://{silent.address}/",false);h.SetTimeouts(0,0,0,0);h.Send();'
    )
    assert script.count(begins) == 1
    changed = script.replace(begins, begins + call).encode("ascii")
    ran = wine.run_file(changed, f"volact-{asked.id}.bat")
    assert len(silent.requests) == 1, "it was asked once"
    assert scripts_running(wine) == []
    assert wine.leftovers() == []
    return read_answer(ran.stdout.encode(), asked.id)


def scripts_running(wine: WineServer) -> list[str]:
    """The script hosts of the account that still run; an ended one may wait for its parent."""
    listed = subprocess.run(
        ["ps", "-u", str(wine.uid), "-o", "stat=,args="], capture_output=True, text=True, check=True
    )
    return [line for line in listed.stdout.splitlines() if "cscript" in line and line[0] != "Z"]


def test_a_question_that_blocks_is_unreadable_and_the_others_are_answered(
    wine: WineServer, loopback: Open
) -> None:
    answer = answer_with(wine, request("probe"), "function licensingFacts(){", loopback("silent"))
    assert answer.facts["blocked"] == ["licensing"]
    assert answer.facts["licensing"] == BLOCKED
    for name in ("os", "registry", "services", "binary", "events", "wsh"):
        assert "!" not in answer.facts[name], name


def test_a_step_that_blocks_is_not_known_and_the_lock_is_gone(
    wine: WineServer, loopback: Open
) -> None:
    steps = [{"do": "start-service", "name": name} for name in ("sppuinotify", "W32Time")]
    asked = msgspec.structs.replace(
        request("apply", *steps), lock=Lock(run="run-1", who="ops", since=0, until=90_000)
    )
    answer = answer_with(wine, asked, 'STEPS["start-service"]=function(step){', loopback("silent"))
    first, second = answer.results
    assert (first.ok, first.hresult) == (False, 0x8001011F)
    assert second.note == "skipped: an earlier call never returned"
    assert answer.facts["blocked"] == ["start-service"]
    assert "!" not in answer.facts["registry"]
    windows = wine.prefix / "drive_c/windows"
    assert staying(lambda: [file.name for file in windows.glob("volact.lock*")]) == []
