"""Which attempt at activating was the last one, and what it came to."""

from __future__ import annotations

from typing import Any

import pytest
from servers import KMS, facts_of, server

from volact.core.assessment.attempts import attempts_of, kms_answer, tried_at
from volact.model.step import StepResult

# The clock was five hours ahead when a host answered; it was set right, and the
# next request found no host.
AHEAD = ["2026-01-31T12:55:00Z", ["0xC004F06C", "0x0"]]
RIGHT = ["2026-01-31T08:00:00Z", ["0x800706BA", "0x0", f"{KMS}:1688"]]


def facts(request: Any, response: Any) -> Any:
    events = {"12288": request, "12289": response, "8198": None}
    return facts_of(server(licensed=False, events=events))


def test_the_logs_numbers_tell_which_event_is_newer_not_its_times() -> None:
    known = facts([*RIGHT, 912], [*AHEAD, 905])
    assert kms_answer(known) == 0x800706BA
    assert tried_at(known) == "2026-01-31T08:00:00Z"
    umbrella = (StepResult(do="activate", ok=False, hresult=0xC004F074),)
    assert attempts_of(known, umbrella).code == 0x800706BA


def test_an_answer_with_a_higher_number_is_the_answer() -> None:
    assert kms_answer(facts([*RIGHT, 904], [*AHEAD, 905])) == 0xC004F06C
    # After a clock that was set back the answer may be stamped before its request.
    early = ["2026-01-31T03:00:00Z", ["0xC004F038"], 913]
    assert kms_answer(facts([*RIGHT, 912], early)) == 0xC004F038


def test_without_numbers_the_times_tell() -> None:
    assert kms_answer(facts(RIGHT, AHEAD)) == 0xC004F06C
    assert kms_answer(facts(RIGHT, ["2026-01-31T07:00:00Z", ["0x0"]])) == 0x800706BA


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        # Microsoft's own example of an answer: the host has counted 4 machines.
        (["0x0", "0x4000008", "0", "0", "4", "120", "10080"], 0xC004F038),
        (["0x00000000", "0x04000000", "0"], 0xC004F038),
        (["0xC004F038", "0x04000000", "0"], 0xC004F038),
        (["0xC004F042", "0x04000000", "0"], 0xC004F042),  # its own code goes before
        (["0x00000000", "0x04000000"], 0xC004F038),
        (["0x0", "0x8", "1", "0", "50", "120", "10080"], 0),  # only a warning of the firmware
        (["0x0", "0x8", "0", "0", "50", "120", "10080"], 0xC004F056),
        (["0x00000000", "", " 0 "], 0xC004F056),
        (["0x00000000", "?", "?"], 0),
        (["0x0"], 0),
    ],
)
def test_an_answer_without_a_code_may_be_a_refusal(fields: list[str], code: int) -> None:
    request = ["2026-01-31T07:50:00Z", ["0x0", "0x8", f"{KMS}:1688"], 900]
    assert kms_answer(facts(request, ["2026-01-31T07:50:00Z", fields, 901])) == code


def test_that_nothing_was_bound_gives_way_to_a_code_that_says_why() -> None:
    events = {
        "12288": ["2026-01-31T07:50:00Z", ["0x0", "0x8", f"{KMS}:1688"], 900],
        "12289": ["2026-01-31T07:50:00Z", ["0x0", "0x8", "0"], 901],
        "8198": ["2026-01-31T07:50:00Z", ["hr=0xC004F041"], 899],
    }
    assert attempts_of(facts_of(server(licensed=False, events=events)), ()).code == 0xC004F041


def test_a_failed_try_is_placed_by_its_number_too() -> None:
    events = {
        "12288": [*RIGHT, 912],
        "12289": None,
        "8198": ["2026-01-31T12:59:00Z", ["hr=0x8007232B"], 900],
    }
    assert attempts_of(facts_of(server(licensed=False, events=events)), ()).code == 0x800706BA
