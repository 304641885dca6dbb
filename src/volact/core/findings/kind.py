"""What a finding is: its rule, and the one declaration of everything about its kind.

The kinds themselves are declared beside their rules, by topic; the registry of
all of them is ``volact.core.findings``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import IntEnum, auto
from functools import partial
from typing import Any, Literal

import msgspec

from volact.core.assessment import Assessment
from volact.core.steps.params import StepParams
from volact.model.finding import Finding, Repair, Severity
from volact.model.profile import ErrorInfo
from volact.model.text import Text, ready, say, typed


class Found(msgspec.Struct, frozen=True):
    """What a rule has found on one server; the kind adds its id.

    ``evidence`` holds the facts it rests on (JSON values only), ``remedy`` what
    is left for a person when volact does not repair it.
    """

    summary: Text
    evidence: dict[str, Any]
    remedy: Text
    severity: Severity
    repair: Repair = "manual"


Rule = Callable[[Assessment], Found | None]
# The steps that repair a finding.  Whether they are wanted, allowed and in which
# order is decided by the planner; what rests on an unknown fact yields nothing.
RepairSteps = Callable[[Assessment], Iterable[StepParams]]
# What distinguishes servers with this finding, out of its evidence.
Detail = Callable[[dict[str, Any]], str]
# What an error of this kind keeps from being done: an activation, which would
# only fail or go to the wrong host; that and any change of KMS hosts, which Windows does
# not contact; that and any change of keys and KMS hosts; anything at all.
Blocks = Literal["nothing", "activation", "kms", "licence", "everything"]
# What its repair is followed by: an activation; an activation where licensing
# did not answer and a known fault explains it; an activation and the repair of
# mere warnings too, because the server is known to need work.
CallsFor = Literal["nothing", "activation", "activation-if-silent", "work"]


class Place(IntEnum):
    """The order of findings of one severity: the cause before what it brings about.

    Findings of one place keep the order of the registry.
    """

    SESSION = auto()
    RESTART = auto()
    RELEASE = auto()
    ENTITLEMENT = auto()
    KMS_HOST_ROLE = auto()
    EDITION = auto()
    RIGHTS = auto()
    SERVICE = auto()
    PROGRAM = auto()
    NOTIFICATION_SERVICE = auto()
    CLOCK = auto()
    TIME_SERVICE = auto()
    KEY = auto()
    KMS_SETTING = auto()
    DISCOVERY = auto()
    NAME_RESOLUTION = auto()
    FIREWALL = auto()
    REACH = auto()
    KMS_ANSWER = auto()
    NETWORK_SETTING = auto()
    STORE = auto()
    LICENCE = auto()  # an error here is what any other error brings about
    OTHER_KEYS = auto()
    REMARK = auto()
    UNKNOWN = auto()
    FLEET = auto()  # seen only across many servers


class FindingKind(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Everything about one kind of finding, in one declaration.

    No field has a default: a part that is left out is an error of mypy and of
    the import.

    - ``id``: stable; its page is ``docs/findings/<id>.md``
    - ``rule``: what finds it on a server; ``None``: no rule about one server does
    - ``place``: its place among the findings of a server
    - ``severities``: those that it may have
    - ``meaning``, ``action``: what it means and what volact does, a sentence each
    - ``blocks``: what an error of this kind keeps from being done; a kind that is
      never an error, or says that no KMS host is contacted, blocks in any severity
    - ``calls_for``: what its repair is followed by
    - ``consent``: the option by which the operator agrees to its repair, ``""``: none
    - ``repair_steps``: the steps that repair it, ``None``: none do
    - ``detail``: what distinguishes servers that have it, ``None``: nothing
    """

    id: str
    rule: Rule | None
    place: Place
    severities: tuple[Severity, ...]
    meaning: Text
    action: Text
    blocks: Blocks
    calls_for: CallsFor
    consent: str
    repair_steps: RepairSteps | None
    detail: Detail | None

    @property
    def blocks_always(self) -> bool:
        """Whether it blocks in any severity."""
        return "error" not in self.severities or self.blocks == "kms"

    def finding(self, found: Found) -> Finding:
        """What was found, as a finding of this kind; ``ValueError`` for what is not declared."""
        if found.severity not in self.severities:
            raise ValueError(f"{self.id} is declared as {self.severities}, not {found.severity}")
        repaired = self.calls_for != "nothing" or self.repair_steps is not None
        if found.repair == "automatic" and not repaired:
            raise ValueError(f"{self.id} declares nothing that repairs it")
        if found.repair == "needs-consent" and not self.consent:
            raise ValueError(f"{self.id} declares no option that agrees to its repair")
        return Finding(
            id=self.id,
            severity=found.severity,
            summary=found.summary,
            evidence=found.evidence,
            repair=found.repair,
            remedy=found.remedy,
        )


# A kind that no step repairs, and that calls for nothing.
reported = partial(FindingKind, calls_for="nothing", consent="", repair_steps=None)


# Something that stops activation, or will.
error = partial(Found, severity="error")
# Something that is not right, but does not stop activation.
warning = partial(Found, severity="warning")
# Something notable; nothing has to be done.
info = partial(Found, severity="info")


def on_server(*commands: str) -> Text:
    """A remedy that is typed on the server."""
    return say("On the server: {commands}", commands=typed(*commands))


def remedy_of(known: ErrorInfo, a: Assessment) -> Text:
    """The remedy for a code, with commands that run on this server."""
    commands = a.console.instead(known.remedy)
    if not commands:
        return ready(known.remedy)
    return say(
        "{remedy} Without slmgr.vbs: {commands}",
        remedy=ready(known.remedy),
        commands=typed(*commands),
    )


def evidence_field(name: str) -> Detail:
    """The detail that is one field of the evidence."""

    def detail(evidence: dict[str, Any]) -> str:
        value = evidence.get(name)
        if isinstance(value, list | tuple):
            return ", ".join(str(item) for item in value)
        return "" if value is None else str(value)

    return detail
