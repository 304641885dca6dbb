"""Asking the agent something on the Wine server, without volact's own transport."""

from __future__ import annotations

import secrets
from typing import Any

from wine_server import Ran, WineServer

from volact.agent.answer import Answer, read_answer
from volact.agent.render import render
from volact.agent.request import AgentMode, Ask, Request
from volact.model.step import Step

# No test ends because its machine is slow.
PATIENT_S = 3600


def request(mode: AgentMode, *steps: dict[str, Any], **ask: Any) -> Request:
    """A request with these steps; ``ask`` as in ``Ask``."""
    return Request(
        id=secrets.token_hex(8),
        mode=mode,
        ask=Ask(**{"connect_ms": 8000, **ask}),
        steps=tuple(
            Step(do=step["do"], params={k: v for k, v in step.items() if k != "do"})
            for step in steps
        ),
    )


def answer_of(wine: WineServer, asked: Request) -> Answer:
    """Run the agent once and read its answer; its exit code must be 0."""
    ran = wine.run_file(render(asked, deadline_s=PATIENT_S), f"volact-{asked.id}.bat")
    assert ran.code == 0, ran
    return read_answer(ran.stdout.encode(), asked.id)


def probe(wine: WineServer, **ask: Any) -> dict[str, Any]:
    """All facts."""
    return answer_of(wine, request("probe", **ask)).facts


def apply(wine: WineServer, *steps: dict[str, Any], **ask: Any) -> Answer:
    """Run steps; their results and the facts after them."""
    return answer_of(wine, request("apply", *steps, **ask))


def standalone(wine: WineServer, *steps: dict[str, Any], keep: bool = True, **ask: Any) -> Ran:
    """Run the file that is handed out."""
    asked = request("standalone", *steps, **ask)
    return wine.run_file(render(asked, keep=keep, deadline_s=PATIENT_S), "activate-win.bat")


def unreadable(hresult: int) -> dict[str, int]:
    """How an unreadable fact looks."""
    return {"!": hresult}
