"""Findings that the operator accepts: what they change in the verdict, and what they must not."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plausible import servers
from servers import context, facts_of, product, server

from volact.core.assessment import Assessment, assess
from volact.core.context import Context
from volact.core.findings import BY_ID, diagnose
from volact.core.plan import make_plan
from volact.core.verify import verify
from volact.model.finding import Acceptance, Finding
from volact.model.profile import Image
from volact.model.step import Plan

MAK = server("2019", products=[product("2019", channel="VOLUME_MAK", partial="ABCDE")])
KMS_HOST = server("2019", products=[product("2019", channel="VOLUME_KMS_2019_C")])
EVALUATION = server("2019", sku=79, products=[product("2019", channel="TIMEBASED_EVAL")])
IMPORTED = {"img-x": Image(type="PRIVATE_IMAGE", source="EXTERNAL_IMPORT", license="TencentCloud")}
SKEWED = server("2019", skew_s=5 * 3600)


def accepting(*ids: str, until: date | None = None, ctx: Context | None = None) -> Context:
    expected = tuple(Acceptance(finding=id, reason="agreed", until=until) for id in ids)
    return msgspec.structs.replace(ctx or context(), expected=expected)


def judged(raw: dict[str, Any], ctx: Context) -> tuple[Assessment, tuple[Finding, ...], str]:
    a = assess(facts_of(raw), ctx)
    found = diagnose(a)
    return a, found, verify(Plan(), found, found, a).word


@pytest.mark.parametrize(
    ("raw", "id", "severity"),
    [
        (MAK, "licensed-by-own-key", "info"),
        (KMS_HOST, "kms-host-role", "info"),
        (EVALUATION, "edition-evaluation", "error"),
    ],
)
def test_a_state_that_is_accepted_is_healthy(raw: dict[str, Any], id: str, severity: str) -> None:
    assert judged(raw, context())[2] == "attention"
    _, found, word = judged(raw, accepting(id))
    assert word == "healthy"
    (marked,) = [finding for finding in found if finding.accepted]
    assert (marked.id, marked.severity, marked.own_severity) == (id, "accepted", severity)
    assert found[-1] is marked


def test_it_counts_again_when_its_last_day_is_over() -> None:
    at = context().now
    today = at.astimezone(UTC).date()
    before = date.fromordinal(today.toordinal() - 1)
    assert judged(MAK, accepting("licensed-by-own-key", until=today))[2] == "healthy"
    _, found, word = judged(MAK, accepting("licensed-by-own-key", until=before))
    assert (word, [finding.accepted for finding in found]) == (
        "attention",
        [msgspec.UNSET] * len(found),
    )


def test_another_finding_keeps_a_server_from_being_healthy() -> None:
    both = {**MAK, "time": SKEWED["time"]}
    _, found, word = judged(both, accepting("clock-skew"))
    assert word == "attention", "licensed by MAK is not accepted"
    assert [f.id for f in found if f.severity == "accepted"] == ["clock-skew"]
    assert judged(both, accepting("licensed-by-own-key"))[2] == "attention"
    assert judged(both, accepting("licensed-by-own-key", "clock-skew"))[2] == "healthy"


def test_the_first_acceptance_of_a_finding_decides() -> None:
    past = Acceptance(finding="licensed-by-own-key", until=date(2000, 1, 1))
    ctx = accepting("licensed-by-own-key")
    ctx = msgspec.structs.replace(ctx, expected=(past, *ctx.expected))
    assert judged(MAK, ctx)[2] == "attention"


def test_what_is_accepted_is_not_repaired() -> None:
    broken = server("2019", licensed=False, skew_s=5 * 3600)
    a, found, _ = judged(broken, accepting("clock-skew"))
    plan = make_plan(a, found)
    assert "sync-clock" not in [step.do for step in plan.steps]
    assert "activate" not in [step.do for step in plan.steps], "it would still fail"


def test_acceptance_of_a_missing_entitlement_activates_nothing() -> None:
    raw = server("2019", licensed=False, metadata={"image-id": "img-x"})
    ctx = context(images=IMPORTED)
    a, found, _ = judged(raw, ctx)
    assert "image-not-entitled" in [finding.id for finding in found]
    assert make_plan(a, found).steps == ()
    a, found, _ = judged(raw, accepting("image-not-entitled", ctx=ctx))
    assert make_plan(a, found).steps == ()


@given(servers(), st.lists(st.sampled_from(sorted(BY_ID)), unique=True))
def test_acceptance_adds_no_step_and_loses_no_finding(raw: dict[str, Any], ids: list[str]) -> None:
    plain, found, word = judged(raw, context())
    a, marked, accepted_word = judged(raw, accepting(*ids))
    assert {f.id for f in marked} == {f.id for f in found}
    steps = {step.do for step in make_plan(plain, found).steps}
    assert {step.do for step in make_plan(a, marked).steps} <= steps
    if word == "healthy":
        assert accepted_word == "healthy"
    if accepted_word != word:
        assert accepted_word == "healthy"
        assert any(f.accepted for f in marked)


def test_the_moment_is_an_argument() -> None:
    late = msgspec.structs.replace(
        accepting("licensed-by-own-key", until=date(2026, 12, 31)),
        now=datetime(2027, 1, 1, tzinfo=UTC),
    )
    assert judged(MAK, late)[2] == "attention"
