"""Calls of a cloud's API: how long is waited before one is made again."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest
from virtual_time import now, virtual_time

from volact.bounded.http_client import newest_answer
from volact.cloud.base import Again, ApiError
from volact.cloud.calls import LONGEST_PAUSE_S, PAUSES_S, PacedCalls, read_retry_after
from volact.threads import BlockingCalls

HTTP_DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
THEN = 784111777.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("7", 7.0),
        ("0.5", 0.5),
        ("9" * 400, float("inf")),
        (HTTP_DATE, 30.0),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 30.0),
        ("Sun Nov  6 08:49:37 1994", 30.0),  # the oldest form, and one without a zone
        ("Sun, 06 Nov 1994 08:49:37 -0000", 30.0),
        ("Sun, 06 Nov 1994 15:49:37 +0700", 30.0),
        ("Sun, 06 Nov 1994 08:49:00 GMT", 0.0),  # it is over
        ("Fri, 31 Dec 9999 23:59:59 GMT", 252_618_189_052.0),
        ("1000000000", 1e9),
        *((text, 0.0) for text in ("", "-5", "-1000000000", "soon", "7 s", "1e", "nan", "inf")),
        *((f"Sun, {date} GMT", 0.0) for date in ("99 Nov 99999 99:99", "06 Nov 1994 9999:49:37")),
        ("Sun, 06 Nov 1994 08:49:37 -9900", 0.0),
    ],
)
def test_a_wait_is_read_from_a_number_or_a_date(
    text: str, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("TZ", "Asia/Jakarta")
        time.tzset()
        told = read_retry_after(text, THEN - 30)
    time.tzset()
    assert told == seconds


@virtual_time
async def test_a_call_waits_for_its_turn() -> None:
    calls = PacedCalls({"X": 0.01, "Y": 0.01}, BlockingCalls())
    for action in ("X", "Y"):
        assert await calls.paced(action, lambda: "done", safe=True) == "done"
    assert now() == 0
    assert await calls.paced("X", lambda: "done", safe=True) == "done"
    assert now() > 100


async def waited(asked: Sequence[str], again: Again = "throttled", *, safe: bool = False) -> float:
    """The seconds until a call that fails so often has succeeded, or failed for good."""
    left = list(asked)

    def call() -> str:
        if not left:
            return "done"
        newest_answer.retry_after = left.pop(0)
        raise ApiError("connect", "busy", code="Busy", again=again)

    calls = PacedCalls({"X": 1000}, BlockingCalls())
    began = now()
    try:
        assert await calls.paced("X", call, safe=safe) == "done"
    except ApiError as error:
        assert error.after_s == read_retry_after(asked[-1], THEN)
    return now() - began


@virtual_time
async def test_an_api_that_asks_for_a_wait_gets_it() -> None:
    assert await waited(["", ""]) == sum(PAUSES_S[:2])
    assert await waited(["7", "20"]) == 27
    assert await waited(["0.1"]) == PAUSES_S[0]  # no shorter one
    assert await waited(["7"], "unsure", safe=True) == 7


@virtual_time
async def test_no_wait_is_endless() -> None:
    forever = "Fri, 31 Dec 9999 23:59:59 GMT"
    assert await waited([forever]) == LONGEST_PAUSE_S
    assert await waited(["9" * 400] * 9) == LONGEST_PAUSE_S * len(PAUSES_S)


@virtual_time
async def test_a_call_that_is_not_made_again_waits_for_nothing() -> None:
    assert await waited(["7"], "unsure") == 0
    assert await waited(["7"], "never", safe=True) == 0
