"""What is wanted of every server of a run, and what one look at a server gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import msgspec

from volact.core.assessment import Assessment
from volact.core.context import Context, Policy
from volact.core.undo import WayBack
from volact.knowledge.load import knowledge_for
from volact.model.facts import Facts
from volact.model.finding import Finding
from volact.model.profile import Image, Knowledge
from volact.model.report import ServerReport
from volact.model.server import Server
from volact.model.step import Plan
from volact.model.undo import Past
from volact.pipeline.again import Retry
from volact.pipeline.record import NOBODY, Recorder
from volact.pipeline.turn import Turn, at_once

Mode = Literal["check", "plan", "activate", "undo"]
CHANGING: tuple[Mode, ...] = ("activate", "undo")
Phase = Literal["connect", "probe", "apply", "verify"]

# Told which phase a server, by its name, has entered.
Notify = Callable[[str, Phase], None]


def nobody(name: str, phase: Phase) -> None:
    """Tell nobody."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """The decision of a person about a run: what may be done, and in what time.

    ``activate`` is consent to every step of every plan; asking first is the
    caller's affair (``examine_one``, then ``apply_one``).  ``provider`` rules
    over what the inventory says; ``""`` leaves it to the server, then to its
    own facts.  ``recorder`` is told what happens while it happens.  ``run``
    and ``who`` are what another run reads that comes to a server meanwhile;
    ``turn`` is waited for before an activation is sent to its KMS host.  ``past``
    is what is to be undone, by the name of the server; only ``undo`` has any.
    """

    mode: Mode
    provider: str = ""
    policy: Policy = Policy()
    images: Mapping[str, Image] = {}
    deadline_s: float = 120.0
    knowledge: Callable[[str], Knowledge] = knowledge_for
    recorder: Recorder = NOBODY
    run: str = ""
    who: str = ""
    retry: Retry = Retry()
    turn: Turn = at_once
    past: Mapping[str, Past] = {}


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """One look at a server, and what would be done about it.

    ``provider`` is ``None`` when it could not be told: then there is nothing
    to judge by, no findings and no steps.
    """

    provider: str | None
    assessment: Assessment
    findings: tuple[Finding, ...] = ()
    plan: Plan = Plan()
    way: WayBack | None = None  # what the plan undoes

    @property
    def facts(self) -> Facts:
        """What the server answered."""
        return self.assessment.facts

    @property
    def ctx(self) -> Context:
        """What it was judged by."""
        return self.assessment.ctx


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """A server's row, and the look behind it when there was one."""

    server: Server
    report: ServerReport
    look: Look | None = None

    @property
    def pending(self) -> bool:
        """Whether there are steps that could be applied."""
        return self.look is not None and bool(self.look.plan.steps)
