"""Asks volact about a case, and compares its answer with the expected one."""

from __future__ import annotations

import msgspec
from case_file import Case, label
from case_server import clock_of, context_of, facts_of, knowledge_of
from conduct import Deed, breaches
from step_words import step_line

from volact.core.assessment import assess
from volact.core.facts import read_facts
from volact.core.findings import diagnose
from volact.core.plan import make_plan
from volact.model.step import Plan


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """volact's report of a server: finding ids by severity, plan lines, refusals."""

    errors: tuple[str, ...]
    warnings: tuple[str, ...]
    infos: tuple[str, ...]
    plan: tuple[str, ...]
    refusals: tuple[str, ...]
    breaches: tuple[str, ...] = ()


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """One case compared with its answer: what is missing, what is too much."""

    case: Case
    answer: Answer

    def missing(self) -> list[tuple[str, str]]:
        """Expected and not found, as severity and id."""
        expect = self.case.expect
        infos = {("info", id) for id in expect.infos} - {("info", id) for id in self.answer.infos}
        return sorted((_wanted(self.case) - _found(self.answer)) | infos)

    def extra(self) -> list[tuple[str, str]]:
        """Found and not expected: errors, warnings, and infos that must not be."""
        forbidden = set(self.answer.infos) & set(self.case.expect.never)
        infos = {("info", id) for id in forbidden}
        return sorted((_found(self.answer) - _wanted(self.case)) | infos)

    def wrong_plan(self) -> str:
        """The plans side by side when they differ, else ""."""
        wanted, got = self.case.expect.plan, self.answer.plan
        return "" if wanted == got else f"expected {_listed(wanted)}, got {_listed(got)}"

    def wrong_refusals(self) -> str:
        """The refusals side by side when they differ, else ""."""
        wanted, got = self.case.expect.refusals, self.answer.refusals
        if wanted is None or sorted(wanted) == sorted(got):
            return ""
        return f"expected refusals {_listed(wanted)}, got {_listed(got)}"

    def complaints(self) -> list[str]:
        """Everything that is not as expected, one line each."""
        lines = [f"missing {severity} {id}" for severity, id in self.missing()]
        lines += [f"extra {severity} {id}" for severity, id in self.extra()]
        lines += [line for line in (self.wrong_plan(), self.wrong_refusals()) if line]
        lines += [f"unsafe: {breach}" for breach in self.answer.breaches]
        return [f"{label(self.case)}: {line}" for line in lines]


def judge(case: Case) -> Judged:
    """The case as volact sees it."""
    raw, clock, ctx = facts_of(case), clock_of(case), context_of(case)
    facts = read_facts(raw, clock)
    findings = diagnose(assess(facts, ctx, case.results))
    plan = make_plan(assess(facts, ctx), findings)
    errors = frozenset(f.id for f in findings if f.severity == "error")
    deed = Deed(
        raw=raw,
        clock=clock,
        steps=plan.steps,
        profile=knowledge_of(case).profile,
        images=ctx.images,
        policy=ctx.policy,
        errors=errors & frozenset(case.expect.errors),
    )
    ids = {
        severity: tuple(f.id for f in findings if f.severity == severity)
        for severity in ("error", "warning", "info")
    }
    return Judged(
        case=case,
        answer=Answer(
            errors=ids["error"],
            warnings=ids["warning"],
            infos=ids["info"],
            plan=tuple(step_line(step, raw) for step in plan.steps),
            refusals=_refused(plan),
            breaches=breaches(deed),
        ),
    )


def _refused(plan: Plan) -> tuple[str, ...]:
    return tuple(dict.fromkeys(refusal.finding for refusal in plan.refusals))


def _wanted(case: Case) -> set[tuple[str, str]]:
    return {("error", id) for id in case.expect.errors} | {
        ("warning", id) for id in case.expect.warnings
    }


def _found(answer: Answer) -> set[tuple[str, str]]:
    return {("error", id) for id in answer.errors} | {("warning", id) for id in answer.warnings}


def _listed(words: tuple[str, ...]) -> str:
    return f"[{', '.join(words)}]" if words else "nothing"
