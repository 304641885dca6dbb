"""The verdict: what the closing probe shows, not what a step reports of itself."""

from __future__ import annotations

from typing import Any

import pytest
from more_examples import former
from servers import KMS, OTHER_KMS, context, facts_of, product, server, unreadable

from volact.core.assessment import assess
from volact.core.findings import diagnose
from volact.core.plan import make_plan
from volact.core.verify import verify
from volact.model.step import Plan, StepResult

SILENT: dict[str, Any] = {"products": unreadable(), "licensing": unreadable()}
DISABLED = {"services__sppsvc": ["Stopped", "Disabled"], **SILENT}
STARTED = {"services__sppsvc": ["Running", "Auto"], **SILENT}


def judged(before: dict[str, Any], after: dict[str, Any], *, ok: bool = True) -> tuple[str, Any]:
    """Plan on ``before``, pretend that the steps ran, probe ``after``."""
    ctx, facts, facts_after = context(), facts_of(before), facts_of(after)
    found, left = diagnose(assess(facts, ctx)), diagnose(assess(facts_after, ctx))
    plan = make_plan(assess(facts, ctx), found)
    results = tuple(StepResult(do=step.do, ok=ok, changed=ok) for step in plan.steps)
    verdict = verify(plan, found, left, assess(facts_after, ctx, results))
    return verdict.word, verdict.resolved


@pytest.mark.parametrize("ok", [True, False])
def test_licensed_by_an_accepted_host_is_healthy_with_any_result_of_a_step(ok: bool) -> None:
    word, resolved = judged(server(licensed=False, kms=OTHER_KMS), server(), ok=ok)
    assert word == "healthy"
    assert resolved == ("kms-host-wrong", "not-licensed")


def test_a_step_that_says_ok_and_did_nothing_has_failed() -> None:
    assert judged(server(licensed=False), server(licensed=False))[0] == "failed"


def test_licensed_by_another_host_after_activation_has_failed() -> None:
    assert judged(server(licensed=False), server(kms=OTHER_KMS))[0] == "failed"


def test_a_service_that_stays_disabled_has_failed() -> None:
    assert judged(server(**DISABLED), server(**DISABLED))[0] == "failed"


def test_a_service_that_comes_up_with_the_next_start_needs_attention() -> None:
    waiting = {**DISABLED, "restart": "enable-service"}
    word, resolved = judged(server(**DISABLED), server(**waiting), ok=False)
    assert (word, resolved) == ("attention", ("service-disabled",))
    assert (
        next(f.id for f in diagnose(assess(facts_of(server(**waiting)), context())))
        == "restart-needed"
    )
    again, _ = judged(server(**waiting), server(**waiting))
    assert again == "attention"


def test_a_service_that_was_started_and_still_says_nothing_needs_attention() -> None:
    word, resolved = judged(server(**SILENT), server(**STARTED))
    assert word == "attention"
    assert resolved == ("service-stopped",)


def test_licensed_with_another_error_left_needs_attention() -> None:
    word, resolved = judged(server(licensed=False, policy_len=1960), server(policy_len=1960))
    assert word == "attention"
    assert resolved == ("not-licensed",)


def test_a_warning_does_not_spoil_health() -> None:
    raw = server("2019", products=[product("2019", GracePeriodRemaining=200_000)])
    assert judged(raw, raw)[0] == "healthy"


@pytest.mark.parametrize(
    ("raw", "word"),
    [
        (server(), "healthy"),
        (server(licensed=False), "attention"),
        (server(**STARTED), "attention"),
        (server(products=[product(channel="VOLUME_MAK")]), "attention"),
    ],
)
def test_a_look_without_steps(raw: dict[str, Any], word: str) -> None:
    ctx, facts = context(), facts_of(raw)
    found = diagnose(assess(facts, ctx))
    assert verify(Plan(), found, found, assess(facts, ctx)).word == word


def test_a_lost_answer_is_judged_by_the_closing_look() -> None:
    ctx, facts = context(), facts_of(server(licensed=False))
    found = diagnose(assess(facts, ctx))
    plan = make_plan(assess(facts, ctx), found)
    assert verify(plan, found, found, assess(facts, ctx)).word == "failed"


FAILED = {
    "12288": ["2026-01-31T08:00:00Z", ["0x800706BA", "0x0", f"{KMS}:1688"], 41],
    "12289": None,
    "8198": None,
}
OLD = [product("2019", GracePeriodRemaining=257_000)]


def tried(before: dict[str, Any], after: dict[str, Any], *, ok: bool) -> tuple[str, Any, set[str]]:
    """As ``judged``; the closing probe knows what the steps answered."""
    ctx, facts, facts_after = context(), facts_of(before), facts_of(after)
    found = diagnose(assess(facts, ctx))
    plan = make_plan(assess(facts, ctx), found)
    results = tuple(
        StepResult(do=step.do, ok=ok or step.do != "activate", hresult=0xC004F074)
        for step in plan.steps
    )
    left = diagnose(assess(facts_after, ctx, results))
    verdict = verify(plan, found, left, assess(facts_after, ctx, results))
    return verdict.word, verdict.resolved, {finding.id for finding in left}


def test_the_licence_of_another_host_is_not_replaced_by_setting_the_providers() -> None:
    word, resolved = judged(server("2019", kms=OTHER_KMS), former())
    assert (word, resolved) == ("healthy", ("kms-host-wrong",))


def test_an_old_licence_does_not_make_a_failed_activation_healthy() -> None:
    before = server("2019", kms=OTHER_KMS)
    word, resolved, left = tried(before, server("2019", products=OLD, events=FAILED), ok=False)
    assert (word, resolved) == ("failed", ("kms-host-wrong",))
    assert "activation-failed" in left
    # Without an event only the step's result shows it, and that is enough.
    assert tried(before, server("2019", products=OLD), ok=False)[0] == "failed"


def test_the_next_check_still_knows_that_it_failed() -> None:
    ctx, facts = context(), facts_of(server("2019", products=OLD, events=FAILED))
    found = diagnose(assess(facts, ctx))
    assert verify(Plan(), found, found, assess(facts, ctx)).word == "attention"
    assert [step.do for step in make_plan(assess(facts, ctx), found).steps] == ["activate"]


def test_a_licence_that_came_all_the_same_is_a_licence() -> None:
    before, renewed = server("2019", kms=OTHER_KMS), product("2019", GracePeriodRemaining=259_199)
    assert tried(before, server("2019", products=[renewed]), ok=False)[0] == "healthy"
    assert tried(before, server("2019", products=OLD), ok=True)[0] == "healthy"


def by_directory(left_min: int, **changes: Any) -> dict[str, Any]:
    """A member that Active Directory has licensed."""
    one = product("2019", GracePeriodRemaining=left_min, VLActivationType=1, **changes)
    return server("2019", role=3, products=[one])


ENDING = server("2019", role=3, products=[product("2019", GracePeriodRemaining=28_800)])


def test_a_renewal_that_active_directory_gave_has_not_failed() -> None:
    word, resolved, left = tried(ENDING, by_directory(259_100), ok=True)
    assert (word, left) == ("attention", {"licensed-by-other-kms"})
    assert resolved == ("grace-ending", "renewal-overdue")


def test_a_renewal_that_neither_gave_has_failed() -> None:
    assert tried(ENDING, ENDING, ok=True)[0] == "failed"


def test_a_first_licence_from_active_directory_is_not_what_the_steps_were_for() -> None:
    before = by_directory(0, LicenseStatus=5)
    assert tried(before, by_directory(259_100), ok=True)[0] == "failed"
