"""The planner's laws, over whole plausible servers.

1. A healthy server's plan is empty.
2. When the steps keep their promise, none of the findings they were for is left.
3. Making a fact unreadable never adds a step, with the exceptions that the
   planner names.
4. The order of the steps is safe.
5. A server that is not healthy has a finding that says why.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plausible import POLICIES, Raw, servers, with_images
from servers import KMS, RELEASES, context, facts_of, server, unreadable

from volact.core.assessment import assess
from volact.core.context import Context
from volact.core.findings import diagnose
from volact.core.main_cause import NOT_BY_KMS
from volact.core.plan import make_plan
from volact.core.steps import ORDER
from volact.core.steps.forecast import promised
from volact.core.verify import is_healthy
from volact.model.fact import Absent
from volact.model.facts import Facts
from volact.model.step import Plan, Step

LAWS = settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)

# Facts that may be missing without making the planner more careful, each with
# its reason in ``volact.core.plan``.
MAY_BE_UNKNOWN = ("metadata", "elevated", "rights", "firewall", "restart")
LICENSING = ("products", "licensing")


def plan_of(facts: Facts, ctx: Context) -> Plan:
    return make_plan(assess(facts, ctx), diagnose(assess(facts, ctx)))


@LAWS
@given(raw=servers(), policy=POLICIES)
def test_a_healthy_server_is_left_alone(raw: Raw, policy: dict[str, Any]) -> None:
    facts, ctx = facts_of(raw), with_images(context(**policy))
    findings = diagnose(assess(facts, ctx))
    plan = make_plan(assess(facts, ctx), findings)
    if is_healthy(assess(facts, ctx), findings):
        assert plan.steps == ()


@LAWS
@given(raw=servers(), policy=POLICIES)
def test_a_licensed_server_is_changed_for_errors_only(raw: Raw, policy: dict[str, Any]) -> None:
    facts, ctx = facts_of(raw), with_images(context(**policy))
    findings = diagnose(assess(facts, ctx))
    plan = make_plan(assess(facts, ctx), findings)
    if assess(facts, ctx).licensed_by_accepted:
        errors = {finding.id for finding in findings if finding.severity == "error"}
        assert all(set(step.because) <= errors for step in plan.steps)


@LAWS
@given(raw=servers(), policy=POLICIES)
def test_kept_promises_leave_none_of_the_findings(raw: Raw, policy: dict[str, Any]) -> None:
    facts, ctx = facts_of(raw), with_images(context(**policy))
    plan = plan_of(facts, ctx)
    after = promised(facts, plan.steps, ctx)
    left = {finding.id for finding in diagnose(assess(after, ctx))}
    assert not left & {cause for step in plan.steps for cause in step.because}


@LAWS
@given(raw=servers(), policy=POLICIES)
def test_a_second_plan_repeats_nothing(raw: Raw, policy: dict[str, Any]) -> None:
    facts, ctx = facts_of(raw), with_images(context(**policy))
    first = plan_of(facts, ctx)
    after = promised(facts, first.steps, ctx)
    if assess(after, ctx).licensed_by_accepted:
        again = plan_of(after, ctx)
        assert not {key(step) for step in again.steps} & {key(step) for step in first.steps}


@LAWS
@given(raw=servers(), policy=POLICIES, data=st.data())
def test_an_unreadable_fact_never_adds_a_step(
    raw: Raw, policy: dict[str, Any], data: st.DataObject
) -> None:
    ctx = with_images(context(**policy))
    path = data.draw(st.sampled_from(list(paths(raw))))
    if path[0] in MAY_BE_UNKNOWN:
        return
    facts, blind = facts_of(raw), facts_of(without(raw, path))
    allowed = {key(step) for step in plan_of(facts, ctx).steps}
    if path[0] in LICENSING:
        allowed |= exceptions(blind, ctx)
    if isinstance(facts.services.get("W32Time"), Absent):
        # The clock is known to be wrong.  Setting it is left out only where it cannot work.
        allowed |= {("set-time-source", ""), ("sync-clock", ""), ("activate", "")}
    planned = plan_of(blind, ctx).steps
    assert {key(step) for step in planned} <= allowed, path


def exceptions(blind: Facts, ctx: Context) -> set[tuple[str, str]]:
    """What may be planned although licensing does not answer: see ``volact.core.plan``."""
    services = {("start-service", "sppsvc"), ("start-service", "slsvc")}
    if not assess(blind, ctx).service.held_down:
        return services
    return services | {("activate", "")}


@LAWS
@given(raw=servers(), policy=POLICIES)
def test_the_order_is_safe(raw: Raw, policy: dict[str, Any]) -> None:
    steps = plan_of(facts_of(raw), with_images(context(**policy))).steps
    ranks = [ORDER.index(step.do) for step in steps]
    assert ranks == sorted(ranks)
    assert [step.do for step in steps].count("activate") <= 1
    assert all(step.because for step in steps)


@LAWS
@given(raw=servers(), policy=POLICIES)
def test_every_finding_is_whole(raw: Raw, policy: dict[str, Any]) -> None:
    ctx = with_images(context(**policy))
    findings = diagnose(assess(facts_of(raw), ctx))
    ids = [finding.id for finding in findings]
    assert len(ids) == len(set(ids))
    for finding in findings:
        assert finding.summary.endswith("."), finding.summary
        assert finding.remedy


@LAWS
@given(raw=servers(), policy=POLICIES)
def test_what_keeps_a_server_from_being_healthy_is_told(raw: Raw, policy: dict[str, Any]) -> None:
    assert is_told(raw, with_images(context(**policy)))


@pytest.mark.parametrize("kms", [KMS, None])
@pytest.mark.parametrize("release", list(RELEASES))
def test_an_unreadable_fact_that_leaves_the_licence_in_doubt_is_told(
    release: str, kms: str | None
) -> None:
    raw, ctx = server(release, kms=kms), context()
    untold = [path for path in paths(raw) if not is_told(without(raw, path), ctx)]
    assert untold == []


def is_told(raw: Raw, ctx: Context) -> bool:
    """Whether a server that is not healthy has a finding that says why."""
    a = assess(facts_of(raw), ctx)
    findings = diagnose(a)
    why = (f.severity in ("error", "warning") or f.id in NOT_BY_KMS for f in findings)
    return is_healthy(a, findings) or any(why)


def test_the_order_names_services_clock_key_host_activation() -> None:
    wanted = ["start-service", "sync-clock", "install-key", "set-kms-host", "activate"]
    assert sorted(wanted, key=ORDER.index) == wanted


def key(step: Step) -> tuple[str, str]:
    """What a step does to what, without its details."""
    target = step.params.get("name") or step.params.get("product") or step.params.get("layer")
    return (step.do, str(target or ""))


def paths(raw: Raw) -> Iterator[tuple[str | int, ...]]:
    """Every fact of an answer by itself, and every group as a whole."""
    for group, content in raw.items():
        yield (group,)
        if isinstance(content, dict) and "!" not in content:
            yield from ((group, name) for name in content)
        if group == "products" and isinstance(content, list):
            for index, product in enumerate(content):
                yield from (("products", index, name) for name in product if name != "!")


def without(raw: Raw, path: tuple[str | int, ...]) -> Raw:
    """The same answer with one fact unreadable."""
    blind = deepcopy(raw)
    place: Any = blind
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = unreadable()
    return blind
