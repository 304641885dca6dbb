"""The job that is the same for every server of a run, and the examination of one server.

How many activation slots a KMS host has is ``volact.fleet``'s.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Literal

import msgspec

from volact.core.assessment import Assessment
from volact.core.context import Context, Policy
from volact.core.steps.activation import ACTIVATE
from volact.core.steps.kms_hosts import SetKmsHost
from volact.core.steps.wire import from_wire
from volact.core.undo import UndoPlan
from volact.errors import AnswerError
from volact.knowledge.load import knowledge_for
from volact.model.fact import value_of
from volact.model.facts import Clock, Facts
from volact.model.finding import Acceptance, Finding
from volact.model.profile import HostPort, Image, Knowledge
from volact.model.report import ServerReport
from volact.model.server import Server
from volact.model.step import Plan
from volact.model.text import say
from volact.model.undo import RunHistory
from volact.pipeline.retry import Retry
from volact.pipeline.run_recorder import NO_RECORDER, RunRecorder
from volact.transports.base import Raw

# Given a KMS host, a context that is entered when one more activation may go there.
ActivationSlot = Callable[[str], AbstractAsyncContextManager[None]]


def activation_host(plan: Plan, a: Assessment) -> str | None:
    """The KMS host of the plan's activation.

    ``""`` if it is unknown, ``None`` if the plan activates nothing.  Of the hosts that the
    plan sets it is the first that the server reached when it was examined.
    """
    if not any(step.do == ACTIVATE.name for step in plan.steps):
        return None
    steps = (from_wire(step).params for step in plan.steps)
    wanted = [params.hosts for params in steps if isinstance(params, SetKmsHost) and params.hosts]
    if wanted:
        return _first_reached(wanted[-1], a)
    product = a.licence.main
    setting = value_of(product.kms) if product is not None else None
    return "" if setting is None else str(setting.host).lower()


def _first_reached(hosts: tuple[str, ...], a: Assessment) -> str:
    reached = (host for host in hosts if a.kms.reach_of(HostPort.parse(host)) == "yes")
    return next(reached, hosts[0]).lower()


Mode = Literal["check", "plan", "activate", "undo"]
CHANGING: tuple[Mode, ...] = ("activate", "undo")
# After ``apply`` it is ``probe`` again only where the steps certainly did not run.
Phase = Literal["connect", "probe", "apply", "verify"]
_JUMP_S = 60.0  # a clock that jumps less causes no finding

# Called with a server's name and the phase that it has entered.
Notify = Callable[[str, Phase], None]


def ignore_phase(name: str, phase: Phase) -> None:
    """Do nothing."""


class RunClock:
    """This computer's clock beside the one that is never set, from the start of a run."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def around(self, raw: Raw, begun: float) -> Clock | None:
        """When an execution was asked and answered.

        Args:
            raw: the execution, with both moments by this computer's clock.
            begun: ``time.monotonic()`` before it.

        Returns:
            ``None`` where the clock was set since the run began (or stood still, in a
            computer that slept): a server's clock cannot be compared with it then.
        """
        earliest = begun + self._offset - _JUMP_S
        latest = time.monotonic() + self._offset + _JUMP_S
        steady = earliest <= raw.asked <= raw.answered <= latest
        return Clock(raw.asked, raw.answered) if steady else None


class RunAnswers:
    """The answers of a run to scripts that many servers were given, whose id they share."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}  # of the server that an answer came for, by its hash

    def require_own(self, name: str, instance: str, said: str, stdout: bytes) -> None:
        """``AnswerError`` for the answer of another server.

        Args:
            name: the server that the answer came for.
            instance: its instance, ``""`` if unknown.
            said: the instance that the metadata service names to the server, which is not
                that of the image it was made of; ``""`` if it cannot be read.
            stdout: the answer.
        """
        if said and instance and said.casefold() != instance.casefold():
            raise AnswerError(
                "protocol", say("the answer is that of another server ({name})", name=said)
            )
        other = self._names.setdefault(hash(stdout), name)
        if other != name:
            raise AnswerError(
                "protocol", say("the same answer came for another server ({name})", name=other)
            )


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """The operator's decision about a run: what may be done, and in what time.

    Attributes:
        mode: ``activate`` is consent to every step of every plan.  To ask first, call
            ``examine_one``, then ``apply_one``.
        provider: overrides the inventory; ``""`` leaves it to the server's entry, then to
            its facts.
        ignored: findings that are accepted on every server, before what a server expects.
        deadline_s: the time limit of one server, its retries included.
        recorder: gets facts and intents while the run goes on.
        run, who: shown to another run that meets the lock on a server.
        activation_slot: held while an activation is sent to its KMS host.
        histories: for ``undo``, what is to be undone, by the server's name.
    """

    mode: Mode
    provider: str = ""
    policy: Policy = Policy()
    ignored: tuple[Acceptance, ...] = ()
    images: Mapping[str, Image] = {}
    deadline_s: float = 120.0
    knowledge: Callable[[str], Knowledge] = knowledge_for
    recorder: RunRecorder = NO_RECORDER
    run: str = ""
    who: str = ""
    retry: Retry = Retry()
    activation_slot: ActivationSlot = lambda host: nullcontext()
    histories: Mapping[str, RunHistory] = {}
    clock: RunClock = msgspec.field(default_factory=RunClock)
    answers: RunAnswers = msgspec.field(default_factory=RunAnswers)


class Examination(msgspec.Struct, frozen=True, kw_only=True):
    """Facts, findings and plan of one server.

    ``provider`` is ``None`` if it is unknown: then there are no findings and no steps.
    """

    provider: str | None
    assessment: Assessment
    findings: tuple[Finding, ...] = ()
    plan: Plan = Plan()
    undo: UndoPlan | None = None  # what the plan undoes

    @property
    def facts(self) -> Facts:
        """What the server answered."""
        return self.assessment.facts

    @property
    def ctx(self) -> Context:
        """Knowledge and policy that the facts were judged by."""
        return self.assessment.ctx


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """A server's row, and the examination behind it if there was one."""

    server: Server
    report: ServerReport
    examination: Examination | None = None

    @property
    def pending(self) -> bool:
        """Whether there are steps to apply."""
        return self.examination is not None and bool(self.examination.plan.steps)
