"""The lock that stands while steps run: what is held, what is over, what is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from script import Script

from volact.agent.answer import read_answer
from volact.errors import AnswerError

LOCK = Script("host", "lock")
MINUTE = 60_000
LIFE = 4 * MINUTE
SINCE = 1_795_000_000_000
HELD = {"since": SINCE, "until": SINCE + LIFE, "at": SINCE + 7_000_000}


def is_held(asked: int, here: int) -> bool:
    """By the clock of who asks, and by the server's own."""
    return bool(LOCK.call("isHeld", HELD, SINCE + asked, HELD["at"] + here))


def test_a_lock_is_over_when_both_clocks_say_so() -> None:
    assert is_held(0, 0)
    assert is_held(LIFE - 1, LIFE - 1)
    assert not is_held(LIFE, LIFE)


@pytest.mark.parametrize("jump", [-365 * 1440, -10, 10, 365 * 1440])
def test_a_clock_that_a_step_sets_ends_no_lock_and_keeps_none(jump: int) -> None:
    assert is_held(MINUTE, MINUTE + jump * MINUTE)
    assert not is_held(LIFE, LIFE + jump * MINUTE) or 0 <= LIFE + jump * MINUTE < LIFE


def test_a_run_whose_own_clock_is_wrong_takes_no_living_lock() -> None:
    assert is_held(3 * 3_600_000, MINUTE)
    assert is_held(-3 * 3_600_000, MINUTE)


@given(asked=st.integers(-(10**12), 10**12), here=st.integers(-(10**12), 10**12))
def test_no_lock_lives_on_when_its_life_is_over_everywhere(asked: int, here: int) -> None:
    over = not 0 <= asked < LIFE and not 0 <= here < LIFE
    assert is_held(asked, here) is not over


@pytest.mark.parametrize(
    "text",
    ["", "\0" * 80, "VOLACTLOCK1", "VOLACTLOCK1 0011223344556677 r 1 2", "x" * 500,
     "VOLACTLOCK1 0011223344556677 r 1 2 3 wh\u00f6", "VOLACTLOCK1 0011223344556677 r 1 -2 3 w"],
)  # fmt: skip
def test_what_is_no_lock_holds_nothing(text: str) -> None:
    assert LOCK.call("readLock", text) is None


def test_a_lock_says_whose_it_is() -> None:
    read = LOCK.call("readLock", f"VOLACTLOCK1 0011223344556677 r-1 {SINCE} 2 3 ops@ctl 1\r\n")
    assert read == {"run": "r-1", "since": SINCE, "until": 2, "at": 3, "who": "ops@ctl 1"}


def test_who_is_there_is_told_in_one_line() -> None:
    line = f"VOLACT0 busy 4f2a {SINCE} ops@ctl-1\r\n".encode()
    with pytest.raises(AnswerError) as caught:
        read_answer(line, "0" * 16)
    assert caught.value.kind == "busy"
    assert caught.value.message == (
        "another run is changing this server: run 4f2a by ops@ctl-1, until 2026-11-18T11:06:40Z; "
        "this run changed nothing"
    )


@given(st.text("0123456789 abc~", max_size=120))
def test_no_claim_to_be_busy_breaks_the_reader(claim: str) -> None:
    with pytest.raises(AnswerError) as caught:
        read_answer(f"VOLACT0 busy {claim}\r\n".encode(), "0" * 16)
    assert caught.value.kind in {"busy", "protocol"}


def taking(outcomes: str) -> str:
    """What comes of taking a lock whose tries end so: ``taken`` or ``lost``, or with an error."""
    script = Script("host", "lock")
    script.text(
        "REQUEST = {id: '0', lock: {since: 2}};"
        "lockLine = draftPath = removeFile = nap = function () {}; ''"
    )
    script.text(
        "function taken() { return true; } function lost() { return false; }"
        "function gone() { throw failure(0x80070020); }"
        "function held() { throw busyWith({run: 'r', until: 9, who: 'ops'}); } ''"
    )
    script.text(
        f"var outcomes = {outcomes}; tryLock = function () {{ return outcomes.shift()(); }}; ''"
    )
    return script.text(
        "var end = 'taken'; try { takeLock(); }"
        " catch (error) { end = error.busy || 'failed'; } end + ', left: ' + outcomes.length"
    )


@pytest.mark.parametrize(
    ("outcomes", "end"),
    [
        ("[gone, lost, taken]", "taken, left: 0"),
        ("[gone, held, taken]", "r 9 ops, left: 1"),
        ("[lost, lost, lost, lost, lost, taken]", "? 2 ?, left: 1"),
        ("[gone, gone, gone, gone, gone, taken]", "failed, left: 1"),
    ],
)
def test_a_file_that_comes_and_goes_is_tried_again(outcomes: str, end: str) -> None:
    assert taking(outcomes) == end
