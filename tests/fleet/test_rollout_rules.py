"""The pure rules of a rollout: shares, canaries, paces, and when it stops."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from volact.errors import ErrorKind
from volact.fleet.canary import choose_canaries
from volact.fleet.control import Share
from volact.fleet.failure_policy import FailureLimits, FailurePolicy
from volact.fleet.rate_limiter import Rate, RateLimiter
from volact.model.report import ErrorRow, ServerReport, Verdict


@pytest.mark.parametrize(
    ("word", "total", "at_least_one", "at_most"),
    [
        ("5", 60, 5, 5), ("0", 60, 1, 0), ("100", 60, 60, 100), ("10%", 60, 6, 6),
        ("10%", 15, 2, 1), ("1%", 30, 1, 0), ("0.5%", 1000, 5, 5), ("100%", 7, 7, 7),
        ("10%", 30, 3, 3), ("29%", 100, 29, 29),
    ],
)  # fmt: skip
def test_a_share_is_a_number_or_a_part(
    word: str, total: int, at_least_one: int, at_most: int
) -> None:
    share = Share.parse(word)
    assert (share.at_least_one(total), share.at_most(total)) == (at_least_one, at_most)


@pytest.mark.parametrize("word", ["", "-1", "x", "5 %x", "101%", "1.5", "1e3", "%", "NaN"])
def test_what_is_no_share_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match=r"neither|more than all"):
        Share.parse(word)


KINDS = st.lists(st.sampled_from("abcd"), min_size=1, max_size=60)


def split(kinds: list[str], number: int) -> tuple[list[int], list[int]]:
    """Canaries and others among servers of these kinds, by their place in the list."""
    return choose_canaries(
        range(len(kinds)), number, lambda at: (kinds[at],), lambda at: f"web-{at:03}"
    )


@given(kinds=KINDS, number=st.integers(0, 70))
def test_every_server_is_a_canary_or_not_and_order_stays(kinds: list[str], number: int) -> None:
    first, others = split(kinds, number)
    assert sorted([*first, *others]) == list(range(len(kinds)))
    assert len(first) == min(number, len(kinds))
    assert first == sorted(first)
    assert others == sorted(others)


@given(kinds=KINDS, number=st.integers(1, 70))
def test_canaries_are_spread_over_the_kinds(kinds: list[str], number: int) -> None:
    first, _ = split(kinds, number)
    chosen, there = Counter(kinds[at] for at in first), Counter(kinds)
    assert len(chosen) == min(number, len(there))
    full = max(chosen.values())
    assert all(chosen[kind] >= min(there[kind], full - 1) for kind in there)


@given(kinds=KINDS, number=st.integers(1, 10), seed=st.integers())
def test_the_same_fleet_has_the_same_canaries(kinds: list[str], number: int, seed: int) -> None:
    places = list(range(len(kinds)))
    mixed = places[:]
    random.Random(seed).shuffle(mixed)
    names = [f"web-{at:03}" for at in places]
    first, _ = choose_canaries(places, number, lambda at: (kinds[at],), names.__getitem__)
    again, _ = choose_canaries(mixed, number, lambda at: (kinds[at],), names.__getitem__)
    assert sorted(first) == sorted(again)


def test_canaries_are_not_simply_the_first_of_the_list() -> None:
    assert split(["a"] * 100, 5)[0] != list(range(5))


@pytest.mark.parametrize(
    ("word", "slot_s"), [("5/s", 0.2), ("30/m", 2.0), ("200/h", 18.0), ("0.5/s", 2.0)]
)
def test_a_pace_is_servers_in_a_time(word: str, slot_s: float) -> None:
    assert Rate.parse(word).slot_s == pytest.approx(slot_s)


@pytest.mark.parametrize("word", ["", "5", "5/d", "0/s", "-1/s", "x/s", "5 / s", "1e9/s"])
def test_what_is_no_pace_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match="is not a pace like 5/s"):
        Rate.parse(word)


@given(
    begun=st.floats(0, 1e6),
    waits=st.lists(st.tuples(st.floats(0, 30), st.floats(0, 3)), min_size=2, max_size=60),
    rate=st.sampled_from(["5/s", "30/m", "7/s", "0.3/s"]),
    seed=st.integers(),
)
@example(begun=0.0, waits=[(0.0, 0.0)] * 40, rate="5/s", seed=1)
def test_no_window_sees_more_begin_than_the_pace_allows(
    begun: float, waits: list[tuple[float, float]], rate: str, seed: int
) -> None:
    """For any requests at any times, however late they begin: ``n`` slots see at most ``n + 1``."""
    pace, slot = RateLimiter(Rate.parse(rate), random.Random(seed).random), Rate.parse(rate).slot_s
    now, moments = begun, []
    for wait, late in waits:
        moment = pace.next(now)
        assert moment >= now
        now = moment + (late if late > 2 else 0)
        pace.begun(now)
        moments.append(now)
        now += wait if wait > 15 else 0
    for number in range(1, len(moments)):
        for first, last in zip(moments, moments[number:], strict=False):
            assert last - first >= (number - 1) * slot - 1e-6


def test_a_pace_is_kept_on_the_whole() -> None:
    pace, now = RateLimiter(Rate.parse("10/s"), random.Random(7).random), 100.0
    moments = []
    for _ in range(1001):
        now = pace.next(now)
        moments.append(now)
    assert moments[-1] - moments[0] == pytest.approx(100, abs=0.2)
    gaps = {round(after - before, 2) for before, after in pairwise(moments)}
    assert len(gaps) > 10, "they come at moments that chance chooses"


def row(name: str, verdict: Verdict, kind: ErrorKind | None = None) -> ServerReport:
    error = None if kind is None else ErrorRow(kind=kind, message="")
    return ServerReport(name=name, address="ssh://a", provider="x", verdict=verdict, error=error)


def course(verdicts: list[Verdict], rules: FailureLimits, sent: bool = False) -> FailurePolicy:
    made = FailurePolicy(rules)
    for at, verdict in enumerate(verdicts):
        made.record(row(f"s{at}", verdict), sent=sent)
    return made


def why(verdicts: list[Verdict], rules: FailureLimits, sent: bool = False) -> str | None:
    stop = course(verdicts, rules, sent).stop
    return None if stop is None else stop.why


def test_a_canary_that_fails_stops_the_rollout() -> None:
    stop = course(["healthy", "failed"], FailureLimits(canaries=3)).stop
    assert stop is not None
    assert (stop.why, stop.sentence) == ("canary", "1 canary failed: s1")
    assert (
        why(["healthy", "failed", "healthy"], FailureLimits(canaries=3, canary_failures=1)) is None
    )


def test_canaries_that_show_nothing_stop_it_too() -> None:
    assert why(["unreachable", "attention"], FailureLimits(canaries=2)) == "unproven"
    assert why(["unreachable", "healthy"], FailureLimits(canaries=2)) is None
    assert why(["unreachable"], FailureLimits(canaries=2)) is None, "one is still to come"


def test_a_canary_whose_steps_were_lost_sight_of_has_failed() -> None:
    assert why(["healthy", "unreachable"], FailureLimits(canaries=2), sent=True) == "canary"


def test_failures_of_others_are_counted_against_all() -> None:
    rules = FailureLimits(failures=2)
    assert why(["failed", "attention", "failed", "unreachable"], rules) is None
    stop = course(["failed"] * 5, rules).stop
    assert stop is not None
    assert stop.sentence == "5 servers failed, more than the 2 allowed: s0, s1, s2, …"


@given(
    verdicts=st.lists(st.sampled_from(["healthy", "failed", "attention", "unreachable"])),
    allowed=st.integers(0, 10),
)
def test_it_stops_exactly_when_more_failed_than_may(verdicts: list[Verdict], allowed: int) -> None:
    stopped = why(verdicts, FailureLimits(failures=allowed)) == "failures"
    assert stopped is (verdicts.count("failed") > allowed)


@given(st.lists(st.sampled_from(["healthy", "failed", "attention"]), min_size=1))
def test_the_first_reason_stays(verdicts: list[Verdict]) -> None:
    assume("failed" in verdicts)
    made = course(verdicts, FailureLimits(failures=0))
    first = made.stop
    made.stop_for("interrupted")
    assert made.stop == first
    assert made.stop is not None
    assert made.stop.why == "failures"
