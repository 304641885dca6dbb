"""One visit to one server: questions put, answers read, time kept.

Here the script is made, carried and answered, and facts come out.  Which
questions are put, and what follows from the facts, is ``run``'s.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import cache

import msgspec

from volact.agent.answer import Answer, read_answer
from volact.agent.render import render
from volact.agent.request import Mode as AgentMode
from volact.agent.request import new_request, shared_id
from volact.core.assessment import assess
from volact.core.context import Context
from volact.core.detect import Detection, detect
from volact.core.diagnose import diagnose
from volact.core.facts import read_facts
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
from volact.model.facts import Clock, Facts
from volact.model.intent import Intent
from volact.model.profile import Knowledge, Profile
from volact.model.server import Server
from volact.model.step import Plan, Step
from volact.model.text import say
from volact.model.undo import Past
from volact.pipeline.claim import claim
from volact.pipeline.job import Job, Look, Notify
from volact.pipeline.record import LookKind, intent_of
from volact.pipeline.turn import activation_host
from volact.transports.base import Opener, SharedScript, Transport

# What judges a server of no known cloud: nothing but its own name.
_NO_PROFILE = Profile(name="", title="", kms=(), releases=())
# The script ends itself this long before the connection would end it.
_MARGIN_S = 2.0
# Of the time that is left, how much is kept for a second look at a server
# whose answer to an apply was lost.
_KEPT, _KEPT_AT_MOST_S = 0.25, 20.0
_STEP_S = 5


class Visit:
    """The time, the count and the way to one server."""

    def __init__(self, server: Server, opener: Opener, job: Job, notify: Notify) -> None:
        self.server = server
        self.job = job
        self.executions = 0
        self.untouched: Look | None = None  # what was seen, where its steps did nothing
        self._opener = opener
        self._notify = notify
        self._sent = False
        self._intent: Intent | None = None  # the steps that may have reached the server
        self._clock = asyncio.get_running_loop().time
        self._begun = self._clock()

    @property
    def elapsed_s(self) -> float:
        """How long it has taken so far."""
        return self._clock() - self._begun

    @property
    def left_s(self) -> float:
        """How much time there is."""
        return self.job.deadline_s - self.elapsed_s

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Transport]:
        """A connection, opened within the time there is."""
        self._notify(self.server.name, "connect")
        way = self._opener(self.server)
        try:
            async with asyncio.timeout(max(0.0, self.left_s)):
                transport = await way.__aenter__()
        except TimeoutError as error:
            raise TransportError("timeout", "no connection within the deadline") from error
        try:
            yield transport
        finally:
            await way.__aexit__(None, None, None)

    @asynccontextmanager
    async def turn(self, look: Look) -> AsyncIterator[None]:
        """The turn at the KMS host, where the steps need one; waiting costs none of the time."""
        host = activation_host(look.plan, look.assessment)
        if host is None:
            yield
            return
        asked = self._clock()
        async with self.job.turn(host):
            self._begun += self._clock() - asked
            yield

    async def look(self, transport: Transport) -> Look:
        """Probe, tell the provider if nobody named it, diagnose, and plan."""
        self._notify(self.server.name, "probe")
        self._sent = False
        name = self.job.provider or self.server.provider
        if not name:
            facts, _ = await self._ask(transport, "probe", None, (), self.left_s)
            found = detect(facts, _clouds())
            if not found.name:
                return self._unjudged(facts, found)
            name = found.name
        knowledge = self.job.knowledge(name)
        facts, _ = await self._ask(transport, "probe", knowledge.profile, (), self.left_s)
        return self._judged(name, facts, self._context(knowledge))

    def judge(self, facts: Facts) -> Look:
        """The same look at facts that were brought here: nothing is asked."""
        name = self.job.provider or self.server.provider
        if not name:
            found = detect(facts, _clouds())
            if not found.name:
                return self._unjudged(facts, found)
            name = found.name
        return self._judged(name, facts, self._context(self.job.knowledge(name)))

    def _unjudged(self, facts: Facts, found: Detection) -> Look:
        ctx = self._context(_without_cloud())
        look = Look(provider=None, assessment=assess(facts, ctx), plan=_no_provider(found))
        return self._planned(look)

    async def apply(self, transport: Transport, look: Look) -> tuple[Facts, Answer]:
        """Send the steps, written down before; the facts that come back are those after them."""
        self._notify(self.server.name, "apply")
        intent = intent_of(self.server, look.provider, look.plan.steps, look.facts)
        self._intent = intent
        await self.job.recorder.sending(intent)
        self._sent = True
        kept = min(self.left_s * _KEPT, _KEPT_AT_MOST_S)
        profile = look.ctx.knowledge.profile
        steps = look.plan.steps
        facts, answer = await self._ask(transport, "apply", profile, steps, self.left_s - kept)
        if len(answer.results) != len(steps):
            raise AnswerError(
                "protocol", f"{len(steps)} steps were sent, {len(answer.results)} were answered"
            )
        return facts, answer

    def did_nothing(self, look: Look) -> None:
        """The steps of this look certainly did not run: nothing of them is to be undone."""
        self.untouched = look
        if self._intent is not None:
            self.job.recorder.withdrawn(self._intent)
            self._intent = None

    async def look_again(self, transport: Transport, look: Look) -> Facts:
        """The facts now, by the same questions, when an answer was lost."""
        self._notify(self.server.name, "verify")
        profile = look.ctx.knowledge.profile
        facts, _ = await self._ask(transport, "probe", profile, (), self.left_s)
        return facts

    def _judged(self, name: str, facts: Facts, ctx: Context) -> Look:
        assessment = assess(facts, ctx)
        findings = diagnose(assessment)
        return self._planned(Look(provider=name, assessment=assessment, findings=findings))

    def _planned(self, look: Look) -> Look:
        """The look with what would be done; undoing a run needs no provider."""
        if self.job.mode == "undo":
            past = self.job.past.get(self.server.name, Past(run=""))
            way = plan_undo(past, look.facts, look.ctx.policy.consent)
            return msgspec.structs.replace(look, plan=way.plan(), way=way)
        if self.job.mode == "check" or look.provider is None:
            return look
        plan = make_plan(look.assessment, look.findings)
        return msgspec.structs.replace(look, plan=plan)

    def _context(self, knowledge: Knowledge) -> Context:
        return Context(
            knowledge=knowledge,
            policy=self.job.policy,
            images=self.job.images,
            image=self.server.image,
            license=self.server.license,
            clouds=_clouds(),
            now=datetime.now(UTC),
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
            raise TransportError("timeout", "the deadline is too short for another question")
        request = new_request(mode, profile, steps, id=secrets.token_hex(8))
        script_s = max(1, int(time_s - _MARGIN_S))
        shared = isinstance(transport, SharedScript)
        if shared:
            script_s = _shared_time(script_s)
        if mode == "apply":
            lock = claim(self.job.run, self.job.who, time.time(), script_s, shared=shared)
            request = msgspec.structs.replace(request, lock=lock)
        if isinstance(transport, SharedScript):
            salt = f"{transport.salt}/{self.executions}"
            request = msgspec.structs.replace(request, id=shared_id(request, salt))
        script = render(request, deadline_s=script_s)
        self.executions += 1
        name = f"volact-{secrets.token_hex(16)}"
        raw = await transport.run(script, name=name, deadline_s=time_s)
        answer = read_answer(raw.stdout, request.id)
        if answer.mode != mode:
            raise AnswerError("protocol", f"{mode} was asked and {answer.mode!r} was answered")
        look: LookKind = "closing" if self._sent else "first"
        self.job.recorder.seen(self.server.name, look, answer.facts)
        return read_facts(answer.facts, Clock(raw.asked, raw.answered)), answer


def _shared_time(seconds: int) -> int:
    """Whole fives, so that servers begun at nearly the same time get the same script."""
    return seconds // _STEP_S * _STEP_S or seconds


@cache
def _clouds() -> tuple[Profile, ...]:
    """Every profile there is."""
    return tuple(map(load_profile, profile_names()))


def _no_provider(found: Detection) -> Plan:
    """Why nothing is planned for a server of no known cloud, and what to do about it."""
    if found.candidates:
        return Plan(
            reason=say(
                "by its firmware this server is in one of {names}; name it with --provider, or "
                "provider = in the inventory",
                names=", ".join(found.candidates),
            )
        )
    return Plan(
        reason=say(
            "which cloud this server is in cannot be told from its own facts; "
            "name it with --provider, or provider = in the inventory"
        )
    )


def _without_cloud() -> Knowledge:
    """Releases, keys and codes, with no provider to judge by."""
    return Knowledge(
        profile=_NO_PROFILE,
        editions=load_editions(),
        releases=load_releases(),
        errors=load_errors(),
    )
