"""An undo out of a store that was edited: values of every type and form, none of them trusted."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from servers import context, facts_of, server
from test_steps import PROMISES, Promise
from test_undo import CONSENT, done, steps_of

from volact.core.sddl import others_may_write, service_sid
from volact.core.steps import BY_NAME
from volact.core.steps.wire import from_wire
from volact.core.undo import UndoPlan, plan_undo
from volact.model.report import ServerReport
from volact.model.step import Step
from volact.model.undo import RunHistory

EDITS: list[Any] = [
    *(None, True, -1, 2**70, 1.5, "", "x" * 9000, "a\0b", "& calc", "$(calc)", "\u202e", "a\r\nb"),
    *([], [None], ["10.0.0.1 & calc"], {}, {"host": {"host": 1}}, {"!": "x"}, [[[[]]]]),
]
CHANGING = [promise for promise in PROMISES if promise.after or promise.before]


def edited(promise: Promise, value: Any, *, answered: bool) -> UndoPlan:
    """The undo of a step whose earlier values were replaced in the store."""
    facts, ctx = facts_of(server(**promise.before)), context()
    step = Step(do=promise.do, params=promise.params)
    after, history = done(facts, (step,), ctx, answered)
    (applied,) = history.steps
    before = dict.fromkeys(applied.before, value)
    result = applied.result and msgspec.structs.replace(applied.result, before=before)
    applied = msgspec.structs.replace(applied, before=before, result=result)
    return plan_undo(RunHistory(run="r1", steps=(applied,)), after, CONSENT)


@pytest.mark.parametrize("answered", [True, False])
@pytest.mark.parametrize("promise", CHANGING, ids=[promise.do for promise in CHANGING])
def test_no_value_of_a_store_breaks_an_undo(promise: Promise, answered: bool) -> None:
    for value in EDITS:
        plan = edited(promise, value, answered=answered)
        for step in steps_of(plan):
            assert (
                type(from_wire(step).params) is BY_NAME[step.do].params
            )  # as typed as any other step
        row = plan.preview()
        assert (row.word == "planned") is bool(steps_of(plan))
        report = ServerReport(
            name="a", address="ssh://h", provider=None, verdict="attention", undo=row
        )
        assert b'"undo":{' in msgspec.json.encode(report, enc_hook=str)


def test_no_edit_opens_the_licensing_program_to_others() -> None:
    promise = next(promise for promise in PROMISES if promise.do == "grant-execute")
    usual = f"D:PAI(A;;0x1200a9;;;BU)(A;;FA;;;{service_sid('TrustedInstaller')})(A;;FA;;;SY)"
    plan = edited(promise, usual, answered=True)
    assert [step.params["sddl"] for step in steps_of(plan)] == [usual]
    opened = ("D:(A;;FA;;;WD)", "D:(A;;WD;;;BU)", "D:(A;;0x40000000;;;AU)", "D:NO_ACCESS_CONTROL")
    for sddl in opened:
        plan = edited(promise, sddl, answered=True)
        assert steps_of(plan) == ()
        assert "others than administrators" in plan.left[0].reason


@pytest.mark.parametrize(
    ("sddl", "may"),
    [
        ("D:PAI(A;;FA;;;SY)(A;;FA;;;BA)(A;;0x1200a9;;;BU)", False),
        ("D:(A;IO;FA;;;CO)(A;;FX;;;WD)", False),
        ("D:(D;;FA;;;WD)", False),
        ("D:(A;;WO;;;S-1-5-21-1-2-3-1001)", True),
        ("D:(A;;0x2;;;NS)", True),
        ("what is this", True),
    ],
)
def test_who_may_write(sddl: str, may: bool) -> None:
    assert others_may_write(sddl) is may
