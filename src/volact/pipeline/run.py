"""Check, plan, activate or undo one server; its errors become its row.

No error of a server is raised from here.  Cancellation is: the caller makes the row of
a server whose visit was cancelled.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from datetime import datetime

import msgspec

from volact.agent.answer import Answer
from volact.core.assessment import assess
from volact.core.assessment.licence import out_of_time
from volact.core.facts import read_facts
from volact.core.findings import diagnose
from volact.core.verify import verify
from volact.errors import AnswerError, TransportError, VolactError
from volact.model.error_text import error_text
from volact.model.facts import Facts
from volact.model.report import ServerReport, Verdict
from volact.model.server import Server
from volact.model.step import Plan, StepResult
from volact.model.text import say
from volact.pipeline.job import CHANGING, Examination, Job, Notify, Outcome, ignore_phase
from volact.pipeline.retry import never_executed, with_retries
from volact.pipeline.rows import (
    command_of,
    error_kind,
    row,
    row_without_result,
    with_undo_plan,
    with_undo_result,
)
from volact.pipeline.visit import Visit
from volact.transports.base import Opener, Transport

# A probe needs at least this much time.
_PROBE_S = 6.0


async def run_one(
    server: Server, opener: Opener, job: Job, notify: Notify = ignore_phase
) -> ServerReport:
    """Check, plan, activate or undo one server, as the job's mode says.

    Args:
        server: the server, with its address and credential.
        opener: opens a transport to it.
        job: mode, policy, time limit and recorder.
        notify: called with the server's name and each phase it enters.

    Returns:
        The server's row.  ``TransportError`` and ``AnswerError`` are in ``row.error``.

    Example::

        row = await run_one(server, opener, Job(mode="check", provider="aws"))
        print(row.verdict, [finding.id for finding in row.findings])
    """
    visit = Visit(server, opener, job, notify)
    try:
        return await with_retries(visit, job.retry, lambda: _attempt(visit))
    except VolactError as error:
        seen = visit.unchanged
        return _unexamined(visit, error, None if seen is None else _examined(visit, seen))


async def _attempt(
    visit: Visit, agreed: Examination | None = None, shown: Examination | None = None
) -> ServerReport:
    """One attempt: examine, unless it was shown, and apply the plan where the mode does.

    Of an agreed plan exactly its steps are applied; a changed one is not.
    """
    async with visit.open() as transport:
        exam = shown or await visit.examine(transport)
        wanted = exam.plan.steps == agreed.plan.steps if agreed else visit.job.mode in CHANGING
        if not wanted or not exam.plan.steps:
            return _examined(visit, exam)
        lost = await _try_apply(visit, transport, exam)
    return lost if isinstance(lost, ServerReport) else await _verify_lost_answer(visit, exam, lost)


async def examine_one(
    server: Server, opener: Opener, job: Job, notify: Notify = ignore_phase
) -> Outcome:
    """Examine a server and plan; change nothing.

    Arguments as for ``run_one``.  An outcome with ``pending`` steps can be given to
    ``apply_one``.
    """
    visit = Visit(server, opener, job, notify)

    async def attempt() -> Examination:
        async with visit.open() as transport:
            return await visit.examine(transport)

    try:
        exam = await with_retries(visit, job.retry, attempt)
    except VolactError as error:
        return Outcome(server=server, report=_unexamined(visit, error))
    return Outcome(server=server, report=_examined(visit, exam), examination=exam)


def read_one(server: Server, answer: Answer, job: Job) -> Outcome:
    """The outcome of an answer that was brought by hand; no connection is made.

    ``job`` and ``server`` are as for ``run_one``; ``answer`` is what ``agent.answer`` has read.
    When the server gave the answer is unknown.  So its clock is compared only with the
    reference that the server itself asked.
    """
    visit = Visit(server, _no_transport, job, ignore_phase)
    visit.executions = 1
    try:
        exam = visit.examine_facts(read_facts(answer.facts, None))
    except VolactError as error:
        return Outcome(server=server, report=_unexamined(visit, error))
    report = _examined(visit, exam)
    results = tuple(msgspec.to_builtins(result) for result in answer.results)
    report = msgspec.structs.replace(report, results=results, elapsed_s=answer.ms / 1000)
    return Outcome(server=server, report=report, examination=exam)


def judge_facts(server: Server, facts: Facts, job: Job, now: datetime) -> Outcome:
    """The outcome of stored facts, judged as of ``now``; no connection is made.

    ``job`` and ``server`` are as for ``run_one``.
    Raises nothing: facts that cannot be judged (an unknown provider) give a row with an error.
    """
    visit = Visit(server, _no_transport, job, ignore_phase)
    try:
        exam = visit.examine_facts(facts, now)
    except VolactError as error:
        return Outcome(server=server, report=_unexamined(visit, error))
    return Outcome(server=server, report=_examined(visit, exam), examination=exam)


async def apply_one(
    outcome: Outcome, opener: Opener, job: Job, notify: Notify = ignore_phase
) -> ServerReport:
    """Apply exactly the steps of an earlier outcome, and verify them.

    Arguments as for ``run_one``.  A repeated attempt examines the server first and applies
    nothing if the plan has changed.
    """
    exam = outcome.examination
    if exam is None or not exam.plan.steps:
        return outcome.report
    visit = Visit(outcome.server, opener, job, notify)
    visit.executions = outcome.report.executions
    first = [exam]  # a further attempt examines the server anew
    try:
        return await with_retries(
            visit, job.retry, lambda: _attempt(visit, exam, first.pop() if first else None)
        )
    except VolactError as error:
        return _unexamined(visit, error, outcome.report)


def _no_transport(server: Server) -> AbstractAsyncContextManager[Transport]:
    """The opener of a server whose answer was brought by hand."""
    raise TransportError(
        "connect", say("{name} is not contacted: its answer was supplied", name=server.name)
    )


async def _try_apply(
    visit: Visit, transport: Transport, exam: Examination
) -> ServerReport | VolactError:
    """The row after the steps, or the error that took their answer."""
    before = visit.executions
    try:
        async with visit.activation_slot(exam):
            after, answer = await visit.apply(transport, exam)
    except (TransportError, AnswerError) as error:
        if visit.executions == before or never_executed(error):
            visit.steps_never_ran(exam)
            raise  # nothing was changed there
        return error
    after = await _completed(visit, transport, exam, after)
    return _applied(visit, exam, after, answer.results)


async def _completed(visit: Visit, transport: Transport, exam: Examination, after: Facts) -> Facts:
    """The facts after the steps, asked for again where slow steps left no time for them."""
    if not out_of_time(after) or visit.left_s < _PROBE_S:
        return after
    try:
        return await visit.probe_again(transport, exam)
    except (TransportError, AnswerError):
        return after  # the steps were answered; what is missing is a finding of its own


async def _verify_lost_answer(visit: Visit, exam: Examination, lost: VolactError) -> ServerReport:
    """The row by a probe of the state now, where the answer to the steps was lost."""
    try:
        async with visit.open() as transport:
            after = await visit.probe_again(transport, exam)
    except VolactError as error:
        message = say(
            "steps were sent, but the answer was lost ({lost}); then: {error}; run check to "
            "see the result",
            lost=lost.message,
            error=error_text(error),
        )
        return row_without_result(
            visit.server,
            error_kind(error),
            message,
            before=_examined(visit, exam),
            executions=visit.executions,
            elapsed_s=visit.elapsed_s,
        )
    return _applied(visit, exam, after, ())


def _examined(visit: Visit, exam: Examination) -> ServerReport:
    report = row(
        visit.server,
        exam,
        verdict=_current_verdict(exam),
        executions=visit.executions,
        elapsed_s=visit.elapsed_s,
    )
    return with_undo_plan(report, exam)


def _current_verdict(exam: Examination) -> Verdict:
    """The verdict on a server to which nothing was applied."""
    if exam.provider is None:
        return "attention"
    return verify(Plan(), exam.findings, exam.findings, exam.assessment).word


def _applied(
    visit: Visit, exam: Examination, after: Facts, results: tuple[StepResult, ...]
) -> ServerReport:
    now = assess(after, exam.ctx, results)
    findings = diagnose(now)
    verdict = verify(exam.plan, exam.findings, findings, now)
    seen = Examination(provider=exam.provider, assessment=now, findings=findings, plan=exam.plan)
    report = row(
        visit.server,
        seen,
        verdict=verdict.word,
        results=results,
        resolved=verdict.resolved,
        executions=visit.executions,
        elapsed_s=visit.elapsed_s,
    )
    return with_undo_result(report, exam, after, results)


def _unexamined(
    visit: Visit, error: VolactError, before: ServerReport | None = None
) -> ServerReport:
    return row_without_result(
        visit.server,
        error_kind(error),
        error_text(error),
        command=command_of(error),
        before=before,
        executions=visit.executions,
        elapsed_s=visit.elapsed_s,
    )
