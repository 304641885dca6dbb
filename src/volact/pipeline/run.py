"""Check, plan or activate one server; a server's fault becomes its row.

Nothing that a server does is raised from here.  Cancelling passes through:
the caller gives the row of a server that was given up.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

import msgspec

from volact.agent.answer import Answer
from volact.core.assessment import assess
from volact.core.assessment.licence import out_of_time
from volact.core.diagnose import diagnose
from volact.core.facts import read_facts
from volact.core.verify import verify
from volact.errors import AnswerError, TransportError, VolactError
from volact.model.facts import Facts
from volact.model.report import ServerReport, Word
from volact.model.server import Server
from volact.model.step import Plan, StepResult
from volact.model.text import say
from volact.model.told import told
from volact.pipeline.again import never_ran, until_it_works
from volact.pipeline.job import CHANGING, Job, Look, Notify, Outcome, nobody
from volact.pipeline.rows import command_of, kind_of, lost_row, row
from volact.pipeline.undo import judged, looked
from volact.pipeline.visit import Visit
from volact.transports.base import Opener, Transport

# Less time than this is too little for another look.
_LOOK_S = 6.0


async def run_one(
    server: Server, opener: Opener, job: Job, notify: Notify = nobody
) -> ServerReport:
    """The whole way on one connection, as far as the job's mode goes."""
    visit = Visit(server, opener, job, notify)
    try:
        return await until_it_works(visit, job.retry, lambda: _whole_way(visit))
    except VolactError as error:
        seen = visit.untouched
        return _unexamined(visit, error, None if seen is None else _examined(visit, seen))


async def _whole_way(visit: Visit) -> ServerReport:
    """One try: a look, and what it calls for."""
    async with visit.open() as transport:
        look = await visit.look(transport)
        if visit.job.mode not in CHANGING or not look.plan.steps:
            return _examined(visit, look)
        lost = await _try_apply(visit, transport, look)
    return lost if isinstance(lost, ServerReport) else await _look_again(visit, look, lost)


async def examine_one(server: Server, opener: Opener, job: Job, notify: Notify = nobody) -> Outcome:
    """Look at a server and plan, change nothing; the outcome can be applied later."""
    visit = Visit(server, opener, job, notify)

    async def attempt() -> Look:
        async with visit.open() as transport:
            return await visit.look(transport)

    try:
        look = await until_it_works(visit, job.retry, attempt)
    except VolactError as error:
        return Outcome(server=server, report=_unexamined(visit, error))
    return Outcome(server=server, report=_examined(visit, look), look=look)


def read_one(server: Server, answer: Answer, job: Job) -> Outcome:
    """The outcome of an answer that was brought here by hand; nobody is asked.

    When the server gave it is not known, so its clock is measured against
    nothing but the reference that the server itself asked.
    """
    visit = Visit(server, _no_way, job, nobody)
    visit.executions = 1
    try:
        look = visit.judge(read_facts(answer.facts, None))
    except VolactError as error:
        return Outcome(server=server, report=_unexamined(visit, error))
    report = _examined(visit, look)
    results = tuple(msgspec.to_builtins(result) for result in answer.results)
    report = msgspec.structs.replace(report, results=results, elapsed_s=answer.ms / 1000)
    return Outcome(server=server, report=report, look=look)


async def apply_one(
    outcome: Outcome, opener: Opener, job: Job, notify: Notify = nobody
) -> ServerReport:
    """Apply exactly the steps of an earlier look, and see what came of them."""
    look = outcome.look
    if look is None or not look.plan.steps:
        return outcome.report
    visit = Visit(outcome.server, opener, job, notify)
    visit.executions = outcome.report.executions
    attempt = _Agreed(visit, look)
    try:
        return await until_it_works(visit, job.retry, attempt)
    except VolactError as error:
        return _unexamined(visit, error, outcome.report)


