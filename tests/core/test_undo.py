"""Undo: laws over plausible servers, and the cases that decide."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from plausible import POLICIES, Raw, servers, with_images
from servers import KMS, OTHER_KMS, context, facts_of, server

from volact.core.assessment import assess
from volact.core.context import Context
from volact.core.findings import diagnose
from volact.core.plan import make_plan
from volact.core.steps import SETTINGS
from volact.core.steps.forecast import previous_values, promised
from volact.core.steps.setting import SettingKey
from volact.core.undo import UndoPlan, outcome, plan_undo
from volact.core.undo_changes import changes_of
from volact.model.facts import Facts
from volact.model.step import Step, StepResult
from volact.model.undo import AppliedStep, RunHistory

LAWS = settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
CONSENT = frozenset({"restore-debugger"})


def done(
    facts: Facts, steps: tuple[Step, ...], ctx: Context, answered: bool
) -> tuple[Facts, RunHistory]:
    """What a run that keeps its promises does, and what is recorded of it."""
    steps_ = []
    for step in steps:
        before, after = previous_values(step, facts), promised(facts, (step,), ctx)
        seen = previous_values(step, after)
        result = StepResult(do=step.do, ok=True, changed=before != seen, before=before, after=seen)
        steps_.append(
            AppliedStep(
                do=step.do, params=step.params, before=before, result=result if answered else None
            )
        )
        facts = after
    return facts, RunHistory(run="r1", steps=tuple(steps_))


def steps_of(way: UndoPlan) -> tuple[Step, ...]:
    return tuple(back.step for back in way.restores)


def with_adapters(raw: Raw, *, fixed: bool) -> Raw:
    dns = raw.get("dns")
    adapters = {"7": [dns, True, fixed]} if isinstance(dns, list) else {}
    return {**raw, "adapters": adapters}


def all_keys(*facts: Facts) -> set[SettingKey]:
    """Every setting that there is."""
    keys: set[SettingKey] = {
        ("kms-host",),
        ("time-source",),
        ("time-trigger",),
        ("acl",),
        ("debugger",),
        ("debugger", "SppExtComObj.exe"),
    }
    for one in facts:
        keys |= {("start-mode", name) for name in one.services}
        keys |= {("dns", index) for index in one.adapters}
    return keys


def replaced(past: RunHistory) -> set[SettingKey]:
    """KMS hosts of products that were gone, with their key, when the step for them ran."""
    keyed = any(deed.do == "install-key" for deed in past.steps)
    return {
        ("kms-host", deed.params["product"])
        for deed in past.steps
        if keyed and deed.do == "clear-kms-host" and deed.before == {"host": None}
    }


@LAWS
@given(raw=servers(), policy=POLICIES, fixed=st.booleans(), answered=st.booleans())
def test_undoing_what_was_done_gives_what_was_before(
    raw: Raw, policy: dict[str, Any], fixed: bool, answered: bool
) -> None:
    first, ctx = facts_of(with_adapters(raw, fixed=fixed)), with_images(context(**policy))
    steps = make_plan(assess(first, ctx), diagnose(assess(first, ctx))).steps
    then, past = done(first, steps, ctx, answered)
    way = plan_undo(past, then, CONSENT)
    last = promised(then, steps_of(way), ctx)
    left = {one.what for one in way.left if one.possible}
    for key in {*changes_of(past.steps), *all_keys(first)} - {("time-limits",), *replaced(past)}:
        was, is_ = SETTINGS[key[0]].value_now(first, key), SETTINGS[key[0]].value_now(last, key)
        if "/".join(key) not in left and was[0]:
            assert is_[0] and SETTINGS[key[0]].same(was[1], is_[1]), (key, was, is_)


@LAWS
@given(raw=servers(), policy=POLICIES, answered=st.booleans())
def test_an_undo_can_be_undone(raw: Raw, policy: dict[str, Any], answered: bool) -> None:
    first, ctx = facts_of(with_adapters(raw, fixed=True)), with_images(context(**policy))
    steps = make_plan(assess(first, ctx), diagnose(assess(first, ctx))).steps
    then, past = done(first, steps, ctx, answered=True)
    back, undo = done(then, steps_of(plan_undo(past, then, CONSENT)), ctx, answered)
    again = promised(back, steps_of(plan_undo(undo, back, CONSENT)), ctx)
    for key in changes_of(undo.steps):
        was, is_ = SETTINGS[key[0]].value_now(then, key), SETTINGS[key[0]].value_now(again, key)
        assert SETTINGS[key[0]].same(was[1], is_[1]), (key, was, is_)


@LAWS
@given(raw=servers(), policy=POLICIES, answered=st.booleans())
def test_a_second_undo_finds_nothing_to_do(
    raw: Raw, policy: dict[str, Any], answered: bool
) -> None:
    first, ctx = facts_of(with_adapters(raw, fixed=True)), with_images(context(**policy))
    steps = make_plan(assess(first, ctx), diagnose(assess(first, ctx))).steps
    then, past = done(first, steps, ctx, answered)
    way = plan_undo(past, then, CONSENT)
    last = promised(then, steps_of(way), ctx)
    assert outcome(way, last, ()).undone == tuple(back.undone for back in way.restores)
    assert steps_of(plan_undo(past, last, CONSENT)) == ()


@LAWS
@given(raw=servers(), other=servers(), policy=POLICIES)
def test_what_the_run_did_not_put_there_is_never_touched(
    raw: Raw, other: Raw, policy: dict[str, Any]
) -> None:
    """In every later state of the server: an undo step starts from what the run left."""
    first, ctx = facts_of(with_adapters(raw, fixed=True)), with_images(context(**policy))
    steps = make_plan(assess(first, ctx), diagnose(assess(first, ctx))).steps
    assume(steps)
    _, past = done(first, steps, ctx, answered=True)
    since = facts_of(with_adapters(other, fixed=False))
    chains = changes_of(past.steps)
    for back in plan_undo(past, since, CONSENT).restores:
        _, now = SETTINGS[back.key[0]].value_now(since, back.key)
        assert any(SETTINGS[back.key[0]].same(put, now) for put in chains[back.key][-1].put)


# cases


def kms_run(*, result: StepResult | None = None, **before: Any) -> RunHistory:
    deed = AppliedStep(
        do="set-kms-host",
        params={"layer": "service", "hosts": [KMS]},
        before=before or {"host": f"{OTHER_KMS}:1688"},
        result=result,
    )
    return RunHistory(run="r1", steps=(deed,))


def facts_with_host(host: str, policy: str | None = None) -> Facts:
    raw = server()
    raw["registry"]["policy_machine"] = policy
    raw["licensing"]["machine"] = raw["registry"]["machine"] = host
    return facts_of(raw)


def test_a_step_that_never_came_to_run_leaves_nothing_to_undo() -> None:
    way = plan_undo(kms_run(), facts_with_host(OTHER_KMS))
    assert (steps_of(way), way.left) == ((), ())
    assert way.preview().word == "nothing"


def test_a_lost_answer_is_judged_by_the_server_itself() -> None:
    (step,) = steps_of(plan_undo(kms_run(), facts_with_host(KMS)))
    assert step.do == "restore-kms-host"
    assert step.params["host"] == f"{OTHER_KMS}:1688"
    assert step.params["expect"] == [f"{KMS}:1688"]


def test_what_was_changed_since_stays_and_both_values_are_said() -> None:
    way = plan_undo(kms_run(), facts_with_host("kms.corp.example"))
    (left,) = way.left
    assert steps_of(way) == ()
    assert (left.before, left.now) == (f"{OTHER_KMS}:1688", "kms.corp.example:1688")
    assert left.possible
    assert left.reason == "changed since then: left unchanged"
    assert way.preview().word == "refused"


def test_nothing_rests_on_a_fact_that_cannot_be_read() -> None:
    raw = server()
    raw["licensing"] = raw["registry"] = {"!": 0x80070005}
    way = plan_undo(kms_run(), facts_of(raw))
    assert steps_of(way) == ()
    assert "cannot be read" in way.left[0].reason
    unknown = RunHistory(run="r1", steps=(AppliedStep(do="set-kms-host", params={"layer": "service",
                                                                    "hosts": [KMS]}),))  # fmt: skip
    assert "not known" in plan_undo(unknown, facts_with_host("x")).left[0].reason


def test_group_policy_is_not_fought() -> None:
    way = plan_undo(kms_run(), facts_with_host(KMS, policy="kms.corp.example"))
    assert steps_of(way) == ()
    assert "group policy" in way.left[0].reason


def test_a_domain_members_time_is_not_touched() -> None:
    raw = server()
    raw["os"]["role"] = 3
    raw["time"].update(type="NTP", peers="time1.tencentyun.com,0x8")
    deed = AppliedStep(
        do="set-time-source",
        params={"peers": ["time1.tencentyun.com"]},
        before={"type": "NT5DS", "peers": ""},
    )
    way = plan_undo(RunHistory(run="r1", steps=(deed,)), facts_of(raw))
    assert steps_of(way) == ()
    assert "domain" in way.left[0].reason


def test_a_debugger_comes_back_only_with_the_persons_word() -> None:
    raw = server()
    raw["binary"]["debugger"] = None
    past = RunHistory(
        run="r1",
        steps=(
            AppliedStep(do="remove-debugger", params={"debugger": "x"}, before={"debugger": "x"}),
        ),
    )
    refused = plan_undo(past, facts_of(raw))
    assert steps_of(refused) == ()
    assert refused.left[0].allow_with == "--allow restore-debugger"
    (step,) = steps_of(plan_undo(past, facts_of(raw), CONSENT))
    assert (step.do, step.params) == ("restore-debugger", {"debugger": "x"})


def test_what_has_no_way_back_is_said_and_is_no_failure() -> None:
    changed = StepResult(do="install-key", ok=True, changed=True, before={"partial_key": "AAAAA"},
                         after={"partial_key": "BBBBB"})  # fmt: skip
    steps_ = (
        AppliedStep(
            do="install-key",
            params={"keys": {}, "replace": True},
            before={"partial_key": "AAAAA"},
            result=changed,
        ),
        AppliedStep(do="activate", result=StepResult(do="activate", ok=True, changed=False)),
    )
    way = plan_undo(RunHistory(run="r1", steps=steps_), facts_of(server()))
    (left,) = way.left
    assert "AAAAA" in left.reason and not left.possible
    assert way.preview().word == "nothing"


def test_what_the_closing_look_does_not_show_is_not_undone() -> None:
    facts = facts_with_host(KMS)
    way = plan_undo(kms_run(), facts)
    told = StepResult(do="restore-kms-host", ok=True, changed=True)
    row = outcome(way, facts, (told,))
    assert (row.word, row.undone) == ("failed", ())
    assert "does not show" in row.left[0].reason
    refused = StepResult(do="restore-kms-host", ok=False, hresult=0x80070005)
    assert "0x80070005" in outcome(way, facts, (refused,)).left[0].reason


def test_what_one_request_does_not_hold_is_left_for_the_next_undo() -> None:
    raw = server()
    raw["adapters"] = {str(n): [[f"10.0.{n}.{m}" for m in range(60)], True, True]
                       for n in range(4)}  # fmt: skip
    wanted = {"servers": ["10.9.9.9"], "position": "last"}
    facts = facts_of(raw)
    then, past = done(facts, (Step(do="add-dns", params=wanted),), context(), answered=False)
    way = plan_undo(past, then)
    later = [left for left in way.left if "undo the same run again" in left.reason]
    assert len(way.restores) + len(later) == 4 and later and way.restores
    half = promised(then, steps_of(way), context())
    assert outcome(way, half, ()).word == "partly"
    assert {back.key for back in plan_undo(past, half).restores} == {
        ("dns", left.what.partition("/")[2]) for left in later
    }
