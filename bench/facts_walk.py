"""Where the facts of one server go until its plan is made.  Started by ``structure.py``.

    PYTHONPATH=TREE/src:TREE/tests/core python bench/facts_walk.py

One case is judged and planned: a server without a licence that asks a wrong KMS
host.  A *stay* is a module of ``volact.core`` whose functions receive ``Facts``,
or the ``Assessment`` made of them, as an argument, one call after another; a
*return* is a stay in a module that the walk had left before.  Prints JSON: for
the whole walk and for ``make_plan`` alone, stays, returns and modules.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

_ROOM = "volact.core"
_SUBJECTS = frozenset({"Facts", "Assessment"})


class Walk:
    """The modules that received the facts, in the order of the calls."""

    def __init__(self) -> None:
        self.stays: list[str] = []

    def follow(self, work: Callable[[], Any]) -> Any:
        """Do something and note where the facts go meanwhile."""
        sys.setprofile(self._called)
        try:
            return work()
        finally:
            sys.setprofile(None)

    def _called(self, frame: FrameType, event: str, _arg: object) -> None:
        module = str(frame.f_globals.get("__name__", ""))
        if event != "call" or not module.startswith(_ROOM) or not _receives(frame):
            return
        if not self.stays or self.stays[-1] != module:
            self.stays.append(module)

    @property
    def counts(self) -> dict[str, int]:
        """Stays, returns, and how many modules there were."""
        modules = len(set(self.stays))
        return {
            "stays": len(self.stays),
            "returns": len(self.stays) - modules,
            "modules": modules,
        }


def _receives(frame: FrameType) -> bool:
    code = frame.f_code
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    return any(type(frame.f_locals.get(name)).__name__ in _SUBJECTS for name in names)


def measured() -> dict[str, dict[str, int]]:
    """The walk of one case, under the names that this tree has for the steps in between."""
    servers = importlib.import_module("servers")
    facts = servers.facts_of(servers.server(licensed=False, kms=servers.OTHER_KMS))
    ctx = servers.context()
    make_plan = importlib.import_module("volact.core.plan").make_plan
    whole, planning = Walk(), Walk()
    try:
        assess = importlib.import_module("volact.core.assessment").assess
    except ImportError:  # before there was one
        diagnose = importlib.import_module("volact.core.diagnose").diagnose
        findings = whole.follow(lambda: diagnose(facts, ctx))
        plan = planning.follow(lambda: make_plan(facts, findings, ctx))
    else:
        diagnose = importlib.import_module("volact.core.findings").diagnose
        assessment = whole.follow(lambda: assess(facts, ctx))
        findings = whole.follow(lambda: diagnose(assessment))
        plan = planning.follow(lambda: make_plan(assessment, findings))
    assert plan.steps, "the case has nothing to plan"
    first, *rest = planning.stays
    whole.stays += rest if whole.stays[-1:] == [first] else planning.stays
    return {"whole": whole.counts, "plan": planning.counts}


if __name__ == "__main__":
    print(json.dumps(measured()))
