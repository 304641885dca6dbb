"""Requests that put back what a run changed: what is sent, and that it always fits."""

from __future__ import annotations

import msgspec

from volact.agent.render import MAX_BYTES, parts_of, render
from volact.agent.request import Lock, new_request
from volact.core.steps import PLAN_KINDS, UNDO_KINDS
from volact.core.undo import ROOM
from volact.knowledge.load import load_profile, profile_names
from volact.model.step import Step

LOCK = Lock(run="f" * 16, who="x" * 80, since=10**13, until=10**13)


def test_every_kind_of_step_and_all_that_one_undo_may_hold_fit_into_one_request() -> None:
    kinds = [
        Step(do=do)
        for do in (
            *(kind.name for kind in UNDO_KINDS),
            "restore-time-limits",
            "add-route",
            "remove-debugger",
        )
    ]
    filler = Step(do="restore-acl", params={"expect": [""], "sddl": ""})
    room = "x" * (ROOM - len(msgspec.json.encode(filler)))
    steps = (*kinds, msgspec.structs.replace(filler, params={"expect": [""], "sddl": room}))
    for name in profile_names():
        request = new_request("apply", load_profile(name), steps, id="0" * 16)
        assert len(render(msgspec.structs.replace(request, lock=LOCK))) <= MAX_BYTES, name


def test_only_what_a_step_needs_is_sent() -> None:
    profile = load_profile("tencent")

    def parts(do: str) -> tuple[str, ...]:
        return parts_of(new_request("apply", profile, (Step(do=do),), id="0" * 16))

    back = {name for kind in UNDO_KINDS for name in kind.agent_parts} - {
        name for kind in PLAN_KINDS for name in kind.agent_parts
    }
    for kind in PLAN_KINDS:
        assert not back & set(parts(kind.name)), kind.name
    assert "back_time" not in parts("restore-kms-host")
    assert "kms_steps" not in parts("restore-kms-host")
