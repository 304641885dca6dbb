"""One visit to one server: connect, run the agent, read its answer, within a deadline.

Scripts go out and facts come back.  The order of probes and steps, and the row that is
made of them, is ``run``'s.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import cache

import msgspec

from volact.agent.answer import Answer, read_answer
from volact.agent.render import render
from volact.agent.request import AgentMode, lock_lease, new_request, shared_id
from volact.core.assessment import assess
from volact.core.context import Context
from volact.core.detect import Detection, detect
from volact.core.facts import read_facts
from volact.core.findings import diagnose
from volact.core.plan import make_plan
from volact.core.undo import plan_undo
from volact.errors import AnswerError, TransportError
from volact.knowledge.load import (
    load_editions,
    load_errors,
    load_profile,
    load_releases,
    profile_names,
)
from volact.model.fact import ABSENT, value_of
from volact.model.facts import Facts
from volact.model.profile import Knowledge, Profile
from volact.model.server import Server
from volact.model.step import Intent, Plan, Step
from volact.model.text import count, say
from volact.model.undo import RunHistory
from volact.pipeline.job import Examination, Job, Notify, activation_host
from volact.pipeline.run_recorder import ProbeKind, intent_of
from volact.transports.base import Opener, SharedScript, Transport

# Stands for the profile of a server whose provider is unknown.
_NO_PROFILE = Profile(name="", title="", kms=(), releases=())
# The script ends itself this long before the connection would be closed.
_MARGIN_S = 2.0
# The share of the time left that an apply leaves for a probe, should its answer be lost.
_KEPT, _KEPT_AT_MOST_S = 0.25, 20.0
# What no step changes is asked by probes alone.
_PROBED = ("ground", "wsh", "firewall", "online", "resolved", "routes6")
_NOTHING = Facts()
_STEP_S = 5


class Visit:
    """The time, the transport and the executions spent on one server.

    ``unchanged`` holds the examination whose steps certainly did not run.
    """

    def __init__(self, server: Server, opener: Opener, job: Job, notify: Notify) -> None:
        self.server = server
        self.job = job
        self.executions = 0
        self.unchanged: Examination | None = None
        self._opener = opener
        self._notify = notify
        self._sent = False
        self._intent: Intent | None = None  # the steps that may have reached the server
        self._clock = _clock()
        self._begun = self._clock()

    @property
    def elapsed_s(self) -> float:
        """Seconds since the visit began."""
        return self._clock() - self._begun

    @property
    def left_s(self) -> float:
        """Seconds until the deadline."""
        return self.job.deadline_s - self.elapsed_s

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Transport]:
        """A transport, opened within the time left."""
        self._notify(self.server.name, "connect")
        opening = self._opener(self.server)
        try:
            async with asyncio.timeout(max(0.0, self.left_s)):
                transport = await opening.__aenter__()
        except TimeoutError as error:
            raise TransportError("timeout", say("no connection within the deadline")) from error
        try:
            yield transport
        finally:
            await opening.__aexit__(None, None, None)

    @asynccontextmanager
    async def activation_slot(self, exam: Examination) -> AsyncIterator[None]:
        """Hold a slot at the KMS host if the plan activates; the wait does not count as time."""
        host = activation_host(exam.plan, exam.assessment)
        if host is None:
            yield
            return
        asked = self._clock()
        async with self.job.activation_slot(host):
            self._begun += self._clock() - asked
            yield

    async def examine(self, transport: Transport) -> Examination:
        """Probe, detect the provider if none is named, diagnose, and plan."""
        self._notify(self.server.name, "probe")
        self._sent = False
        name = self.job.provider or self.server.provider
        if not name:
            facts, _ = await self._ask(transport, "probe", None, (), self.left_s)
            found = detect(facts, _profiles())
            if not found.name:
                return self._without_provider(facts, found)
            name = found.name
        knowledge = self.job.knowledge(name)
        facts, _ = await self._ask(transport, "probe", knowledge.profile, (), self.left_s)
        return self._examined(name, facts, self._context(knowledge))

    def examine_facts(self, facts: Facts, now: datetime | None = None) -> Examination:
        """The same for facts that were brought by hand; no connection is made.

        ``now`` is the time to judge by; the present one without it.
        """
        name = self.job.provider or self.server.provider
        if not name:
            found = detect(facts, _profiles())
            if not found.name:
                return self._without_provider(facts, found, now)
            name = found.name
        return self._examined(name, facts, self._context(self.job.knowledge(name), now))

    def _without_provider(
        self, facts: Facts, found: Detection, now: datetime | None = None
    ) -> Examination:
        ctx = self._context(_no_provider_knowledge(), now)
        exam = Examination(
            provider=None, assessment=assess(facts, ctx), plan=_no_provider_plan(found)
        )
        return self._with_plan(exam)

    async def apply(self, transport: Transport, exam: Examination) -> tuple[Facts, Answer]:
        """Record the intent, send the steps, and return the facts after them."""
        self._notify(self.server.name, "apply")
        intent = intent_of(self.server, exam.provider, exam.plan.steps, exam.facts)
        self._intent = intent
        await self.job.recorder.sending(intent)
        self._sent = True
        kept = min(self.left_s * _KEPT, _KEPT_AT_MOST_S)
        profile = exam.ctx.knowledge.profile
        steps = exam.plan.steps
        facts, answer = await self._ask(transport, "apply", profile, steps, self.left_s - kept)
        if len(answer.results) != len(steps):
            raise AnswerError(
                "protocol",
                count(
                    len(steps),
                    "{n} step was sent, {answered} answered",
                    "{n} steps were sent, {answered} answered",
                    answered=len(answer.results),
                ),
            )
        probed = {
            name: getattr(exam.facts, name)
            for name in _PROBED
            if getattr(facts, name) == getattr(_NOTHING, name)
        }
        return msgspec.structs.replace(facts, **probed), answer

    def steps_never_ran(self, exam: Examination) -> None:
        """Record that the steps certainly did not run: there is nothing to undo."""
        self._notify(self.server.name, "probe")
        self.unchanged = exam
        if self._intent is not None:
            self.job.recorder.withdrawn(self._intent)
            self._intent = None

    async def probe_again(self, transport: Transport, exam: Examination) -> Facts:
        """The facts now, by the same questions, after an answer was lost or incomplete."""
        self._notify(self.server.name, "verify")
        profile = exam.ctx.knowledge.profile
        facts, _ = await self._ask(transport, "probe", profile, (), self.left_s)
        return facts

    def _examined(self, name: str, facts: Facts, ctx: Context) -> Examination:
        assessment = assess(facts, ctx)
        findings = diagnose(assessment)
        return self._with_plan(Examination(provider=name, assessment=assessment, findings=findings))

    def _with_plan(self, exam: Examination) -> Examination:
        """The examination with its plan; an undo needs no provider."""
        if self.job.mode == "undo":
            history = self.job.histories.get(self.server.name, RunHistory(run=""))
            undo = plan_undo(history, exam.facts, exam.ctx.policy.consent)
            return msgspec.structs.replace(exam, plan=undo.plan(), undo=undo)
        if self.job.mode == "check" or exam.provider is None:
            return exam
        plan = make_plan(exam.assessment, exam.findings)
        return msgspec.structs.replace(exam, plan=plan)

    def _context(self, knowledge: Knowledge, now: datetime | None = None) -> Context:
        return Context(
            knowledge=knowledge,
            policy=self.job.policy,
            images=self.job.images,
            image=self.server.image,
            license=self.server.license,
            expected=(*self.job.ignored, *self.server.expect),
            clouds=_profiles(),
            now=now or datetime.now(UTC),
        )

    async def _ask(
        self,
        transport: Transport,
        mode: AgentMode,
        profile: Profile | None,
        steps: tuple[Step, ...],
        time_s: float,
    ) -> tuple[Facts, Answer]:
        """One execution of the agent."""
        if time_s <= _MARGIN_S:
            raise TransportError("timeout", say("the deadline is too short for another question"))
        request = new_request(mode, profile, steps, id=secrets.token_hex(8))
        script_s = max(1, int(time_s - _MARGIN_S))
        shared = isinstance(transport, SharedScript)
        if shared:
            script_s = _shared_time(script_s)
        if mode == "apply":
            lock = lock_lease(self.job.run, self.job.who, time.time(), script_s, shared=shared)
            request = msgspec.structs.replace(request, lock=lock)
        if isinstance(transport, SharedScript):
            salt = f"{transport.salt}/{self.executions}"
            request = msgspec.structs.replace(request, id=shared_id(request, salt))
        script = render(request, deadline_s=script_s)
        self.executions += 1
        name = f"volact-{secrets.token_hex(16)}"
        begun = time.monotonic()
        raw = await transport.run(script, name=name, deadline_s=time_s)
        answer = read_answer(raw.stdout, request.id, raw.stderr)
        if answer.mode != mode:
            raise AnswerError(
                "protocol",
                say(
                    "{mode} was asked and {answered} was answered",
                    mode=mode,
                    answered=repr(answer.mode),
                ),
            )
        facts = read_facts(answer.facts, self.job.clock.around(raw, begun))
        if isinstance(transport, SharedScript) and profile is not None:
            said = value_of(facts.metadata.get(profile.instance_key, ABSENT)) or ""
            self.job.answers.require_own(self.server.name, transport.instance, said, raw.stdout)
        probe: ProbeKind = "closing" if self._sent else "first"
        self.job.recorder.seen(self.server.name, probe, answer.facts)
        return facts, answer


def _clock() -> Callable[[], float]:
    """The event loop's clock, which also ends its deadlines; without a loop any other."""
    try:
        return asyncio.get_running_loop().time
    except RuntimeError:  # an answer that was brought by hand is read without a loop
        return time.monotonic


def _shared_time(seconds: int) -> int:
    """Round to 5 s, so that servers begun at nearly the same time get the same script."""
    return seconds // _STEP_S * _STEP_S or seconds


@cache
def _profiles() -> tuple[Profile, ...]:
    """All known profiles."""
    return tuple(map(load_profile, profile_names()))


def _no_provider_plan(found: Detection) -> Plan:
    """An empty plan with the reason why the provider is unknown and how to name it."""
    if found.candidates:
        return Plan(
            reason=say(
                "by its firmware this server is in one of {names}; name the right one with "
                "--provider, or provider = in the inventory",
                names=", ".join(found.candidates),
            )
        )
    return Plan(
        reason=say(
            "the server's cloud cannot be determined from its facts; name it with --provider, "
            "or provider = in the inventory"
        )
    )


def _no_provider_knowledge() -> Knowledge:
    """Releases, keys and codes without a provider."""
    return Knowledge(
        profile=_NO_PROFILE,
        editions=load_editions(),
        releases=load_releases(),
        errors=load_errors(),
    )