class _Agreed:
    """Tries to apply what was shown: no step more, whatever was found meanwhile."""

    def __init__(self, visit: Visit, agreed: Look) -> None:
        self._visit = visit
        self._look = agreed
        self._tried = 0

    async def __call__(self) -> ServerReport:
        """One try; from the second on with a fresh look before it."""
        visit, look = self._visit, self._look
        self._tried += 1
        async with visit.open() as transport:
            if self._tried > 1:
                look = await visit.look(transport)
                if look.plan.steps != self._look.plan.steps:
                    return _examined(visit, look)
            lost = await _try_apply(visit, transport, look)
        return lost if isinstance(lost, ServerReport) else await _look_again(visit, look, lost)


def _no_way(server: Server) -> AbstractAsyncContextManager[Transport]:
    """The way to a server whose answer is here already."""
    raise TransportError("connect", f"{server.name} is not to be asked: its answer was brought")


async def _try_apply(visit: Visit, transport: Transport, look: Look) -> ServerReport | VolactError:
    """The row after the steps, or why there is no answer to them."""
    before = visit.executions
    try:
        async with visit.turn(look):
            after, answer = await visit.apply(transport, look)
    except (TransportError, AnswerError) as error:
        if visit.executions == before or never_ran(error):
            visit.did_nothing(look)
            raise  # nothing was done there
        return error
    after = await _in_full(visit, transport, look, after)
    return _applied(visit, look, after, answer.results)


async def _in_full(visit: Visit, transport: Transport, look: Look, after: Facts) -> Facts:
    """The closing look again, where slow steps left it no time for what decides."""
    if not out_of_time(after) or visit.left_s < _LOOK_S:
        return after
    try:
        return await visit.look_again(transport, look)
    except (TransportError, AnswerError):
        return after  # the steps were answered; what is missing is a finding of its own


async def _look_again(visit: Visit, look: Look, lost: VolactError) -> ServerReport:
    """Whatever the lost answer would have said: how does the server stand now?"""
    try:
        async with visit.open() as transport:
            after = await visit.look_again(transport, look)
    except VolactError as error:
        message = say(
            "steps were sent and the answer was lost ({lost}); then: {error}; "
            "look again with check",
            lost=lost.message,
            error=told(error),
        )
        return lost_row(
            visit.server,
            kind_of(error),
            message,
            before=_examined(visit, look),
            executions=visit.executions,
            elapsed_s=visit.elapsed_s,
        )
    return _applied(visit, look, after, ())


def _examined(visit: Visit, look: Look) -> ServerReport:
    report = row(
        visit.server,
        look,
        verdict=_standing(look),
        plan=look.plan,
        findings=look.findings,
        executions=visit.executions,
        elapsed_s=visit.elapsed_s,
    )
    return looked(report, look)


def _standing(look: Look) -> Word:
    """The verdict on a server as it stands: nothing was applied."""
    if look.provider is None:
        return "attention"
    return verify(Plan(), look.findings, look.findings, (), look.assessment).word


def _applied(
    visit: Visit, look: Look, after: Facts, results: tuple[StepResult, ...]
) -> ServerReport:
    now = assess(after, look.ctx, results)
    findings = diagnose(now)
    verdict = verify(look.plan, look.findings, findings, results, now)
    seen = Look(provider=look.provider, assessment=now)
    report = row(
        visit.server,
        seen,
        verdict=verdict.word,
        plan=look.plan,
        findings=findings,
        results=results,
        resolved=verdict.resolved,
        executions=visit.executions,
        elapsed_s=visit.elapsed_s,
    )
    return judged(report, look, after, results)


def _unexamined(
    visit: Visit, error: VolactError, before: ServerReport | None = None
) -> ServerReport:
    return lost_row(
        visit.server,
        kind_of(error),
        told(error),
        command=command_of(error),
        before=before,
        executions=visit.executions,
        elapsed_s=visit.elapsed_s,
    )
