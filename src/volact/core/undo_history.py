"""What a run did to each server, out of what is kept of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from volact.model.report import ServerReport
from volact.model.step import Intent, StepResult
from volact.model.undo import AppliedStep, RunHistory


def history_of(run: str, intents: Iterable[Intent], report: ServerReport | None) -> RunHistory:
    """One server's part of a run: what was about to be sent, with the answers that came.

    The row has the answers of the last execution; of an earlier one, whose answer
    was lost before it was tried again, there are none.
    """
    sent = sorted(intents, key=lambda intent: intent.at)
    results = _results(report)
    steps: list[AppliedStep] = []
    for intent in sent:
        answers = results if intent is sent[-1] and _fits(intent, results) else ()
        steps += _applied(intent, answers)
    return RunHistory(run=run, steps=tuple(steps), provider=sent[-1].provider if sent else "")


def _applied(intent: Intent, answers: tuple[StepResult, ...]) -> Iterator[AppliedStep]:
    for at, step in enumerate(intent.steps):
        yield AppliedStep(
            do=step.do,
            params=step.params,
            before=step.before,
            result=answers[at] if answers else None,
        )


def _results(report: ServerReport | None) -> tuple[StepResult, ...]:
    if report is None:
        return ()
    return tuple(msgspec.convert(result, StepResult) for result in report.results)


def _fits(intent: Intent, results: tuple[StepResult, ...]) -> bool:
    return [step.do for step in intent.steps] == [result.do for result in results]
