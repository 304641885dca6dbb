"""What the registry of findings promises: order, declarations, rules that fail."""

from __future__ import annotations

import msgspec
import pytest
from servers import context, facts_of, product, server

from volact.core.assessment import Assessment, assess
from volact.core.findings import BY_ID, KINDS, diagnose
from volact.core.findings.clock import CLOCK_SKEW
from volact.core.findings.kind import FindingKind, Found, Place, info, reported, warning
from volact.core.plan import make_plan
from volact.core.verify import verify
from volact.model.finding import Repair
from volact.model.step import Plan
from volact.model.text import say


def raising(a: Assessment) -> Found | None:
    raise LookupError("a bug")


def undeclared(a: Assessment) -> Found | None:
    return info(say("a note"), {}, remedy=say("none"))


def declared(id: str, rule: object) -> FindingKind:
    """A kind like that of a wrong clock, with another rule."""
    return msgspec.structs.replace(CLOCK_SKEW, id=id, rule=rule)


UNLICENSED = assess(facts_of(server(licensed=False, skew_s=18_000)), context())


def test_a_rule_that_fails_costs_its_own_finding_only() -> None:
    before = {finding.id for finding in diagnose(UNLICENSED)}
    findings = diagnose(UNLICENSED, (declared("always-fails", raising), *KINDS))
    assert {finding.id for finding in findings} == before | {"rule-failed"}
    failed = next(finding for finding in findings if finding.id == "rule-failed")
    assert failed.severity == "warning"
    assert failed.evidence == {"rules": {"always-fails": "LookupError"}}
    assert "always-fails" in failed.summary


def test_several_rules_that_fail_are_one_finding() -> None:
    kinds = (declared("one", raising), declared("two", raising), *KINDS)
    (failed,) = (f for f in diagnose(UNLICENSED, kinds) if f.id == "rule-failed")
    assert failed.evidence["rules"] == {"one": "LookupError", "two": "LookupError"}


def test_a_severity_that_is_not_declared_is_a_rule_that_failed() -> None:
    (failed,) = diagnose(UNLICENSED, (declared("only-a-note", undeclared),))
    assert failed.id == "rule-failed"
    assert failed.evidence == {"rules": {"only-a-note": "ValueError"}}


@pytest.mark.parametrize(
    ("repair", "said"),
    [("automatic", "nothing that repairs it"), ("needs-consent", "no option that agrees")],
)
def test_a_repair_that_is_not_declared_is_an_error(repair: Repair, said: str) -> None:
    own = set(FindingKind.__struct_fields__) - set(reported.keywords)
    parts = {name: getattr(CLOCK_SKEW, name) for name in own}
    only_told = reported(**{**parts, "id": "only-told"})
    found = warning(say("a note"), {}, repair=repair, remedy=say("none"))
    with pytest.raises(ValueError, match=f"only-told declares {said}"):
        only_told.finding(found)


def test_nothing_is_changed_where_a_rule_failed() -> None:
    findings = diagnose(UNLICENSED, (*KINDS, declared("always-fails", raising)))
    plan = make_plan(UNLICENSED, findings)
    assert plan.steps == ()
    assert [refusal.finding for refusal in plan.refusals] == ["rule-failed"]
    assert make_plan(UNLICENSED, diagnose(UNLICENSED)).steps


def test_a_failed_rule_is_no_verdict_on_the_server() -> None:
    healthy = assess(facts_of(server()), context())
    findings = diagnose(healthy, (*KINDS, declared("always-fails", raising)))
    assert verify(Plan(), findings, findings, healthy).word == "healthy"


def test_findings_of_one_severity_are_in_the_order_of_their_stages() -> None:
    damaged = [product(licensed=False, LicenseStatusReason=0xC004E002)]
    findings = diagnose(assess(facts_of(server(products=damaged, skew_s=18_000)), context()))
    stages = [BY_ID[finding.id].place for finding in findings if finding.severity == "error"]
    assert stages == sorted(stages)
    assert len(stages) > 2


def test_a_declaration_that_lacks_a_part_is_an_error() -> None:
    parts = {name: getattr(CLOCK_SKEW, name) for name in CLOCK_SKEW.__struct_fields__}
    for name in parts:
        less = {key: value for key, value in parts.items() if key != name}
        with pytest.raises(TypeError, match=name):
            FindingKind(**less)


def test_only_kinds_without_a_rule_are_found_elsewhere() -> None:
    assert {kind.id for kind in KINDS if kind.rule is None} == {"duplicate-cmid", "rule-failed"}
    assert BY_ID["duplicate-cmid"].place == Place.FLEET


def test_what_calls_for_work_blocks_or_is_a_licence_that_is_missing() -> None:
    """A finding that makes mere warnings worth mending is one that activation mends."""
    for kind in KINDS:
        if kind.calls_for in ("work", "activation"):
            assert "error" in kind.severities, kind.id
        if kind.consent.startswith("--allow"):
            assert kind.repair_steps or kind.calls_for == "work", kind.id
